"""What changed of a device, as far as it belongs to its story."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.snapshot import CommitId
from gitupd.core.stories.change import Change, ChangeKind, changes

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=15)
A, B = CommitId("a" * 40), CommitId("b" * 40)
BEFORE = Device(
    Serial("0090333000af"),
    hardware_id="IP222-30-00-af",
    key="1" * 64,
    model="IP222",
    own_name="Desk 1",
    address="10.0.0.7",
    environments=("berlin", "intranet"),
    phase="staging",
    firmware="134250",
    bootcode="131286",
    last_seen=NOON,
    sent=A,
    sent_at=NOON,
    snippets=("snippets/all-all-all.txt",),
)


def test_each_fact_that_changed_is_told_with_what_it_was() -> None:
    after = replace(
        BEFORE,
        hardware_id="IP222-30-00-b0",
        key="2" * 64,
        model="IP232",
        given_name="Lobby",
        address="10.0.1.7",
        environments=("munich",),
        phase="update",
        firmware="137213",
        bootcode="137213",
        firmware_wanted="137213",
        bootcode_wanted="137213",
        last_seen=LATER,
    )
    assert list(changes(BEFORE, after)) == [
        Change(LATER, ChangeKind.TYPE, "IP222", "IP232"),
        Change(LATER, ChangeKind.HARDWARE, "IP222-30-00-af", "IP222-30-00-b0"),
        Change(LATER, ChangeKind.KEY, "1" * 64, "2" * 64),
        Change(LATER, ChangeKind.NAME, "Desk 1", "Lobby"),
        Change(LATER, ChangeKind.ADDRESS, "10.0.0.7", "10.0.1.7"),
        Change(LATER, ChangeKind.ENVIRONMENTS, "berlin intranet", "munich"),
        Change(LATER, ChangeKind.PHASE, "staging", "update"),
        Change(LATER, ChangeKind.FIRMWARE_WANTED, None, "137213"),
        Change(LATER, ChangeKind.BOOTCODE_WANTED, None, "137213"),
        Change(LATER, ChangeKind.FIRMWARE, "134250", "137213"),
        Change(LATER, ChangeKind.BOOTCODE, "131286", "137213"),
    ]


def test_what_is_not_known_any_more_is_no_news() -> None:
    assert list(changes(BEFORE, replace(BEFORE, address=None, environments=(), last_seen=LATER))) == []
    assert list(changes(BEFORE, replace(BEFORE, last_seen=None, address="10.0.1.7"))) == []


def test_what_it_was_sent_and_confirmed_is_told_once_for_each_commit_and_phase() -> None:
    sent = Change(NOON, ChangeKind.SENT, now="1", commit=A)
    assert list(changes(None, BEFORE)) == [sent], "of a new device, all that it is is no change"
    assert list(changes(BEFORE, replace(BEFORE, sent_at=LATER, last_seen=LATER))) == [], "the same once more"
    other = replace(BEFORE, sent=B, sent_at=LATER, last_seen=LATER)
    assert list(changes(BEFORE, other)) == [Change(LATER, ChangeKind.SENT, now="1", commit=B)]
    confirmed = replace(other, confirmed=B, confirmed_at=LATER)
    assert list(changes(other, confirmed)) == [Change(LATER, ChangeKind.CONFIRMED, commit=B)]
    assert list(changes(confirmed, replace(confirmed, confirmed_at=NOON))) == []
    next_phase = replace(confirmed, phase="update")
    assert [each.kind for each in changes(confirmed, next_phase)] == [ChangeKind.PHASE, ChangeKind.CONFIRMED]
    undated = replace(confirmed, sent=A, sent_at=None, confirmed=A, confirmed_at=None)
    assert {each.at for each in changes(confirmed, undated)} == {LATER}
    assert list(changes(None, replace(BEFORE, sent=None))) == []
