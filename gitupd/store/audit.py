"""Who did what, when, from where: only ever appended to."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from gitupd.core.people.audit import AuditEntry, Event, Kind
from gitupd.store.database import storable
from gitupd.store.tables import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from gitupd.store.database import Database


def append(connection: Connection, event: Event) -> int:
    """Append *event* within a transaction, so that it is there exactly if that holds; return the entry's id."""
    safe = event.safe()
    return int(connection.execute(insert(audit).values(_row(safe)).returning(audit.c.id)).scalar_one())


def append_several(connection: Connection, events: Sequence[Event]) -> None:
    """Append *events* in their order within a transaction."""
    if events:
        connection.execute(insert(audit), [_row(event.safe()) for event in events])


def is_entered(connection: Connection, number: int, kind: Kind) -> bool:
    """Whether the entry with that id is there, and of that *kind*."""
    statement = select(audit.c.id).where(audit.c.id == number, audit.c.kind == kind)
    return connection.execute(statement).first() is not None


def _row(event: Event) -> dict[str, Any]:
    said = {"who": event.who, "kind": event.kind, "subject": event.subject, "detail": event.detail}
    return {"at": event.at, "address": event.address, **said}


class Audit:
    """The audit of a site; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep the audit in *database*."""
        self._database = database

    def add(
        self, at: datetime, who: str, kind: Kind, subject: str = "", detail: str = "", *, address: str | None = None
    ) -> None:
        """Append an entry; long texts are cut, and what can't be printed becomes a blank."""
        with self._database.connection() as connection:
            append(connection, Event(at, who, kind, subject, detail, address))

    @contextmanager
    def entering(self) -> Iterator[Callable[[Event], int]]:
        """Give the block what appends an entry, for a deed outside of the database; a block that fails leaves none."""
        with self._database.connection() as connection:
            yield partial(append, connection)

    def entries(
        self,
        limit: int,
        before: int | None = None,
        *,
        who: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        text: str | None = None,
    ) -> list[AuditEntry]:
        """Return the latest entries, newest first: those with an id below *before*, that match in all respects.

        *who*, *kind* and *subject* are whole; *text* is anywhere in who, subject or detail, in any letter case of
        ASCII. None matches everything.
        """
        statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(audit.c.id < before)
        for column, value in ((audit.c.who, who), (audit.c.kind, kind), (audit.c.subject, subject)):
            if value is not None:
                statement = statement.where(column == storable(value))
        if text is not None:
            part = storable(text)
            matches = [column.icontains(part, autoescape=True) for column in (audit.c.subject, audit.c.detail)]
            statement = statement.where(audit.c.who.icontains(part, autoescape=True) | matches[0] | matches[1])
        return self._read(statement)

    def of_kinds(self, kinds: Collection[Kind], limit: int, before: int | None = None) -> list[AuditEntry]:
        """Return the latest entries of *kinds*, newest first: those with an id below *before*."""
        statement = select(audit).where(audit.c.kind.in_(list(kinds))).order_by(audit.c.id.desc()).limit(limit)
        return self._read(statement if before is None else statement.where(audit.c.id < before))

    def _read(self, statement: Select[Any]) -> list[AuditEntry]:
        with self._database.connection() as connection:
            return [
                AuditEntry(row.id, row.at, row.who, row.address, row.kind, row.subject, row.detail)
                for row in connection.execute(statement)
            ]

    def addresses(self, who: str, kind: Kind, since: datetime) -> set[str | None]:
        """Return from where somebody did that since then."""
        conditions = (audit.c.at >= since, audit.c.who == who, audit.c.kind == kind)
        with self._database.connection() as connection:
            return set(connection.scalars(select(audit.c.address).where(*conditions).distinct()))

    def has(self, kind: Kind, address: str | None, since: datetime, detail: str) -> bool:
        """Whether there is such an entry since then."""
        same = audit.c.address == address if address is not None else audit.c.address.is_(None)
        conditions = (audit.c.at >= since, audit.c.kind == kind, same, audit.c.detail == detail)
        with self._database.connection() as connection:
            return connection.execute(select(audit.c.id).where(*conditions).limit(1)).first() is not None
