"""The fleet as a whole: devices found, counted and listed, in few statements however many there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, case, cast, func, not_, select

from gitupd.core.backups.overdue import Overdue
from gitupd.core.caller import Serial
from gitupd.core.standing import Standings
from gitupd.store.backups.lateness import is_overdue
from gitupd.store.certificates.standings import standings
from gitupd.store.convergence.drift import has_drifted
from gitupd.store.convergence.executed import is_undisturbed
from gitupd.store.convergence.overview import Overview, overview
from gitupd.store.inventory import device_in
from gitupd.store.searching import exactness, in_state, is_admitted, is_executed, meeting
from gitupd.store.strangers import is_let_in, is_stranger
from gitupd.store.tables import devices, rollouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Select

    from gitupd.core.device import Device
    from gitupd.core.search import Search
    from gitupd.core.standing import Yardstick
    from gitupd.store.database import Database

_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many devices there are of one kind: with the same phase, build, model and environments."""

    phase: str | None
    firmware: str | None
    model: str | None
    environments: tuple[str, ...]
    total: int
    present: int
    current: int
    warned: int
    alarmed: int


@dataclass(frozen=True, slots=True)
class Tallies:
    """How many devices there are, by kind.

    ``seen`` counts those last seen within each of the spans that were asked for, ``arrived`` those that had executed
    the deployed commit by each of the moments.
    """

    kinds: tuple[Tally, ...]
    seen: tuple[int, ...]
    arrived: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """How many devices there are of one kind, as far as that decides what a configuration means for them."""

    phase: str | None
    firmware: str | None
    bootcode: str | None
    model: str | None
    environments: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Stock:
    """How many devices there are with the same environments, build and commit that they run, and how they stand.

    ``commit`` is None where it is not known. ``drifted`` are those whose backup is not as they were told, ``overdue``
    those that call and should have uploaded one.
    """

    environments: tuple[str, ...]
    firmware: str | None
    commit: str | None
    total: int
    present: int
    current: int
    warned: int
    drifted: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Strangers:
    """How many devices there are for which nobody speaks.

    ``unknown`` are all of them, ``outside`` those that are not let in, and ``unproved`` those that have proved nothing,
    so that only so many of them are remembered.
    """

    unknown: int = 0
    outside: int = 0
    unproved: int = 0


