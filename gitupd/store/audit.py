"""Who did what, when, from where: appended to, and never changed; what is too old to be kept goes."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from sqlalchemy import delete, func, insert, or_, select

from gitupd.core.people.audit import LOG_IN_KINDS, LOOK_KINDS, AuditEntry, AuditFilter, Event, Kind, Topic
from gitupd.store.database import storable
from gitupd.store.tables import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from gitupd.store.database import Database

_AT_ONCE = 500


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


def _conditions(asked: AuditFilter) -> Iterator[ColumnElement[bool]]:
    wanted = ((audit.c.who, asked.who), (audit.c.kind, asked.kind), (audit.c.subject, asked.subject))
    yield from (column == storable(value) for column, value in wanted if value is not None)
    if asked.text is not None:
        part = storable(asked.text)
        yield or_(*(each.icontains(part, autoescape=True) for each in (audit.c.who, audit.c.subject, audit.c.detail)))
    if asked.topic is not None:
        yield of_topic(asked.topic)
    if asked.since is not None:
        yield audit.c.at >= asked.since
    if asked.until is not None:
        yield audit.c.at < asked.until


def of_topic(topic: Topic) -> ColumnElement[bool]:
    """Return the condition that an entry is about *topic*."""
    match topic:
        case Topic.LOG_INS:
            return audit.c.kind.in_(sorted(LOG_IN_KINDS))
        case Topic.LOOKS:
            return audit.c.kind.in_(sorted(LOOK_KINDS))
        case Topic.CHANGES:
            return audit.c.kind.not_in(sorted(LOG_IN_KINDS | LOOK_KINDS))
    assert_never(topic)


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
        """Return what :meth:`found` returns for these."""
        return self.found(AuditFilter(who=who, kind=kind, subject=subject, text=text), limit, before)

    def found(self, asked: AuditFilter, limit: int, before: int | None = None) -> list[AuditEntry]:
        """Return the latest entries that *asked* finds, newest first: those with an id below *before*."""
        statement = select(audit).where(*_conditions(asked)).order_by(audit.c.id.desc()).limit(limit)
        return self._read(statement if before is None else statement.where(audit.c.id < before))

    def each(self, asked: AuditFilter) -> Iterator[list[AuditEntry]]:
        """Yield all entries that *asked* finds, newest first, some hundred at a time.

        Between them the database is not held up; what is entered meanwhile is not among them.
        """
        before = None
        while some := self.found(asked, _AT_ONCE, before):
            yield some
            before = some[-1].id

    def count(self, asked: AuditFilter, most: int) -> int:
        """Return how many entries *asked* finds; no more than *most* are counted."""
        some = select(audit.c.id).where(*_conditions(asked)).limit(most).subquery()
        with self._database.connection() as connection:
            return int(connection.execute(select(func.count()).select_from(some)).scalar_one())

    def counts(self, since: datetime) -> dict[str, int]:
        """Return how many entries there are since then, by kind."""
        statement = select(audit.c.kind, func.count()).where(audit.c.at >= since).group_by(audit.c.kind)
        with self._database.connection() as connection:
            return {kind: int(number) for kind, number in connection.execute(statement)}

    def prune(self, topic: Topic, first: datetime, most: int, told: Callable[[int], Event]) -> int:
        """Remove the oldest entries about *topic* that are older than *first*, up to *most*; return how many.

        What *told* returns for their number is entered with that, unless there was none.
        """
        old = select(audit.c.id).where(of_topic(topic), audit.c.at < first).order_by(audit.c.id).limit(most)
        with self._database.connection() as connection:
            count = connection.execute(delete(audit).where(audit.c.id.in_(old))).rowcount
            if count:
                append(connection, told(count))
        return count

    def on(
        self, subject: str, limit: int, earlier_than: datetime | None = None, but: Collection[Kind] = ()
    ) -> list[AuditEntry]:
        """Return the latest entries on *subject*, newest first: those *earlier_than* then, and of other kinds."""
        statement = select(audit).where(audit.c.subject == storable(subject), audit.c.kind.not_in(list(but)))
        if earlier_than is not None:
            statement = statement.where(audit.c.at < earlier_than)
        return self._read(statement.order_by(audit.c.id.desc()).limit(limit))

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
