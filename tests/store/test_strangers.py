"""However many devices are invented, so many are remembered, and nobody is forgotten for them who is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING

from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import Serial
from gitupd.core.device import Device, Message
from gitupd.core.snapshot import CommitId
from gitupd.store.inventory import Inventory
from gitupd.store.strangers import Capacity

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
COMMIT = CommitId("a" * 40)


def _device(number: int, admission: Admittance = Admittance.SERVED, *, at: datetime = NOON) -> Device:
    serial = Serial(f"{number:012x}")
    return Device(serial, address="10.0.0.1", admission=admission, first_seen=at, last_seen=at)


def _numbers(inventory: Inventory) -> list[int]:
    return [int(device.serial.digits, 16) for device in inventory.devices()]


def test_more_unknown_devices_than_there_is_room_for_are_left_out(database: Database) -> None:
    inventory = Inventory(database)
    assert inventory.save_sightings([_device(number) for number in range(7)], Capacity(5)) == {
        Serial(f"{number:012x}") for number in (5, 6)
    }
    outside = [_device(7, Admittance.QUARANTINED), _device(8, Admittance.REFUSED)]
    assert inventory.save_sightings(outside, Capacity(5)) == {each.serial for each in outside}
    assert inventory.save_sightings([_device(3)], Capacity(5)) == set()
    assert _numbers(inventory) == [0, 1, 2, 3, 4]


def test_whoever_is_let_in_by_somebody_is_always_remembered(database: Database) -> None:
    inventory = Inventory(database)
    inventory.save_sightings([_device(number) for number in range(5)], Capacity(5))
    known = [_device(10, Admittance.KNOWN), _device(11, Admittance.BY_RULE), _device(12, Admittance.ACCEPTED)]
    assert inventory.save_sightings(known, Capacity(5)) == set()
    assert _numbers(inventory)[-3:] == [10, 11, 12]


def test_whoever_has_confirmed_or_called_for_long_takes_nobody_s_room(database: Database) -> None:
    inventory = Inventory(database)
    confirmed = replace(_device(1), confirmed=COMMIT, confirmed_at=NOON)
    yesterday = NOON - timedelta(days=1)
    steady = replace(_device(2, at=yesterday), sent=COMMIT, sent_at=yesterday)
    unjudged = replace(_device(3), admission=None)
    inventory.save_sightings([confirmed, steady, unjudged])
    again = [_device(number) for number in range(10, 16)]
    room = Capacity(3, frozenset(device.serial for device in again))
    assert len(inventory.save_sightings(again, room)) == 3
    assert inventory.save_sightings([again[-1]], room) == set()  # it takes the place of one that called once
    assert set(_numbers(inventory)) >= {1, 2, 3}
    assert len(_numbers(inventory)) == 6


def test_who_makes_room_is_forgotten_with_all_that_was_remembered(database: Database) -> None:
    inventory = Inventory(database)
    first = replace(_device(1), messages=(Message(NOON, "it said something"),))
    inventory.save_sightings([first, _device(2, at=NOON + timedelta(minutes=1))], Capacity(2))
    newcomer = _device(9, at=NOON + timedelta(minutes=2))
    assert inventory.save_sightings([newcomer], Capacity(2)) == {newcomer.serial}
    assert inventory.save_sightings([newcomer], Capacity(2, {newcomer.serial})) == set()
    assert _numbers(inventory) == [2, 9]
    inventory.save_sightings([_device(1)])
    back = inventory.device(first.serial)
    assert back is not None
    assert back.messages == ()


def test_nobody_makes_room_who_calls_at_the_same_moment(database: Database) -> None:
    inventory = Inventory(database)
    inventory.save_sightings([_device(1), _device(2, at=NOON + timedelta(minutes=1))], Capacity(2))
    newcomer = _device(9, at=NOON + timedelta(minutes=2))
    batch = [_device(1, at=newcomer.last_seen or NOON), newcomer]
    assert inventory.save_sightings(batch, Capacity(2, {newcomer.serial})) == set()
    assert _numbers(inventory) == [1, 9]


def test_of_confirmed_strangers_no_more_are_new_within_a_day_than_twenty_times_as_many(database: Database) -> None:
    inventory = Inventory(database)
    played = [replace(_device(number), confirmed=COMMIT, confirmed_at=NOON) for number in range(50)]
    assert len(inventory.save_sightings(played, Capacity(2))) == 10
    assert len(_numbers(inventory)) == 40
    tomorrow = NOON + timedelta(days=1, seconds=1)
    later = [
        replace(_device(number + 100, at=tomorrow), confirmed=COMMIT, confirmed_at=tomorrow) for number in range(50)
    ]
    assert len(inventory.save_sightings(later, Capacity(2))) == 10


def test_several_processes_keep_the_bound_together(database: Database) -> None:
    inventory = Inventory(database)

    def invent(start: int) -> None:
        for number in range(start, start + 100, 5):
            inventory.save_sightings([_device(each) for each in range(number, number + 5)], Capacity(30))

    threads = [Thread(target=invent, args=(1000 * number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_numbers(inventory)) == 30


def test_unknown_devices_are_forgotten_early(database: Database) -> None:
    inventory = Inventory(database)
    steady = replace(_device(3), sent=COMMIT, sent_at=NOON)
    devices = [_device(1), replace(_device(2), confirmed=COMMIT), steady, _device(4, Admittance.ACCEPTED)]
    inventory.save_sightings(devices)
    later = NOON + timedelta(days=1)
    inventory.save_sightings([_device(5, at=later)])
    assert inventory.forget_strangers(later, later + timedelta(hours=1)) == 1
    assert _numbers(inventory) == [2, 3, 4, 5]


def test_who_is_not_let_in_changes_nothing_of_the_device_that_it_claims_to_be(database: Database) -> None:
    inventory = Inventory(database)
    real = replace(_device(1, Admittance.BY_RULE), model="IP222", confirmed=COMMIT)
    inventory.save_sightings([real], Capacity(5))
    at = NOON + timedelta(minutes=5)
    for minutes in range(3):
        claim = replace(_device(1, Admittance.QUARANTINED, at=at + timedelta(minutes=minutes)), address="192.0.2.9")
        assert inventory.save_sightings([claim, _device(2, Admittance.QUARANTINED)], Capacity(5)) == set()
    kept = inventory.device(real.serial)
    assert kept is not None
    assert [message.text for message in kept.messages] == [
        "somebody calls as this device from 192.0.2.9, and is not let in: no rule accepts that request"
    ]
    assert replace(kept, messages=()) == real
    later = replace(_device(1, Admittance.QUARANTINED, at=NOON + timedelta(hours=2)), address="192.0.2.9")
    inventory.save_sightings([later], Capacity(5))  # it calls so no more: it has moved, or the rules have changed
    moved = inventory.device(real.serial)
    assert moved is not None
    assert (moved.admission, moved.address) == (Admittance.QUARANTINED, "192.0.2.9")
