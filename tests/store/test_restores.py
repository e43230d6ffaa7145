"""Restores as they are remembered, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.backups.change import Fingerprint
from gitupd.core.backups.restore import Pending, Restore, RestoreState
from gitupd.core.caller import Serial
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.store.audit import Audit
from gitupd.store.database import Database
from gitupd.store.restores import Restores, Wish

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER, LATEST = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)
ONE, OTHER = Serial("0090333000af"), Serial("0090333000b0")
COMMIT = CommitId("c" * 40)
EVENT = Event(NOON, "ada", Kind.RESTORE, str(ONE), "to cccc")


def wish(token: str, serial: Serial = ONE) -> Wish:
    return Wish(serial, COMMIT, token, Fingerprint("f" * 64), NOON, "ada")


def test_a_restore_from_its_beginning_to_its_end(database: Database) -> None:
    restores = Restores(database)
    asked = restores.ask(wish("one"), EVENT)
    first = Restore(
        asked.id, ONE, COMMIT, "one", Fingerprint("f" * 64), NOON, "ada", None, None, None, RestoreState.ASKED, ""
    )
    assert asked == first == restores.unfetched("one")
    assert restores.pending() == {ONE.digits: Pending(asked.id, "one")}
    assert restores.unfetched("two") is None
    restores.note_sent([(asked.id, LATER), (asked.id, LATEST), (99, LATER)])
    restores.note_sent([])
    (sent,) = restores.open()
    assert (sent.state, sent.sent) == (RestoreState.SENT, LATER)
    assert restores.fetch(asked.id, LATER)
    assert not restores.fetch(asked.id, LATEST)
    assert restores.pending() == {}
    assert restores.unfetched("one") is None
    assert not restores.cancel(ONE, EVENT)
    assert (restores.of(ONE)[0].state, restores.of(ONE)[0].fetched) == (RestoreState.FETCHED, LATER)
    assert restores.close(asked.id, LATEST, RestoreState.DIFFERS, "1 line differs")
    assert not restores.close(asked.id, LATEST, RestoreState.RESTORED, "")
    assert restores.open() == []
    (done,) = restores.newest()
    assert (done.state, done.done, done.detail) == (RestoreState.DIFFERS, LATEST, "1 line differs")


def test_at_most_one_is_open_for_a_device(database: Database) -> None:
    restores = Restores(database)
    first, second, third = (restores.ask(wish(name), EVENT) for name in ("one", "two", "three"))
    other = restores.ask(wish("other", OTHER), EVENT)
    assert [each.id for each in restores.open()] == [third.id, other.id]
    assert [each.id for each in restores.of(ONE, 2)] == [third.id, second.id]
    assert not restores.fetch(first.id, NOON)
    assert restores.cancel(OTHER, EVENT)
    assert not restores.cancel(OTHER, EVENT)
    assert restores.pending() == {ONE.digits: Pending(third.id, "three")}


def test_of_many_who_ask_at_once_one_is_open(database: Database) -> None:
    restores, refused = Restores(database), []

    def ask(number: int) -> None:
        try:
            restores.ask(wish(f"token {number}"), EVENT)
        except SiteError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(restores.open()) == 1
    assert len(restores.newest()) + len(refused) == 8
    assert len(Audit(database).entries(20)) == len(restores.newest()), "what was refused did not happen"
    assert all("at this moment" in each for each in refused)
