"""What people say of deployments before they happen: approvals of commits, and the freeze of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from gitupd.core.deployments.record import CommitApproval, Freeze
from gitupd.core.snapshot import CommitId
from gitupd.store.audit import append
from gitupd.store.commits.tables import approvals, freezes
from gitupd.store.database import upsert

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_MOST_APPROVALS = 1_000


class Approvals:
    """Who has approved which commit; each word is a transaction, with its entry in the audit."""

    def __init__(self, database: Database) -> None:
        """Keep approvals in *database*."""
        self._database = database

    def of(self, commit: CommitId) -> list[CommitApproval]:
        """Return the approvals of *commit*, the oldest first."""
        statement = select(approvals).where(approvals.c.commit == commit).order_by(approvals.c.id)
        with self._database.connection() as connection:
            rows = connection.execute(statement)
            return [CommitApproval(CommitId(row.commit), row.who, row.at, row.reason) for row in rows]

    def add(self, approval: CommitApproval, event: Event) -> None:
        """Note an *approval*; of somebody who has approved the commit before, the later one counts."""
        same = (approvals.c.commit == approval.commit, approvals.c.who == approval.who)
        values = {"commit": approval.commit, "who": approval.who, "at": approval.at, "reason": approval.reason}
        newest = select(approvals.c.id).order_by(approvals.c.id.desc()).limit(1).offset(_MOST_APPROVALS)
        with self._database.connection() as connection:
            connection.execute(delete(approvals).where(*same))
            connection.execute(insert(approvals).values(**values))
            if (oldest := connection.execute(newest).scalar()) is not None:
                connection.execute(delete(approvals).where(approvals.c.id <= oldest))
            append(connection, event)


class Freezes:
    """The freeze that somebody has ordered, if there is one; each order is a transaction, with its audit entry."""

    def __init__(self, database: Database) -> None:
        """Keep the freeze in *database*."""
        self._database = database
        self._put = upsert(freezes, database.dialect)

    def current(self, now: datetime) -> Freeze | None:
        """Return the freeze that holds *now*, None if none does."""
        with self._database.connection() as connection:
            return freeze_in(connection, now)

    def put(self, freeze: Freeze, event: Event) -> None:
        """Have *freeze* hold, in the place of one that holds already."""
        values = {"id": 1, "at": freeze.at, "who": freeze.who, "reason": freeze.reason, "until": freeze.until}
        with self._database.connection() as connection:
            connection.execute(self._put, values)
            append(connection, event)

    def lift(self, event: Event) -> bool:
        """Lift the freeze; return whether one held at the time of *event*."""
        with self._database.connection() as connection:
            held = freeze_in(connection, event.at) is not None
            connection.execute(delete(freezes))
            if held:
                append(connection, event)
        return held


def freeze_in(connection: Connection, now: datetime) -> Freeze | None:
    """Return the freeze that holds *now*, as a transaction sees it."""
    row: Any = connection.execute(select(freezes)).first()
    freeze = None if row is None else Freeze(row.at, row.who, row.reason, row.until)
    return freeze if freeze is not None and freeze.holds(now) else None
