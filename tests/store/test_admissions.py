"""What people decided on devices, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.backups.overdue import Deadline, OverdueCounts
from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.people.audit import Event, Kind
from gitupd.store.admissions import Admissions, Decided
from gitupd.store.audit import Audit
from gitupd.store.backups.timeline import BackupTimeline
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
PHONE, OTHER = Serial("0090333000af"), Serial("0090333000b0")
ACCEPT = Event(NOON, "vera", Kind.DEVICE_ACCEPT)
WITHDRAW = Event(NOON + timedelta(hours=1), "olaf", Kind.DEVICE_WITHDRAW)


def _seen(serial: Serial, admission: Admittance) -> Device:
    return Device(serial, first_seen=NOON, last_seen=NOON, admission=admission)


def test_decisions_are_told_in_the_order_of_deeds(database: Database) -> None:
    admissions = Admissions(database)
    assert admissions.since(0) == (0, {})
    assert admissions.decide([PHONE, OTHER, PHONE], Decision.ACCEPTED, Admittance.ACCEPTED, ACCEPT) == 2
    change, news = admissions.since(0)
    assert news == {PHONE.digits: Decision.ACCEPTED, OTHER.digits: Decision.ACCEPTED}
    assert admissions.since(change) == (change, {})
    admissions.decide([OTHER], Decision.WITHDRAWN, Admittance.QUARANTINED, WITHDRAW)
    later, news = admissions.since(change)
    assert news == {OTHER.digits: Decision.WITHDRAWN}
    assert later > change
    assert admissions.on(PHONE) == Decided(Decision.ACCEPTED, NOON, "vera")
    assert admissions.on(OTHER) is None
    assert admissions.standing() == {PHONE: Decided(Decision.ACCEPTED, NOON, "vera")}


def test_a_decision_is_shown_before_the_device_calls_again(database: Database) -> None:
    inventory = Inventory(database)
    named = Serial("0090333000b1")
    inventory.save_sightings([_seen(PHONE, Admittance.QUARANTINED), _seen(named, Admittance.KNOWN)])
    Admissions(database).decide([PHONE, OTHER, named], Decision.ACCEPTED, Admittance.ACCEPTED, ACCEPT)
    assert {device.serial: device.admission for device in inventory.devices()} == {
        PHONE: Admittance.ACCEPTED,
        named: Admittance.KNOWN,
    }


def test_what_was_decided_holds_when_the_device_is_forgotten(database: Database) -> None:
    inventory = Inventory(database)
    inventory.save_sightings([_seen(PHONE, Admittance.QUARANTINED)])
    Admissions(database).decide([PHONE], Decision.ACCEPTED, Admittance.ACCEPTED, ACCEPT)
    assert inventory.forget([PHONE], Event(NOON, "vera", Kind.DEVICE_FORGET)) == 1
    assert Admissions(database).on(PHONE) is not None


def test_each_deed_is_in_the_audit(database: Database) -> None:
    many = [Serial(f"{number:012x}") for number in range(1500)]
    assert Admissions(database).decide(many, Decision.REFUSED, Admittance.REFUSED, ACCEPT) == 1500
    assert [entry.subject for entry in Audit(database).entries(9)] == ["500 devices", "1000 devices"]
    Admissions(database).decide([PHONE], Decision.WITHDRAWN, Admittance.SERVED, WITHDRAW)
    entry = Audit(database).entries(1)[0]
    assert (entry.who, entry.kind, entry.subject) == ("olaf", Kind.DEVICE_WITHDRAW, str(PHONE))


def test_of_whom_nothing_is_taken_no_backup_is_expected(database: Database) -> None:
    strangers = [_seen(PHONE, Admittance.QUARANTINED), _seen(OTHER, Admittance.REFUSED)]
    Inventory(database).save_sightings([*strangers, _seen(Serial("0090333000b1"), Admittance.SERVED)])
    deadline = Deadline(timedelta(days=7), NOON + timedelta(days=1), None)
    assert BackupTimeline(database).count_overdue(deadline) == OverdueCounts(never=1)
    assert [device.serial.digits for device in Inventory(database).devices()] == ["0090333000b1"]