class FleetTable:
    """Reads the table of devices; each call is a transaction of its own, :meth:`each` one for some thousand devices."""

    def __init__(self, database: Database) -> None:
        """Read from *database*."""
        self._database = database

    def find(
        self, search: Search, yardstick: Yardstick, *, sort: str, descending: bool, limit: int, offset: int
    ) -> tuple[list[Device], int]:
        """Return the same as :meth:`listed`, and how many devices *search* finds in all."""
        with self._database.connection() as connection:
            found = meeting(search, yardstick, connection)
            statement = _listing(search, yardstick, sort, descending=descending).limit(limit).offset(offset)
            listed = _devices(connection, connection.execute(statement.where(found)).all())
            return listed, _count(connection, found)

    def listed(
        self, search: Search, yardstick: Yardstick, *, sort: str, descending: bool, limit: int, offset: int
    ) -> list[Device]:
        """Return *limit* of the devices that *search* finds, sorted, from *offset* on.

        By serial number, those come first that have its words as whole values.
        """
        statement = _listing(search, yardstick, sort, descending=descending).limit(limit).offset(offset)
        with self._database.connection() as connection:
            found = meeting(search, yardstick, connection)
            return _devices(connection, connection.execute(statement.where(found)).all())

    def count(self, search: Search, yardstick: Yardstick) -> int:
        """Count the devices that *search* finds."""
        with self._database.connection() as connection:
            return _count(connection, meeting(search, yardstick, connection))

    def each(self, search: Search, yardstick: Yardstick, at_once: int = _AT_ONCE) -> Iterator[Device]:
        """Yield all devices that *search* finds, by serial number, read *at_once* each time."""
        last = ""
        while True:
            statement = select(devices).where(devices.c.serial > last).order_by(devices.c.serial).limit(at_once)
            with self._database.connection() as connection:
                rows = connection.execute(statement.where(meeting(search, yardstick, connection))).all()
                some = _devices(connection, rows)
            yield from some
            if len(rows) < at_once:
                return
            last = rows[-1].serial

    def standings(self, search: Search, yardstick: Yardstick) -> Standings:
        """Count the devices that *search* finds by how they stand."""
        states = [func.count().filter(in_state(name, yardstick)) for name in ("present", "current", "warned")]
        with self._database.connection() as connection:
            found = meeting(search, yardstick, connection)
            counted = connection.execute(select(func.count(), *states).select_from(devices).where(found)).one()
        return Standings(*map(int, counted))

    def overview(self, yardstick: Yardstick) -> Overview:
        """Return how the fleet stands, and how far the deployment of *yardstick* has come in it, at one moment."""
        with self._database.connection() as connection:
            return overview(connection, yardstick)

    def serials(self, search: Search, yardstick: Yardstick) -> list[Serial]:
        """Return the serial numbers of all devices that *search* finds."""
        with self._database.connection() as connection:
            serials = connection.scalars(select(devices.c.serial).where(meeting(search, yardstick, connection)))
            return [Serial(digits) for digits in serials]

    def last_seen_between(self, since: datetime, until: datetime, most: int) -> tuple[list[str], int]:
        """Return names, else serial numbers, of *most* devices last seen *since* then and before *until*, and how many.

        Only those count that are let in.
        """
        columns = devices.c
        which = and_(is_let_in(), columns.last_seen >= since, columns.last_seen < until)
        named = func.coalesce(columns.given_name, columns.own_name)
        statement = select(named, columns.serial).where(which).order_by(columns.serial).limit(most)
        with self._database.connection() as connection:
            count = _count(connection, which)
            return [name or str(Serial(digits)) for name, digits in connection.execute(statement)], count

    def kinds(self, seen_since: datetime | None = None) -> list[DeviceKind]:
        """Return how many devices that are let in there are of each kind: these are few, however large the fleet is.

        Of those alone that were seen since then, None for all.
        """
        columns = devices.c
        kind = (columns.phase, columns.firmware, columns.bootcode, columns.model, cast(columns.environments, Text))
        counted = is_let_in() if seen_since is None else and_(is_let_in(), columns.last_seen >= seen_since)
        with self._database.connection() as connection:
            rows = connection.execute(select(*kind, func.count()).where(counted).group_by(*kind)).all()
        return [
            DeviceKind(phase, firmware, bootcode, model, _names(environments), count)
            for phase, firmware, bootcode, model, environments, count in rows
        ]

    def tally(
        self, search: Search, yardstick: Yardstick, spans: Sequence[timedelta], moments: Sequence[datetime]
    ) -> Tallies:
        """Count all devices that *search* finds by kind.

        Those seen within each of *spans*, the shortest first, and those up to date at each of *moments*, the earliest
        first.
        """
        columns = devices.c
        kind = (columns.phase, columns.firmware, columns.model, cast(columns.environments, Text))
        names = ("present", "current", "warned", "alarmed")
        states = [func.count().filter(in_state(name, yardstick)) for name in names]
        at = func.coalesce(columns.confirmed_at, columns.sent_at)
        seen = [func.count().filter(columns.last_seen >= yardstick.now - span) for span in spans]
        with self._database.connection() as connection:
            found = meeting(search, yardstick, connection)
            rows = connection.execute(select(*kind, func.count(), *states, *seen).where(found).group_by(*kind)).all()
            within = len(kind) + 1 + len(states)
            return Tallies(
                tuple(_tally(tuple(row[:within])) for row in rows),
                tuple(sum(row[within + number] for row in rows) for number in range(len(spans))),
                _first_of(connection, [at <= moment for moment in moments], and_(found, is_executed(yardstick))),
            )

    def stocks(self, yardstick: Yardstick) -> list[Stock]:
        """Count all devices that are let in by environments, build and commit, in one pass."""
        columns = devices.c
        confirmed = case((is_undisturbed(), columns.confirmed))
        runs = func.coalesce(columns.sent, confirmed) if yardstick.by_sent else confirmed
        kind = (cast(columns.environments, Text).label("names"), columns.firmware, runs.label("runs"))
        counted = (
            *(in_state(name, yardstick) for name in ("present", "current", "warned")),
            has_drifted("yes", yardstick),
            is_overdue(yardstick, Overdue.LATE, Overdue.NEVER),
        )
        states = [func.count().filter(condition) for condition in counted]
        statement = select(*kind, func.count(), *states).where(is_let_in()).group_by(*kind)
        with self._database.connection() as connection:
            rows = connection.execute(statement).all()
        return [Stock(_names(names), firmware, commit, *map(int, counts)) for names, firmware, commit, *counts in rows]

    def strangers(self, now: datetime) -> Strangers:
        """Count the devices for which nobody speaks."""
        counted = (is_admitted("unknown"), not_(is_let_in()), is_stranger(now))
        numbers = [func.count().filter(condition) for condition in counted]
        with self._database.connection() as connection:
            return Strangers(*map(int, connection.execute(select(*numbers)).one()))


