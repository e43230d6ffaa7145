"""What is remembered of commits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gitupd.core.deployments.record import CommitArrival, CommitRecord, Freeze, Makers
from gitupd.core.deployments.state import CommitState
from gitupd.core.snapshot import CommitId

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)


def test_a_record_is_of_the_commit_that_arrived() -> None:
    arrival = CommitArrival(CommitId("a" * 40), "main", "Change", Makers("Ada"), CommitId("b" * 40))
    assert CommitRecord(1, arrival, _NOON, None, CommitState.SEEN, "", "", _NOON).commit == "a" * 40


def test_a_freeze_holds_until_its_end() -> None:
    later = _NOON + timedelta(hours=1)
    assert Freeze(_NOON, "ada", "holidays", None).holds(later)
    assert Freeze(_NOON, "ada", "holidays", later).holds(_NOON)
    assert not Freeze(_NOON, "ada", "holidays", later).holds(later)
