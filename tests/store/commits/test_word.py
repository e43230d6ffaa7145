"""Approvals, and the freeze, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.deployments.record import CommitApproval, Freeze
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.store.audit import Audit
from gitupd.store.commits import word
from gitupd.store.commits.word import Approvals, Freezes

if TYPE_CHECKING:
    import pytest

    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
A, B = (CommitId(letter * 40) for letter in "ab")


def test_approvals_are_of_one_commit_and_once_of_each_person(database: Database) -> None:
    approvals = Approvals(database)
    again = CommitApproval(A, "ada", LATER, "looked again")
    for approval in (CommitApproval(A, "ada", NOON), CommitApproval(A, "bob", NOON), again):
        approvals.add(approval, Event(approval.at, approval.who, Kind.APPROVE, A))
    assert approvals.of(A) == [CommitApproval(A, "bob", NOON), again]
    assert approvals.of(B) == []
    assert [entry.kind for entry in Audit(database).entries(10)] == ["approve"] * 3


def test_the_oldest_approvals_are_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word, "_MOST_APPROVALS", 1)
    for commit in (A, B):
        Approvals(database).add(CommitApproval(commit, "ada", NOON), Event(NOON, "ada", Kind.APPROVE, commit))
    assert (Approvals(database).of(A), len(Approvals(database).of(B))) == ([], 1)


def test_a_freeze_holds_until_its_end_or_until_it_is_lifted(database: Database) -> None:
    freezes = Freezes(database)
    order, lifting = Event(NOON, "ada", Kind.FREEZE), Event(NOON, "bob", Kind.UNFREEZE)
    assert freezes.current(NOON) is None
    assert not freezes.lift(lifting)
    bounded, endless = Freeze(NOON, "ada", "holidays", LATER), Freeze(NOON, "bob", "phones are silent", None)
    freezes.put(bounded, order)
    assert (freezes.current(NOON), freezes.current(LATER)) == (bounded, None)
    freezes.put(endless, order)
    assert freezes.current(LATER) == endless
    assert freezes.lift(lifting)
    assert freezes.current(NOON) is None
    assert [entry.kind for entry in Audit(database).entries(10)] == ["unfreeze", "freeze", "freeze"]
