"""Restores: which device is to go back to which version of its configuration, and how far that has come."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, insert, select, update
from sqlalchemy.exc import IntegrityError

from gitupd.core.backups.change import Fingerprint
from gitupd.core.backups.restore import Pending, Restore, RestoreState
from gitupd.core.caller import Serial
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.store.audit import append
from gitupd.store.tables import restores

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_OPEN = restores.c.done.is_(None)
_UNFETCHED = and_(_OPEN, restores.c.fetched.is_(None))


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: ``expected`` is the fingerprint of the version that ``commit`` brought."""

    serial: Serial
    commit: CommitId
    token: str = field(repr=False)
    expected: Fingerprint
    asked: datetime
    who: str


class Restores:
    """The restores of a site, at most one of them open for each device; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep restores in *database*."""
        self._database = database
        self._pending = select(restores.c.serial, restores.c.id, restores.c.token).where(_UNFETCHED)
        state = case((restores.c.state == RestoreState.ASKED, RestoreState.SENT), else_=restores.c.state)
        first = and_(restores.c.id == bindparam("number"), restores.c.sent.is_(None))
        self._sent = update(restores).where(first).values(sent=bindparam("at"), state=state)

    def ask(self, wish: Wish, event: Event) -> Restore:
        """Open a restore in place of the one that is open for the device, if any; *event* goes into the audit with it.

        Raises SiteError if somebody else asks at the same moment.
        """
        row = {**asdict(wish), "serial": wish.serial.digits, "state": RestoreState.ASKED, "detail": ""}
        gone = {"done": wish.asked, "state": RestoreState.CANCELLED, "detail": "replaced by another restore"}
        with self._database.connection() as connection:
            present = and_(_OPEN, restores.c.serial == wish.serial.digits)
            replaced = connection.execute(update(restores).where(present).values(**gone)).rowcount
            try:
                key = connection.execute(insert(restores).values(**row)).inserted_primary_key
            except IntegrityError as error:
                raise SiteError(f"somebody else restores {wish.serial} at this moment; look, and try again") from error
            number = 0 if key is None else int(key[0])
            instead = ", instead of the one that was open" if replaced else ""
            append(connection, replace(event, detail=f"restore {number}: {event.detail}{instead}"))
            return _restore(connection.execute(select(restores).where(restores.c.id == number)).one())

    def cancel(self, serial: Serial, event: Event) -> bool:
        """Close the open restore of a device unless it was fetched; return whether there was one."""
        row = {"done": event.at, "state": RestoreState.CANCELLED, "detail": f"cancelled by {event.who}"}
        with self._database.connection() as connection:
            unfetched = and_(_UNFETCHED, restores.c.serial == serial.digits)
            cancelled = connection.execute(update(restores).where(unfetched).values(**row)).rowcount
            if cancelled:
                append(connection, event)
        return bool(cancelled)

    def pending(self) -> dict[str, Pending]:
        """Return what devices have yet to fetch, by the digits of their serial numbers."""
        with self._database.connection() as connection:
            return {row.serial: Pending(row.id, row.token) for row in connection.execute(self._pending)}

    def open(self) -> list[Restore]:
        """Return the restores that are not done, the oldest first."""
        with self._database.connection() as connection:
            rows = connection.execute(select(restores).where(_OPEN).order_by(restores.c.id))
            return [_restore(row) for row in rows]

    def of(self, serial: Serial, limit: int = 20) -> list[Restore]:
        """Return the restores of a device, the newest first."""
        statement = select(restores).where(restores.c.serial == serial.digits)
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(restores.c.id.desc()).limit(limit))
            return [_restore(row) for row in rows]

    def newest(self, limit: int = 50, before: int | None = None, *, only_open: bool = False) -> list[Restore]:
        """Return the newest restores of all devices, the newest first: those with an id below *before*."""
        statement = select(restores).order_by(restores.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(restores.c.id < before)
        if only_open:
            statement = statement.where(_OPEN)
        with self._database.connection() as connection:
            return [_restore(row) for row in connection.execute(statement)]

    def unfetched(self, token: str) -> Restore | None:
        """Return the open restore with this *token*, None if there is none or it was fetched."""
        with self._database.connection() as connection:
            row = connection.execute(select(restores).where(_UNFETCHED, restores.c.token == token)).first()
        return None if row is None else _restore(row)

    def note_sent(self, sent: Iterable[tuple[int, datetime]]) -> None:
        """Remember when devices were told to fetch restores, by their numbers; the first time counts."""
        rows = [{"number": number, "at": at} for number, at in sorted(sent)]
        if rows:
            with self._database.connection() as connection:
                connection.execute(self._sent, rows)

    def fetch(self, number: int, at: datetime) -> bool:
        """Remember that a device fetches a restore now; return False if it was fetched or closed meanwhile."""
        statement = update(restores).where(_UNFETCHED, restores.c.id == number)
        with self._database.connection() as connection:
            return connection.execute(statement.values(fetched=at, state=RestoreState.FETCHED)).rowcount == 1

    def close(self, number: int, at: datetime, state: RestoreState, detail: str) -> bool:
        """Close a restore; return False if it was closed meanwhile."""
        statement = update(restores).where(_OPEN, restores.c.id == number)
        with self._database.connection() as connection:
            return connection.execute(statement.values(done=at, state=state, detail=detail)).rowcount == 1


def _restore(row: Any) -> Restore:
    return Restore(
        row.id,
        Serial(row.serial),
        CommitId(row.commit),
        row.token,
        Fingerprint(row.expected),
        row.asked,
        row.who,
        row.sent,
        row.fetched,
        row.done,
        RestoreState(row.state),
        row.detail,
    )
