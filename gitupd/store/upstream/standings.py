"""How it stands with repositories that are followed: what a fetch found, and what people decided."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from gitupd.core.snapshot import CommitId
from gitupd.core.upstream.standing import UpstreamStanding
from gitupd.store.audit import append
from gitupd.store.database import storable, upsert
from gitupd.store.upstream.tables import upstreams

if TYPE_CHECKING:
    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_DECIDED = ("accepted", "accepted_by")
_COMMITS = ("head", "refused", "refused_onto", "accepted", "taken")


class UpstreamStandings:
    """One for each repository and branch that was ever followed; each call is a transaction."""

    def __init__(self, database: Database) -> None:
        """Keep them in *database*."""
        self._database = database
        self._save = upsert(upstreams, database.dialect, keep=_DECIDED)
        self._decide = upsert(upstreams, database.dialect, keep=[c.name for c in upstreams.c if c.name not in _DECIDED])

    def of(self, url: str, branch: str) -> UpstreamStanding:
        """Return how it stands with *branch* of the repository at *url*."""
        which = (upstreams.c.url == storable(url), upstreams.c.branch == storable(branch))
        with self._database.connection() as connection:
            row = connection.execute(select(upstreams).where(*which)).mappings().first()
        if row is None:
            return UpstreamStanding(url, branch)
        commits = {name: row[name] and CommitId(row[name]) for name in _COMMITS}
        return UpstreamStanding(**{**row, **commits, "url": url, "branch": branch})

    def save(self, standing: UpstreamStanding) -> None:
        """Remember what a fetch found; what people have decided meanwhile stays."""
        with self._database.connection() as connection:
            connection.execute(self._save, _row(standing))

    def take(self, standing: UpstreamStanding, event: Event) -> None:
        """Remember that our branch is about to be moved, with its entry in the audit."""
        with self._database.connection() as connection:
            connection.execute(self._save, _row(standing))
            append(connection, event)

    def settle(self, standing: UpstreamStanding) -> None:
        """Remember what a fetch found, and that what somebody has accepted is done with."""
        which = (upstreams.c.url == storable(standing.url), upstreams.c.branch == storable(standing.branch))
        with self._database.connection() as connection:
            connection.execute(self._save, _row(standing))
            connection.execute(update(upstreams).where(*which).values(accepted=None, accepted_by=""))

    def accept(self, standing: UpstreamStanding, event: Event) -> None:
        """Remember what somebody has accepted, with the entry in the audit."""
        with self._database.connection() as connection:
            connection.execute(self._decide, _row(standing))
            append(connection, event)


def _row(standing: UpstreamStanding) -> dict[str, Any]:
    return {name: storable(value) for name, value in asdict(standing).items()}
