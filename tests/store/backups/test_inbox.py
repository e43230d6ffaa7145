"""The inbox of backups and what was kept last of each device, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.backups.change import Delta, Fingerprint
from gitupd.core.backups.version import BackupVersion
from gitupd.core.caller import Serial
from gitupd.core.snapshot import CommitId
from gitupd.errors import GitupdError
from gitupd.store.backups.inbox import BackupInbox, Doubted, Incoming, Last, SeenAgain
from gitupd.store.backups.index import BackupIndex
from gitupd.store.database import Database

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
ONE, OTHER, THIRD = Serial("0090333000af"), Serial("0090333000ae"), Serial("0090333000ad")


@pytest.fixture
def inbox(database: Database) -> BackupInbox:
    return BackupInbox(database)


def incoming(key: str, serial: Serial = ONE, *, length: int = 100, received: datetime = NOON) -> Incoming:
    """Return a version that has its *key* as its fingerprint, too."""
    return Incoming(key, serial, received, Fingerprint(key), length, {}, b"")


def indexed(key: str, serial: Serial) -> BackupVersion:
    return BackupVersion(serial, NOON, CommitId(key * 40), "b" * 40, Fingerprint(key), 9, 3, Delta(3, 0), {})


def keys(found: list[Incoming]) -> list[str]:
    return [each.key for each in found]


def test_when_a_device_was_seen_never_turns_back(inbox: BackupInbox) -> None:
    inbox.save([incoming("a"), incoming("o", OTHER)])
    inbox.save([SeenAgain(ONE, LATER)])
    inbox.save([SeenAgain(ONE, NOON + timedelta(minutes=1))])  # it was written down late
    heads = inbox.heads([ONE, OTHER, THIRD])
    assert {serial: (head.fingerprint, head.received, head.seen) for serial, head in heads.items()} == {
        ONE: ("a", NOON, LATER),
        OTHER: ("o", NOON, NOON),
    }


def test_a_doubt_lasts_until_it_is_taken_back_or_a_version_is_kept(inbox: BackupInbox) -> None:
    inbox.save([incoming("a"), Doubted(ONE, Fingerprint("short"))])
    assert inbox.last([ONE]) == {ONE: Last(Fingerprint("a"), 100, Fingerprint("short"))}
    inbox.save([SeenAgain(ONE, LATER), Doubted(ONE, None)])
    assert inbox.last([ONE])[ONE].doubtful is None
    inbox.save([Doubted(ONE, Fingerprint("x")), Doubted(ONE, Fingerprint("short"))])
    assert inbox.last([ONE])[ONE].doubtful == "short"
    inbox.save([incoming("b", length=50)])
    assert inbox.last([ONE, OTHER]) == {ONE: Last(Fingerprint("b"), 50)}
    inbox.save([Doubted(ONE, Fingerprint("short")), incoming("c")])
    assert inbox.last([ONE])[ONE].doubtful is None


def test_the_oldest_come_first_as_many_as_there_is_room_for(inbox: BackupInbox) -> None:
    assert (inbox.waiting(9, 9), inbox.oldest(), inbox.count()) == ([], None, 0)
    inbox.save([incoming("a", length=1000)])
    inbox.save([incoming("b", OTHER, received=LATER), incoming("c", THIRD, received=LATER)])
    inbox.save([incoming("d", received=LATER)])
    assert keys(inbox.waiting(9, 10_000)) == ["a", "b", "c", "d"]
    assert keys(inbox.waiting(3, 10_000)) == ["a", "b", "c"]
    assert keys(inbox.waiting(9, 1_200)) == ["a", "b", "c"]
    assert keys(inbox.waiting(9, 1)) == ["a"], "even one that is larger than all that is wanted"
    assert (inbox.oldest(), inbox.count(), inbox.keys()) == (NOON, 4, frozenset("abcd"))


def test_a_lost_version_is_forgotten_but_not_what_came_behind_it(inbox: BackupInbox) -> None:
    lost = incoming("a"), incoming("o", OTHER)
    inbox.save([*lost, incoming("b")])
    inbox.give_up(lost)
    assert keys(inbox.waiting(9, 999)) == ["b"]
    assert {serial: last.fingerprint for serial, last in inbox.last([ONE, OTHER]).items()} == {ONE: "b"}


def test_what_is_neither_in_the_history_nor_on_its_way_there_is_forgotten(database: Database) -> None:
    inbox, index = BackupInbox(database), BackupIndex(database)
    inbox.save([incoming("a"), incoming("b", OTHER), incoming("c", THIRD)])
    index.add([indexed("a", ONE), indexed("b", OTHER), indexed("d", OTHER)], ["a", "b"])
    assert inbox.forget_heads() == 1
    assert set(inbox.last([ONE, OTHER, THIRD])) == {ONE, THIRD}, "what the other one had last is in the history as well"
    assert inbox.forget_heads() == 0


def test_servers_that_write_about_the_same_devices_at_once_do_not_stop_each_other(inbox: BackupInbox) -> None:
    serials = [Serial(f"00903340{number:04x}") for number in range(300)]
    failures: list[GitupdError] = []

    def save(name: str, order: list[Serial]) -> None:
        try:
            for number in range(5):
                inbox.save([incoming(f"{name}{number}-{serial.digits}", serial) for serial in order])
                inbox.save([SeenAgain(serial, LATER) for serial in order])
                inbox.save([Doubted(serial, Fingerprint(name)) for serial in order])
        except GitupdError as error:
            failures.append(error)

    threads = [threading.Thread(target=save, args=each) for each in (("a", serials), ("b", serials[::-1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, inbox.count()) == ([], 3_000)
