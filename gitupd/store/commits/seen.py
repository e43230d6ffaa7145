"""Commits of the followed branch: when each was seen, what was found of it, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from gitupd.core.deployments.record import OPEN_STATES, CommitArrival, CommitRecord, Makers
from gitupd.core.deployments.state import CommitState
from gitupd.core.snapshot import CommitId
from gitupd.store.commits.tables import approvals, seen_commits
from gitupd.store.database import dialect_insert, storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.deployments.decision import Ruling
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.store.database import Database

MOST_KEPT = 1_000
"""So many of the latest commits are remembered."""
LONGEST_REASON = 2_000
_LONGEST_TEXT = 200
_ARRIVED = "it has just arrived"


class SeenCommits:
    """The latest commits that were seen; each call is a transaction."""

    def __init__(self, database: Database) -> None:
        """Keep commits in *database*."""
        self._database = database
        self._insert = dialect_insert(seen_commits, database.dialect).on_conflict_do_nothing(index_elements=["commit"])

    def of(self, commit: CommitId) -> CommitRecord | None:
        """Return what is remembered of *commit*, None if it was not seen, or long ago."""
        with self._database.connection() as connection:
            row = connection.execute(select(seen_commits).where(seen_commits.c.commit == commit)).first()
        return None if row is None else _record(row)

    def some(self, commits: Sequence[CommitId]) -> dict[CommitId, CommitRecord]:
        """Return what is remembered of *commits*, a few hundred at the most."""
        statement = select(seen_commits).where(seen_commits.c.commit.in_(commits))
        with self._database.connection() as connection:
            return {CommitId(row.commit): _record(row) for row in connection.execute(statement)}

    def latest(self, limit: int, before: int | None = None, states: Sequence[CommitState] = ()) -> list[CommitRecord]:
        """Return the latest commits, the last one first: with an id below *before*, and in one of *states* if any."""
        statement = select(seen_commits).order_by(seen_commits.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(seen_commits.c.id < before)
        if states:
            statement = statement.where(seen_commits.c.state.in_([state.value for state in states]))
        with self._database.connection() as connection:
            return [_record(row) for row in connection.execute(statement)]

    def counts(self) -> dict[CommitState, int]:
        """Return how many of the remembered commits are in which state."""
        statement = select(seen_commits.c.state, func.count()).group_by(seen_commits.c.state)
        with self._database.connection() as connection:
            found = {CommitState(state): count for state, count in connection.execute(statement)}
        return {state: found.get(state, 0) for state in CommitState}

    def note(self, arrivals: Sequence[CommitArrival], now: datetime) -> None:
        """Note that commits arrived *now*, the oldest first, the head last; what was seen before stays as it is.

        Whatever else is still to be deployed is no longer at the head. The oldest are forgotten if there are many.
        """
        head = arrivals[-1].commit
        with self._database.connection() as connection:
            for arrival in arrivals:
                connection.execute(self._insert.values(**_row(arrival, now)))
            others = (
                seen_commits.c.state.in_([state.value for state in OPEN_STATES]),
                seen_commits.c.commit != head,
                seen_commits.c.reason != _behind(head),
            )
            values = {"state": CommitState.SEEN.value, "reason": _behind(head), "who": "", "at": now}
            connection.execute(update(seen_commits).where(*others).values(**values))
            _forget_oldest(connection)

    def count_from(self, commit: CommitId, since: datetime) -> None:
        """Let the grace of *commit* count from *since*."""
        with self._database.connection() as connection:
            connection.execute(update(seen_commits).where(seen_commits.c.commit == commit).values(since=since))

    def count_anew(self) -> None:
        """Let the grace of what waits be counted anew: nobody knows how long it has waited by the clock of before."""
        open_states = [state.value for state in OPEN_STATES]
        with self._database.connection() as connection:
            connection.execute(update(seen_commits).where(seen_commits.c.state.in_(open_states)).values(since=None))

    def settle(self, record: CommitRecord, decision: Ruling, now: datetime) -> bool:
        """Write down what was decided on a commit, if that is news by *record*; return whether it is.

        What was deployed or rolled back meanwhile stays so.
        """
        reason = _bounded(decision.reason, LONGEST_REASON)
        if (record.state, record.reason, record.who) == (decision.state, reason, decision.who):
            return False
        unchanged = (seen_commits.c.commit == record.commit, seen_commits.c.state == record.state.value)
        values = {"state": decision.state.value, "reason": reason, "who": decision.who, "at": now}
        with self._database.connection() as connection:
            return connection.execute(update(seen_commits).where(*unchanged).values(**values)).rowcount > 0

    def checked(self, commit: CommitId, checks: str) -> None:
        """Write down what came out when *commit* was checked."""
        self._write(commit, checks=_bounded(checks, LONGEST_REASON))

    def signed(self, signatures: Mapping[CommitId, str]) -> None:
        """Write down by whom commits are signed, or what is wrong with that."""
        with self._database.connection() as connection:
            for commit, said in signatures.items():
                is_it = seen_commits.c.commit == commit
                connection.execute(update(seen_commits).where(is_it).values(signature=_bounded(said, LONGEST_REASON)))

    def planned(self, commit: CommitId, plan: Mapping[str, Any]) -> None:
        """Write down what *commit* would change, in numbers."""
        self._write(commit, plan=dict(plan))

    def _write(self, commit: CommitId, **values: Any) -> None:
        with self._database.connection() as connection:
            connection.execute(update(seen_commits).where(seen_commits.c.commit == commit).values(**values))


def note_deployment(
    connection: Connection, deployment: Deployment, commits: Sequence[CommitArrival], dialect: str
) -> None:
    """Note within a transaction that a commit is deployed, with those of *commits* that were still to be."""
    insertion = dialect_insert(seen_commits, dialect).on_conflict_do_nothing(index_elements=["commit"])
    for arrival in commits:
        if arrival.commit == deployment.commit:
            connection.execute(insertion.values(**_row(arrival, deployment.at)))
    reason = deployment.reason or ("by itself" if deployment.kind == "automatic" else "by hand")
    values = {"state": CommitState.DEPLOYED.value, "who": deployment.who, "at": deployment.at}
    is_it = seen_commits.c.commit == deployment.commit
    connection.execute(update(seen_commits).where(is_it).values(reason=_bounded(reason, LONGEST_REASON), **values))
    others = [arrival.commit for arrival in commits if arrival.commit != deployment.commit]
    still_open = seen_commits.c.state.in_([state.value for state in OPEN_STATES])
    with_it = update(seen_commits).where(seen_commits.c.commit.in_(others), still_open)
    connection.execute(with_it.values(reason=f"with {deployment.commit[:12]}", **values))
    connection.execute(delete(approvals).where(approvals.c.commit.in_([deployment.commit, *others])))


def note_rollback(connection: Connection, deployment: Deployment, commits: Sequence[CommitArrival]) -> None:
    """Note within a transaction that *commits* but the one that is deployed now were rolled back."""
    gone = [arrival.commit for arrival in commits if arrival.commit != deployment.commit]
    why = f": {deployment.reason}" if deployment.reason else ""
    reason = _bounded(f"back to {deployment.commit[:12]}{why}", LONGEST_REASON)
    values = {"state": CommitState.ROLLED_BACK.value, "reason": reason, "who": deployment.who, "at": deployment.at}
    connection.execute(update(seen_commits).where(seen_commits.c.commit.in_(gone)).values(**values))


def _row(arrival: CommitArrival, now: datetime) -> dict[str, Any]:
    makers = arrival.makers
    return {
        "commit": arrival.commit,
        "branch": _bounded(arrival.branch),
        "subject": _bounded(arrival.subject),
        "author": _bounded(makers.author),
        "committer": _bounded(makers.committer),
        "pusher": _bounded(makers.pusher),
        "came_with": arrival.came_with,
        "arrived": now,
        "since": now,
        "state": CommitState.SEEN.value,
        "reason": _ARRIVED if arrival.commit == arrival.came_with else _behind(arrival.came_with),
        "who": "",
        "at": now,
        "checks": "",
        "signature": "",
    }


def _behind(head: CommitId) -> str:
    return f"{head[:12]} is at the head of the branch"


def _forget_oldest(connection: Connection) -> None:
    newest = select(seen_commits.c.id).order_by(seen_commits.c.id.desc()).limit(1).offset(MOST_KEPT)
    if (oldest := connection.execute(newest).scalar()) is not None:
        connection.execute(delete(seen_commits).where(seen_commits.c.id <= oldest))


def _bounded(text: str, longest: int = _LONGEST_TEXT) -> str:
    text = "".join(letter if letter.isprintable() else " " for letter in str(storable(text[: longest + 1])))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _record(row: Any) -> CommitRecord:
    makers = Makers(row.author, row.committer, row.pusher)
    arrival = CommitArrival(CommitId(row.commit), row.branch, row.subject, makers, CommitId(row.came_with))
    return CommitRecord(
        row.id,
        arrival,
        row.arrived,
        row.since,
        CommitState(row.state),
        row.reason,
        row.who,
        row.at,
        row.checks,
        row.signature,
        row.plan,
    )
