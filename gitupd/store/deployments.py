"""Which commit is deployed, which ones were, and which must not be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from gitupd.core.deployments.deployment import Block, Deployment
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.store.audit import append
from gitupd.store.commits.seen import note_deployment, note_rollback
from gitupd.store.commits.tables import blocked_commits, deployments
from gitupd.store.commits.word import freeze_in
from gitupd.store.convergence.measures import turn_over
from gitupd.store.database import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from gitupd.core.deployments.record import CommitArrival
    from gitupd.core.people.audit import Event
    from gitupd.core.standing import Yardstick
    from gitupd.store.database import Database

_OVERTAKEN = "another deployment came in between; see gitupd deployments, and try again"


class Deployments:
    """The deployments of a site, which are only ever appended to.

    Each call is a transaction; what somebody decides holds with its entry in the audit or not at all.
    """

    def __init__(self, database: Database) -> None:
        """Keep deployments in *database*."""
        self._database = database
        self._block = upsert(blocked_commits, database.dialect)
        self._live = select(deployments).order_by(deployments.c.id.desc()).limit(1)

    def live(self) -> Deployment | None:
        """Return the deployment that holds now, None if there never was one."""
        with self._database.connection() as connection:
            row = connection.execute(self._live).first()
        return None if row is None else _deployment(row)

    def latest(self, limit: int = 50, before: int | None = None) -> list[Deployment]:
        """Return the latest deployments, newest first; those with an id below *before*, None for all."""
        statement = select(deployments).order_by(deployments.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(deployments.c.id < before)
        with self._database.connection() as connection:
            return [_deployment(row) for row in connection.execute(statement)]

    def made(self, number: int) -> Deployment | None:
        """Return the deployment with this *number*, None if there is none."""
        with self._database.connection() as connection:
            row = connection.execute(select(deployments).where(deployments.c.id == number)).first()
        return None if row is None else _deployment(row)

    def between(self, start: datetime | None, end: datetime | None, limit: int = 50) -> list[Deployment]:
        """Return the deployments from *start* on and before *end*, newest first; None leaves that side open."""
        statement = select(deployments).order_by(deployments.c.id.desc()).limit(limit)
        if start is not None:
            statement = statement.where(deployments.c.at >= start)
        if end is not None:
            statement = statement.where(deployments.c.at < end)
        with self._database.connection() as connection:
            return [_deployment(row) for row in connection.execute(statement)]

    def made_at(self, moments: Collection[datetime]) -> list[Deployment]:
        """Return the deployments that were made at just these *moments*, some hundred at the most."""
        if not moments:
            return []
        statement = select(deployments).where(deployments.c.at.in_(sorted(moments)))
        with self._database.connection() as connection:
            return [_deployment(row) for row in connection.execute(statement)]

    def last_of(self, commit: CommitId, until: datetime) -> Deployment | None:
        """Return the last deployment of *commit* that was made by *until*, None if there is none."""
        of_it = select(deployments).where(deployments.c.commit == commit, deployments.c.at <= until)
        with self._database.connection() as connection:
            row = connection.execute(of_it.order_by(deployments.c.id.desc()).limit(1)).first()
        return None if row is None else _deployment(row)

    def was_deployed(self, commit: CommitId) -> bool:
        """Whether *commit* has ever been deployed."""
        with self._database.connection() as connection:
            statement = select(deployments.c.id).where(deployments.c.commit == commit).limit(1)
            return connection.execute(statement).first() is not None

    def commits(self) -> list[CommitId]:
        """Return the commits that were ever deployed, each once."""
        with self._database.connection() as connection:
            return [CommitId(row.commit) for row in connection.execute(select(deployments.c.commit).distinct())]

    def add(
        self,
        commit: CommitId,
        event: Event,
        *,
        kind: str,
        reason: str = "",
        after: int | None = None,
        block_replaced: bool = False,
        yardstick: Yardstick | None = None,
        commits: Sequence[CommitArrival] = (),
        although_frozen: bool = True,
    ) -> Deployment:
        """Append a deployment and lift what blocks its commit; with *block_replaced* the one it replaces is blocked.

        What becomes of *commits* is noted: of its own, which may not have been seen yet, and of those that come with
        it, or with *block_replaced* go. Unless it is made *although_frozen*, raises SiteError while a freeze that
        somebody has ordered holds.

        It is made by whom and at the time that *event* names, which goes into the audit with it: all of it happens or
        nothing. *after* is the id of the deployment that was live when this was decided, 0 if there was none, and None
        if that doesn't matter; raises SiteError if there is another meanwhile. By *yardstick* it is taken down which
        devices count in it, None to leave that to the keeper.
        """
        at, who = event.at, event.who
        with self._database.connection() as connection:
            row = connection.execute(self._live).first()
            replaced = None if row is None else row.commit
            present = 0 if row is None else row.id
            if after not in (None, present):
                raise SiteError(_OVERTAKEN)
            values = {"commit": commit, "at": at, "who": who, "kind": kind, "reason": reason, "replaced": replaced}
            try:
                key = connection.execute(insert(deployments).values(after=present, **values)).inserted_primary_key
            except IntegrityError as error:
                raise SiteError(_OVERTAKEN) from error
            connection.execute(delete(blocked_commits).where(blocked_commits.c.commit == commit))
            if block_replaced and replaced is not None and replaced != commit:
                connection.execute(self._block, {"commit": replaced, "at": at, "who": who, "reason": reason})
            if not although_frozen and freeze_in(connection, at) is not None:
                raise SiteError("deployments were frozen meanwhile")
            number = 0 if key is None else int(key[0])
            made = Deployment(number, commit, at, who, kind, replaced and CommitId(replaced), reason)
            if yardstick is not None:
                ended = None if row is None else _deployment(row)
                turn_over(connection, ended, replace(yardstick, deployment=number, since=at))
            if block_replaced:
                note_rollback(connection, made, commits)
            note_deployment(connection, made, commits, self._database.dialect)
            append(connection, event)
        return made

    def blocked(self) -> dict[CommitId, str]:
        """Return the commits that must not be deployed, with the reasons."""
        with self._database.connection() as connection:
            return {CommitId(row.commit): row.reason for row in connection.execute(select(blocked_commits))}

    def block(self, commit: CommitId) -> Block | None:
        """Return who has blocked *commit*, None if it is not blocked."""
        with self._database.connection() as connection:
            row = connection.execute(select(blocked_commits).where(blocked_commits.c.commit == commit)).first()
            return None if row is None else Block(row.at, row.who, row.reason)

    def rollbacks(self) -> dict[CommitId, Deployment]:
        """Return by blocked commit the rollback that has blocked it last; of some that is not known."""
        of_it = deployments.c.replaced == blocked_commits.c.commit
        statement = select(deployments).join(blocked_commits, of_it).where(deployments.c.kind == "rollback")
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(deployments.c.id))
            return {CommitId(row.replaced): _deployment(row) for row in rows}

    def unblock(self, commit: CommitId, event: Event) -> bool:
        """Let *commit* be deployed again; return whether it was blocked."""
        with self._database.connection() as connection:
            lifted = connection.execute(delete(blocked_commits).where(blocked_commits.c.commit == commit)).rowcount > 0
            if lifted:
                append(connection, event)
        return lifted


def _deployment(row: Any) -> Deployment:
    return Deployment(row.id, CommitId(row.commit), row.at, row.who, row.kind, row.replaced, row.reason)
