"""What is written down of polls that come within one second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.actions import Confirmed, Deliver, InPhase
from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import Origin, parse_caller, parse_serial
from gitupd.core.device import Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.core.snapshot import CommitId, Snippet
from gitupd.errors import UnusableDatabase
from gitupd.service import sightings
from gitupd.service.sightings import Answer, Sightings
from gitupd.store.database import Database
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
HERE = Endpoint("http", "upd.example", 80)
SERIAL = parse_serial("00-90-33-30-00-af")
COMMIT = CommitId("a" * 40)
SNIPPET = Snippet("snippets/all-all-all.txt", "all", "all", "all", b"x\n")


def answer(*facts: object, admission: Admittance = Admittance.KNOWN) -> Answer:
    return Answer(b"", facts, COMMIT, Recognised(("default",), admission=admission))  # type: ignore[arg-type] # any


SETTLED = answer(InPhase("update", "staging"), Confirmed("c"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'gitupd.db'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def inventory(database: Database) -> Inventory:
    return Inventory(database)


def call(
    collected: Sightings, address: str, hardware: str = "IP222-30-00-af", said: Answer = SETTLED, second: float = 0
) -> None:
    caller = parse_caller({"sn": str(SERIAL), "hwid": hardware, "type": "IP222"}, HERE)
    collected.add(caller, Origin(address), said, NOON + timedelta(seconds=second))


def test_two_that_take_turns_are_noticed_though_both_call_within_a_second(inventory: Inventory) -> None:
    collected = Sightings(inventory)
    call(collected, "10.0.0.7")
    collected.write()
    call(collected, "10.0.0.8", "IP222-30-00-0f", second=1)
    call(collected, "10.0.0.7", second=1.2)
    collected.write()
    device = inventory.device(SERIAL)
    assert device is not None
    assert (device.address, device.previous_address) == ("10.0.0.7", "10.0.0.8")
    assert (device.hardware_id, device.previous_hardware_id) == ("IP222-30-00-af", "IP222-30-00-0f")
    assert device.address_returned == device.hardware_returned == NOON + timedelta(seconds=1.2)


def test_who_calls_again_and_again_is_written_down_once(inventory: Inventory) -> None:
    collected = Sightings(inventory)
    for number in range(50):
        call(collected, "10.0.0.7", second=number / 100)
    assert collected.waiting == 1
    collected.write()
    device = inventory.device(SERIAL)
    assert device is not None
    assert device.last_seen == NOON + timedelta(seconds=0.49)
    assert device.address_changed is None


def test_who_appears_otherwise_all_the_time_takes_the_place_of_nobody_else(inventory: Inventory) -> None:
    collected = Sightings(inventory)
    for number in range(500):
        call(collected, f"10.0.{number % 250}.7")
    assert collected.waiting == sightings._MOST_OF_ONE
    collected.write()
    assert collected.waiting == 0
    device = inventory.device(SERIAL)
    assert device is not None
    assert (device.previous_address, device.address) == ("10.0.248.7", "10.0.249.7")


def test_phases_that_a_device_goes_through_within_a_second_all_count(inventory: Inventory) -> None:
    collected = Sightings(inventory)
    call(collected, "10.0.0.7", said=answer(InPhase("staging", None), Deliver(SNIPPET)))
    call(collected, "10.0.0.7", said=answer(InPhase("update", "staging"), Deliver(SNIPPET)))
    call(collected, "10.0.0.8", said=answer())
    collected.write()
    device = inventory.device(SERIAL)
    assert device is not None
    assert (device.phase, device.phase_before, device.confirmed) == ("update", "staging", COMMIT)
    assert device.previous_address == "10.0.0.7"


def test_somebody_who_is_not_let_in_does_not_hide_the_device_in_whose_name_he_calls(inventory: Inventory) -> None:
    collected = Sightings(inventory)
    call(collected, "10.0.0.7", said=answer(InPhase("update", "staging"), admission=Admittance.BY_RULE))
    collected.write()
    call(collected, "10.0.0.7", said=answer(InPhase("update", "staging"), admission=Admittance.BY_RULE), second=60)
    call(collected, "6.6.6.6", said=answer(admission=Admittance.QUARANTINED), second=60.1)
    collected.write()
    device = inventory.device(SERIAL)
    assert device is not None
    assert (device.address, device.last_seen) == ("10.0.0.7", NOON + timedelta(seconds=60))
    assert [message.text for message in device.messages] == [
        "somebody calls as this device from 6.6.6.6, and is not let in: no rule accepts that request"
    ]


def test_what_can_not_be_written_is_written_later_in_its_order(tmp_path: Path, inventory: Inventory) -> None:
    nowhere = Database(f"sqlite:///{tmp_path / 'nowhere.db'}")
    collected = Sightings(Inventory(nowhere))
    call(collected, "10.0.0.7")
    with pytest.raises(UnusableDatabase):
        collected.write()
    call(collected, "10.0.0.8", second=1)
    assert collected.waiting == 2
    collected._inventory = inventory
    collected.write()
    nowhere.close()
    device = inventory.device(SERIAL)
    assert device is not None
    assert (device.address, device.previous_address, collected.waiting) == ("10.0.0.8", "10.0.0.7", 0)
