"""What is recorded of devices, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.people.audit import Event, Kind
from gitupd.core.stories.recorded import RecordedRequest, Recording
from gitupd.store.audit import Audit
from gitupd.store.inventory import Inventory
from gitupd.store.stories.recordings import LARGEST_OF_ONE, MOST_OF_ONE, Recordings

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERIAL, OTHER, THIRD = Serial("0090333000af"), Serial("0090333000b0"), Serial("0090333000b1")
EVENT = Event(NOON, "otto", Kind.DEVICE_RECORD, str(SERIAL))


def start(database: Database, serial: Serial = SERIAL, at: datetime = NOON, most: int = 20) -> bool:
    return Recordings(database).start(
        Recording(serial, at, at + HOUR, "otto"), most, replace(EVENT, subject=str(serial))
    )


def asked(after: int = 0, serial: Serial = SERIAL, **facts: object) -> RecordedRequest:
    return RecordedRequest(serial, NOON + timedelta(seconds=after), "GET", f"/update.php?{after}", **facts)


def kept(database: Database, serial: Serial = SERIAL) -> list[RecordedRequest]:
    return [request for _, request in Recordings(database).requests(serial, 1000)]


def test_a_recording_is_the_same_for_all_who_look(database: Database) -> None:
    recordings = Recordings(database)
    Inventory(database).save_sightings([Device(SERIAL, first_seen=NOON, last_seen=NOON, address="10.0.0.7")])
    assert recordings.of(SERIAL) is None
    assert start(database)
    assert recordings.running(NOON) == [(SERIAL, NOON + HOUR, "10.0.0.7")]
    assert recordings.running(NOON + HOUR) == []
    assert start(database, at=NOON + HOUR / 2)
    assert recordings.of(SERIAL) == Recording(SERIAL, NOON, NOON + 1.5 * HOUR, "otto")
    assert recordings.stop(SERIAL, NOON + HOUR, replace(EVENT, kind=Kind.DEVICE_RECORD_STOP))
    assert not recordings.stop(SERIAL, NOON + HOUR, EVENT)
    assert start(database, at=NOON + 2 * HOUR)
    assert recordings.of(SERIAL) == Recording(SERIAL, NOON + 2 * HOUR, NOON + 3 * HOUR, "otto")
    entries = [each.kind for each in Audit(database).entries(9)]
    assert entries == ["device-record", "device-record-stop", "device-record", "device-record"]


def test_so_many_devices_are_recorded_at_a_time(database: Database) -> None:
    assert start(database, most=2)
    assert start(database, OTHER, most=2)
    assert not start(database, THIRD, most=2)
    assert start(database, most=2), "what goes on may go on for longer"
    assert start(database, THIRD, at=NOON + HOUR, most=2), "the others have ended"
    assert len(Audit(database).entries(9)) == 4


def test_requests_come_back_as_they_were_the_newest_first(database: Database) -> None:
    recordings = Recordings(database)
    start(database)
    odd = asked(
        1,
        status=200,
        seconds=0.25,
        address="10.0.0.7",
        by_address=True,
        certificate="IP222-30-00-af",
        headers=(("user-agent", "ü\N{PILE OF POO}"), ("x", "")),
        received=5,
        answer_headers=(("content-type", "text/plain"),),
        answered=7,
        body='a\n"b"\x1b',
        is_cut=True,
    )
    recordings.write([asked(), odd, asked(2, OTHER)])
    assert kept(database) == [odd, asked()]
    assert kept(database, OTHER) == [], "nobody watches it"
    (number, _), _ = recordings.requests(SERIAL, 9)
    assert [each for _, each in recordings.requests(SERIAL, 9, number)] == [asked()]
    recordings.write([asked(3, body="a\0b\udcffc")])
    assert kept(database)[0].body == "a b?c"


def test_the_oldest_make_room_and_are_counted(database: Database) -> None:
    recordings = Recordings(database)
    start(database)
    start(database, OTHER)
    recordings.write([asked(number) for number in range(MOST_OF_ONE)])
    recordings.write([asked(number, OTHER) for number in range(3)])
    assert recordings.of(SERIAL).gone == 0
    recordings.write([asked(number + MOST_OF_ONE) for number in range(7)])
    assert [each.target for each in kept(database)[-2:]] == ["/update.php?8", "/update.php?7"]
    assert recordings.of(SERIAL).gone == 7
    large = LARGEST_OF_ONE // 4
    for number in range(5):
        recordings.write([asked(number, OTHER, body="x" * large)])
    assert [len(each.body) for each in kept(database, OTHER)] == [large] * 3
    assert recordings.of(OTHER).gone == 5
    assert len(kept(database)) == MOST_OF_ONE


def test_all_of_it_is_gone_after_its_time(database: Database) -> None:
    recordings = Recordings(database)
    start(database)
    recordings.write([asked(), asked(10)])
    recordings.drop(NOON + timedelta(seconds=10))
    assert kept(database) == [asked(10)]
    recordings.drop(NOON + HOUR)
    assert recordings.of(SERIAL) is not None
    recordings.drop(NOON + HOUR + timedelta(seconds=1))
    assert recordings.of(SERIAL) is None
    assert kept(database) == []


def test_with_a_device_its_record_is_forgotten(database: Database) -> None:
    recordings, inventory = Recordings(database), Inventory(database)
    inventory.save_sightings([Device(each, first_seen=NOON, last_seen=NOON) for each in (SERIAL, OTHER)])
    for serial in (SERIAL, OTHER):
        start(database, serial)
        recordings.write([asked(serial=serial)])
    inventory.forget([SERIAL], EVENT)
    recordings.write([asked(1)])
    assert recordings.of(SERIAL) is None
    assert kept(database) == []
    assert kept(database, OTHER) == [asked(serial=OTHER)]
