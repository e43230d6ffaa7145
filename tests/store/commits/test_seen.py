"""Commits that were seen, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.decision import Ruling
from gitupd.core.deployments.record import CommitArrival, CommitRecord, Freeze, Makers
from gitupd.core.deployments.state import CommitState
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.store.commits import seen
from gitupd.store.commits.seen import SeenCommits
from gitupd.store.commits.word import Freezes
from gitupd.store.deployments import Deployments

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
A, B, C, D = (CommitId(letter * 40) for letter in "abcd")
ADA = Makers("Ada <ada@example.org>", "Ada <ada@example.org>", "ada")


def _arrival(commit: CommitId, head: CommitId | None = None) -> CommitArrival:
    return CommitArrival(commit, "main", f"Change {commit[0]}", ADA, head or commit)


def _of(commits: SeenCommits, commit: CommitId) -> CommitRecord:
    record = commits.of(commit)
    assert record is not None
    return record


def _states(commits: SeenCommits) -> dict[str, tuple[str, str, str]]:
    return {each.commit[0]: (each.state.value, each.reason, each.who) for each in commits.latest(10)}


def test_a_commit_is_remembered_as_it_arrived_and_once(database: Database) -> None:
    commits = SeenCommits(database)
    assert commits.of(A) is None
    commits.note([_arrival(A)], NOON)
    commits.note([_arrival(A)], LATER)
    assert commits.latest(10) == [
        CommitRecord(1, _arrival(A), NOON, NOON, CommitState.SEEN, "it has just arrived", "", NOON)
    ]
    assert commits.some([A, B]) == {A: _of(commits, A)}


def test_what_came_before_goes_with_the_head_unless_something_is_wrong_with_it(database: Database) -> None:
    commits = SeenCommits(database)
    commits.note([_arrival(A)], NOON)
    commits.settle(_of(commits, A), Ruling(CommitState.INVALID, "no phase", "errors"), NOON)
    commits.note([_arrival(B)], NOON)
    commits.settle(_of(commits, B), Ruling(CommitState.FROZEN, "it is Friday", "doubtful", "ada"), NOON)
    commits.note([_arrival(C, D), _arrival(D)], LATER)
    behind = f"{D[:12]} is at the head of the branch"
    assert _states(commits) == {
        "d": ("seen", "it has just arrived", ""),
        "c": ("seen", behind, ""),
        "b": ("seen", behind, ""),
        "a": ("invalid", "no phase", ""),
    }
    assert _of(commits, B).at == LATER
    assert [each.commit for each in commits.latest(10, before=3)] == [B, A]
    assert [each.commit for each in commits.latest(10, states=(CommitState.INVALID,))] == [A]
    assert {state.value: count for state, count in commits.counts().items() if count} == {"seen": 3, "invalid": 1}


def test_what_was_decided_is_written_once_and_not_over_what_came_in_between(database: Database) -> None:
    commits, frozen = SeenCommits(database), Ruling(CommitState.FROZEN, "it is Friday", "doubtful", "ada")
    commits.note([_arrival(A)], NOON)
    before = _of(commits, A)
    assert commits.settle(before, frozen, LATER)
    assert not commits.settle(_of(commits, A), frozen, LATER + timedelta(minutes=1))
    assert not commits.settle(before, Ruling(CommitState.REFUSED, "it is odd", "doubtful"), LATER)
    after = _of(commits, A)
    assert (after.state, after.reason, after.who, after.at) == (CommitState.FROZEN, "it is Friday", "ada", LATER)


def test_what_is_found_of_a_commit_is_kept_with_it(database: Database) -> None:
    commits = SeenCommits(database)
    commits.note([_arrival(A)], NOON)
    commits.checked(A, "no error, 1 warning")
    commits.signed({A: "by ada@example.org\n" + "x" * 5_000})
    commits.planned(A, {"changed": 412})
    record = _of(commits, A)
    assert (record.checks, record.plan, len(record.signature)) == ("no error, 1 warning", {"changed": 412}, 2_000)
    assert record.signature.startswith("by ada@example.org xxx")


def test_the_grace_is_counted_anew_for_what_waits(database: Database) -> None:
    commits = SeenCommits(database)
    commits.note([_arrival(A)], NOON)
    commits.count_anew()
    assert (_of(commits, A).since, _of(commits, A).arrived) == (None, NOON)
    commits.count_from(A, LATER)
    assert _of(commits, A).since == LATER


def test_a_deployment_and_a_rollback_are_noted_with_it(database: Database) -> None:
    commits, deployments = SeenCommits(database), Deployments(database)
    commits.note([_arrival(A), _arrival(B, C), _arrival(C)], NOON)
    deployments.add(A, Event(NOON, "ada", Kind.DEPLOY), kind="deploy", commits=[_arrival(A)])
    deployments.add(C, Event(NOON, "gitupd", Kind.DEPLOY), kind="automatic", commits=[_arrival(B, C), _arrival(C)])
    deployments.add(D, Event(NOON, "ada", Kind.DEPLOY), kind="deploy", reason="now", commits=[_arrival(D)])
    assert _states(commits) == {
        "d": ("deployed", "now", "ada"),
        "c": ("deployed", "by itself", "gitupd"),
        "b": ("deployed", f"with {C[:12]}", "gitupd"),
        "a": ("deployed", "by hand", "ada"),
    }
    back = Event(LATER, "bob", Kind.ROLLBACK)
    made = deployments.add(
        A, back, kind="rollback", reason="wrong", block_replaced=True, commits=list(map(_arrival, (D, C, B, A)))
    )
    gone = ("rolled back", f"back to {A[:12]}: wrong", "bob")
    assert _states(commits) == {"d": gone, "c": gone, "b": gone, "a": ("deployed", "wrong", "bob")}
    assert deployments.rollbacks() == {D: made}


def test_a_freeze_that_comes_in_between_holds(database: Database) -> None:
    deployments = Deployments(database)
    Freezes(database).put(Freeze(NOON, "ada", "holidays", LATER), Event(NOON, "ada", Kind.FREEZE))
    with pytest.raises(SiteError, match="frozen meanwhile"):
        deployments.add(A, Event(NOON, "ada", Kind.DEPLOY), kind="deploy", although_frozen=False)
    assert deployments.live() is None
    deployments.add(A, Event(LATER, "ada", Kind.DEPLOY), kind="deploy", although_frozen=False)


def test_the_oldest_are_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MOST_KEPT", 2)
    commits = SeenCommits(database)
    commits.note([_arrival(A, D), _arrival(B, D), _arrival(C, D), _arrival(D)], NOON)
    assert [each.commit for each in commits.latest(10)] == [D, C]


def test_hostile_texts_are_bounded(database: Database) -> None:
    commits = SeenCommits(database)
    makers = Makers("x" * 10_000, "\0\ud800\n", "p" * 300)
    commits.note([CommitArrival(A, "main", "s\x1b[31m" * 1_000, makers, A)], NOON)
    arrival = _of(commits, A).arrival
    assert [len(text) for text in (arrival.subject, arrival.makers.author, arrival.makers.pusher)] == [200] * 3
    assert arrival.makers.committer.isprintable()