def _listing(search: Search, yardstick: Yardstick, sort: str, *, descending: bool) -> Select[*tuple[Any, ...]]:
    key = _sort_key(sort, yardstick)
    order = (key.desc() if descending else key.asc()).nulls_last()
    exact = exactness(search) if sort == "serial" and not descending else []
    statement = select(devices).order_by(*exact, order, devices.c.serial)
    if sort == "certificate":
        statement = statement.outerjoin(rollouts, rollouts.c.serial == devices.c.serial)
    return statement


def _count(connection: Connection, found: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(devices).where(found)) or 0


def _devices(connection: Connection, rows: Sequence[Any]) -> list[Device]:
    """Return the devices of *rows*, with what their certificates are at."""
    known = standings(connection, [row.serial for row in rows])
    return [device_in(row, certificate=known.get(row.serial)) for row in rows]


def _tally(row: tuple[Any, ...]) -> Tally:
    phase, firmware, model, environments, total, *states = row
    return Tally(phase, firmware, model, _names(environments), total, *map(int, states))


def _first_of(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], counted: ColumnElement[bool]
) -> tuple[int, ...]:
    """Return how many of the devices that are *counted* meet each of *conditions*, of which each implies the next."""
    if not conditions:
        return ()
    first = case(*((condition, number) for number, condition in enumerate(conditions)), else_=None)
    firsts = select(first.label("first")).where(counted).subquery()
    rows = connection.execute(select(firsts.c.first, func.count()).group_by(firsts.c.first))
    numbers: dict[int | None, int] = {first: count for first, count in rows}  # noqa: C416 - rows are no pairs to the type checker
    return tuple(accumulate(numbers.get(number, 0) for number in range(len(conditions))))


def _names(text: str | None) -> tuple[str, ...]:
    """Return a list of names that is kept as JSON."""
    return tuple(json.loads(text or "null") or ())


def _sort_key(sort: str, yardstick: Yardstick) -> ColumnElement[Any]:
    columns = devices.c
    if sort == "name":
        return func.lower(func.coalesce(columns.given_name, columns.own_name))
    if sort == "state":
        ranks = [(in_state(name, yardstick), rank) for rank, name in enumerate(("missing", "waiting"))]
        return case(*ranks, else_=2)
    if sort == "certificate":
        return rollouts.c.expires
    if sort == "confirmed":
        return columns.confirmed_at
    column: ColumnElement[Any] = columns[sort]
    return column
