"""What is written down of what happened to devices, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Serial
from gitupd.core.device import Device, Message
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.core.stories.change import Change, ChangeKind
from gitupd.store.admissions import Admissions
from gitupd.store.answers import Answers
from gitupd.store.inventory import Inventory
from gitupd.store.stories.events import MOST_AN_HOUR, MOST_OF_ONE, DeviceEvents
from gitupd.store.stories.tables import device_events
from gitupd.store.strangers import Capacity

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
SERIAL, OTHER = Serial("0090333000af"), Serial("0090333000b0")
A, B = CommitId("a" * 40), CommitId("b" * 40)


def phone(minutes: int = 0, serial: Serial = SERIAL, **facts: object) -> Device:
    at = NOON + timedelta(minutes=minutes)
    return replace(Device(serial, model="IP222", first_seen=NOON, last_seen=at), **facts)


def kept(database: Database, serial: Serial = SERIAL) -> list[tuple[ChangeKind, str | None, str | None]]:
    return [(each.kind, each.was, each.now) for each in DeviceEvents(database).of(serial, 1000)]


def test_what_polls_change_is_written_down_with_them(database: Database) -> None:
    inventory = Inventory(database)
    inventory.save_sightings([phone(address="10.0.0.7", environments=("berlin",), sent=A, sent_at=NOON)])
    assert kept(database) == [(ChangeKind.SENT, None, "0")]
    inventory.save_sightings([phone(1, address="10.0.1.7", environments=("munich",), firmware="137213")])
    inventory.save_sightings([phone(2, confirmed=A, confirmed_at=NOON + timedelta(minutes=2))])
    events = DeviceEvents(database).of(SERIAL, 3)
    assert events == [
        Change(NOON + timedelta(minutes=2), ChangeKind.CONFIRMED, commit=A),
        Change(NOON + timedelta(minutes=1), ChangeKind.FIRMWARE, None, "137213"),
        Change(NOON + timedelta(minutes=1), ChangeKind.ENVIRONMENTS, "berlin", "munich"),
    ]
    assert [each.kind for each in DeviceEvents(database).of(SERIAL, 9, events[1].at)] == [ChangeKind.SENT]
    assert DeviceEvents(database).of(SERIAL, 9, kinds=[ChangeKind.ADDRESS])[0].was == "10.0.0.7"
    assert kept(database, OTHER) == []


def test_a_name_that_a_device_gives_itself_is_news(database: Database) -> None:
    Inventory(database).save_sightings([phone()])
    answers = Answers(database)
    for minutes, name in ((1, "Desk 1"), (2, "Desk 1"), (3, "Lobby")):
        answer = QueryAnswer("admin", NOON + timedelta(minutes=minutes), "<info/>")
        answers.save([AnsweredQuery(SERIAL, answer, name), AnsweredQuery(OTHER, answer, name)])
    assert kept(database) == [(ChangeKind.NAME, "Desk 1", "Lobby"), (ChangeKind.NAME, None, "Desk 1")]
    assert kept(database, OTHER) == [(ChangeKind.NAME, "Desk 1", "Lobby")], "with its first answer it is new"


def test_the_same_warning_is_written_down_once_a_day(database: Database) -> None:
    inventory = Inventory(database)
    for minutes in (0, 1, 2):
        at = NOON + timedelta(minutes=minutes)
        inventory.save_sightings([phone(minutes, messages=(Message(at, "odd"), Message(at, f"new \0 {minutes % 2}")))])
    inventory.tell(SERIAL, Message(NOON + timedelta(hours=25), "odd"))
    inventory.tell(OTHER, Message(NOON, "of a device that never polled"))
    assert sorted(str(now) for _, _, now in kept(database)) == ["new   0", "new   1", "odd", "odd"]
    assert kept(database, OTHER) == [], "anybody can have something told of a device that does not exist"


def test_of_who_is_not_let_in_nothing_is_written_down(database: Database) -> None:
    outside = {"admission": Admittance.QUARANTINED}
    for minutes, address in ((0, "10.0.0.1"), (1, "10.0.0.2")):
        message = Message(NOON, "odd")
        device = phone(minutes, address=address, messages=(message,), **outside)
        Inventory(database).save_sightings([device], Capacity(10))
    assert kept(database) == []


def test_a_device_that_changes_all_the_time_fills_nothing(database: Database) -> None:
    inventory = Inventory(database)
    for number in range(MOST_AN_HOUR + 20):
        inventory.save_sightings([phone(0, address=f"10.0.0.{number % 2}", last_seen=NOON + timedelta(seconds=number))])
    assert len(kept(database)) == MOST_AN_HOUR
    for hours in range(1, 8):
        for number in range(MOST_AN_HOUR):
            at = NOON + timedelta(hours=2 * hours, seconds=number)
            inventory.save_sightings([phone(0, address=f"10.0.{hours}.{number}", last_seen=at)])
        assert len(kept(database)) <= MOST_OF_ONE
    assert kept(database)[0][2] == f"10.0.7.{MOST_AN_HOUR - 1}", "the oldest go first"


def test_what_somebody_does_to_several_devices_is_told_of_each(database: Database) -> None:
    inventory, admissions = Inventory(database), Admissions(database)
    inventory.save_sightings([phone(), phone(serial=OTHER)])
    inventory.touch([SERIAL, OTHER], Event(NOON, "otto", Kind.DEVICE_TOUCH))
    admissions.decide([SERIAL, OTHER], Decision.ACCEPTED, Admittance.ACCEPTED, Event(NOON, "ada", Kind.DEVICE_ACCEPT))
    inventory.touch([SERIAL], Event(NOON, "otto", Kind.DEVICE_TOUCH))
    deeds = {(ChangeKind.DEED, Kind.DEVICE_TOUCH.value, "otto"), (ChangeKind.DEED, Kind.DEVICE_ACCEPT.value, "ada")}
    assert set(kept(database)) == set(kept(database, OTHER)) == deeds
    assert len(kept(database)) == 2, "of one alone, the audit tells"


def test_it_goes_with_the_device_and_with_time(database: Database) -> None:
    inventory = Inventory(database)
    for serial in (SERIAL, OTHER):
        inventory.save_sightings([phone(serial=serial, sent=A, sent_at=NOON)])
    inventory.save_sightings([phone(9, sent=B, sent_at=NOON + timedelta(minutes=9))])
    inventory.forget([OTHER], Event(NOON, "otto", Kind.DEVICE_FORGET))
    DeviceEvents(database).drop(NOON + timedelta(minutes=1))
    assert [each.commit for each in DeviceEvents(database).of(SERIAL, 9)] == [B]
    with database.connection() as connection:
        assert connection.scalar(select(func.count()).select_from(device_events)) == 1
