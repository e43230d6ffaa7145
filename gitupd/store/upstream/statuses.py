"""What the host of the upstream was told of commits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from gitupd.core.snapshot import CommitId
from gitupd.core.upstream.status import StatusState
from gitupd.store.database import storable, upsert
from gitupd.store.upstream.tables import commit_statuses

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.upstream.status import CommitStatus
    from gitupd.store.database import Database

_MOST_KEPT = 200
_MOST_PENDING = 20


@dataclass(frozen=True, slots=True)
class ToldStatus:
    """What a host was to be told of ``commit``, and whether it was ``told``, after how many ``tries``."""

    commit: CommitId
    state: str = ""
    description: str = ""
    told: bool = False
    tries: int = 0
    at: datetime | None = None

    def is_about(self, status: CommitStatus) -> bool:
        """Whether it is *status* that was to be told."""
        return (self.state, self.description) == (status.state, status.description)


class CommitStatuses:
    """What was told of the latest commits; each call is a transaction."""

    def __init__(self, database: Database) -> None:
        """Keep it in *database*."""
        self._database = database
        self._save = upsert(commit_statuses, database.dialect)

    def of(self, commit: CommitId) -> ToldStatus | None:
        """Return what was told of *commit*, None if nothing was."""
        with self._database.connection() as connection:
            row = connection.execute(select(commit_statuses).where(commit_statuses.c.commit == commit)).first()
        if row is None:
            return None
        return ToldStatus(CommitId(row.commit), row.state, row.description, told=row.told, tries=row.tries, at=row.at)

    def pending(self) -> list[CommitId]:
        """Return the latest commits of which was told that they wait."""
        columns = commit_statuses.c
        wanted = select(columns.commit).where(columns.state == StatusState.PENDING.value).order_by(columns.at.desc())
        with self._database.connection() as connection:
            return [CommitId(row.commit) for row in connection.execute(wanted.limit(_MOST_PENDING))]

    def save(self, status: ToldStatus) -> None:
        """Remember what was told; of the oldest commits, it is forgotten."""
        columns = commit_statuses.c
        old = select(columns.commit).order_by(columns.at.desc()).offset(_MOST_KEPT)
        with self._database.connection() as connection:
            connection.execute(self._save, {name: storable(value) for name, value in asdict(status).items()})
            gone = [row.commit for row in connection.execute(old)]
            if gone:
                connection.execute(delete(commit_statuses).where(columns.commit.in_(gone)))
