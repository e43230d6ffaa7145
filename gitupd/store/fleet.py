"""The fleet as a whole: devices found, counted and listed, in few statements however many there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from sqlalchemy import Integer, Text, and_, case, cast, false, func, not_, null, or_, select, true

from gitupd.core.admission.admittance import UNKNOWN, Admittance
from gitupd.core.caller import Serial, parse_serial
from gitupd.core.search import AddressStart, InState, Nonsense, Pair, Seen, Word
from gitupd.core.standing import ODD_FOR
from gitupd.errors import MalformedRequest
from gitupd.store.certificates.standings import has_certificate, standings
from gitupd.store.convergence.executed import has_executed, runs
from gitupd.store.convergence.measures import never_confirmed, takes_part
from gitupd.store.inventory import device_in
from gitupd.store.strangers import is_let_in, is_stranger
from gitupd.store.tables import devices, messages, rollouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.device import Device
    from gitupd.core.search import Search, Term
    from gitupd.core.standing import Yardstick
    from gitupd.store.database import Database

_AT_ONCE = 2_000
_STATES = 4  # that are counted of each kind
_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many devices there are of one kind: with the same phase, builds, model and environments.

    ``seen`` counts those last seen within each of the spans that were asked for, ``arrived`` those that had executed
    the deployed commit by each of the moments.
    """

    phase: str | None
    firmware: str | None
    model: str | None
    environments: tuple[str, ...]
    total: int
    present: int
    current: int
    warned: int
    alarmed: int
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
        """Return *limit* of the devices that *search* finds, sorted, from *offset* on, and how many it finds."""
        condition = meeting(search, yardstick)
        key = _sort_key(sort, yardstick)
        order = (key.desc() if descending else key.asc()).nulls_last()
        statement = select(devices).where(condition).order_by(order, devices.c.serial).limit(limit).offset(offset)
        if sort == "certificate":
            statement = statement.outerjoin(rollouts, rollouts.c.serial == devices.c.serial)
        with self._database.connection() as connection:
            total = connection.scalar(select(func.count()).select_from(devices).where(condition)) or 0
            return _devices(connection, connection.execute(statement).all()), total

    def each(self, search: Search, yardstick: Yardstick, at_once: int = _AT_ONCE) -> Iterator[Device]:
        """Yield all devices that *search* finds, by serial number, read *at_once* each time."""
        condition, last = meeting(search, yardstick), ""
        while True:
            statement = select(devices).where(condition, devices.c.serial > last).order_by(devices.c.serial)
            with self._database.connection() as connection:
                rows = connection.execute(statement.limit(at_once)).all()
                some = _devices(connection, rows)
            yield from some
            if len(rows) < at_once:
                return
            last = rows[-1].serial

    def serials(self, search: Search, yardstick: Yardstick) -> list[Serial]:
        """Return the serial numbers of all devices that *search* finds."""
        with self._database.connection() as connection:
            serials = connection.scalars(select(devices.c.serial).where(meeting(search, yardstick)))
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
            count = connection.scalar(select(func.count()).select_from(devices).where(which)) or 0
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

    def tally(self, yardstick: Yardstick, spans: Sequence[timedelta], moments: Sequence[datetime]) -> list[Tally]:
        """Count all devices that are let in by kind, in one pass.

        Those seen within each of *spans*, and those up to date at each of *moments*.
        """
        columns = devices.c
        kind = (columns.phase, columns.firmware, columns.model, cast(columns.environments, Text))
        at = func.coalesce(columns.confirmed_at, columns.sent_at)
        counted = [
            *(_state(name, yardstick) for name in ("present", "current", "warned", "alarmed")),
            *(columns.last_seen >= yardstick.now - span for span in spans),
            *(and_(_executed(yardstick), at <= moment) for moment in moments),
        ]
        sums = [func.coalesce(func.sum(cast(condition, Integer)), 0) for condition in counted]
        with self._database.connection() as connection:
            rows = connection.execute(select(*kind, func.count(), *sums).where(is_let_in()).group_by(*kind)).all()
        return [_tally(tuple(row), len(spans)) for row in rows]

    def strangers(self, now: datetime) -> Strangers:
        """Count the devices for which nobody speaks."""
        counted = (_admitted("unknown"), not_(is_let_in()), is_stranger(now))
        sums = [func.coalesce(func.sum(cast(condition, Integer)), 0) for condition in counted]
        with self._database.connection() as connection:
            return Strangers(*map(int, connection.execute(select(*sums)).one()))


def _devices(connection: Connection, rows: Sequence[Any]) -> list[Device]:
    """Return the devices of *rows*, with what their certificates are at."""
    known = standings(connection, [row.serial for row in rows])
    return [device_in(row, certificate=known.get(row.serial)) for row in rows]


def _tally(row: tuple[Any, ...], spans: int) -> Tally:
    phase, firmware, model, environments, total, *more = row
    (present, current, warned, alarmed), more = map(int, more[:_STATES]), more[_STATES:]
    seen, arrived = tuple(map(int, more[:spans])), tuple(map(int, more[spans:]))
    names = _names(environments)
    return Tally(phase, firmware, model, names, total, present, current, warned, alarmed, seen, arrived)


def _names(text: str | None) -> tuple[str, ...]:
    """Return a list of names that is kept as JSON."""
    return tuple(json.loads(text or "null") or ())


def meeting(search: Search, yardstick: Yardstick) -> ColumnElement[bool]:
    """Return the condition that a device meets if *search* finds it.

    Those that are not let in are found only by a search for such, or for a serial number: anybody can invent them.
    """
    found = (_meets(term, yardstick) for term in search.terms)
    return and_(true() if any(map(_names_strangers, search.terms)) else is_let_in(), *found)


def _names_strangers(term: Term) -> bool:
    match term:
        case InState(state):
            return state in _ADMISSION
        case Pair("sn", value):
            return _digits(value) is not None
        case Word(text):
            return _digits(text) is not None
        case _:
            return False


def _meets(term: Term, yardstick: Yardstick) -> ColumnElement[bool]:
    match term:
        case InState(state):
            return _state(state, yardstick)
        case AddressStart(text):
            return or_(*(column.like(f"{_literal(text)}%", escape=_ESCAPE) for column in _ADDRESSES))
        case Seen(beyond, within):
            return _seen(beyond, within, yardstick.now)
        case Nonsense():
            return false()
        case Pair(key, value):
            return _has_value(key, value, yardstick)
        case Word(text):
            return or_(
                devices.c.serial == _digits(text),
                *(_folded(column) == _folded(text) for column in _WORDS),
                *_listed((devices.c.environments, devices.c.classes), text, wild=False),
            )
        case _:
            assert_never(term)


def _has_value(key: str, value: str, yardstick: Yardstick) -> ColumnElement[bool]:
    match key:
        case "has":
            return _has(value, yardstick)
        case "certificate":
            return has_certificate(value, yardstick.now)
        case "deployment":
            return takes_part(value, yardstick)
        case "commit" | "sent" | "runs" | "never":
            return _has_commit(key, f"{_literal(value)}%", yardstick)
        case "sn":
            return or_(devices.c.serial == _digits(value), _equals(devices.c.serial, value.replace("-", "")))
        case _:
            return or_(*(_equals(column, value) for column in _COLUMNS[key]), *_listed(_LISTS.get(key, ()), value))


def _has_commit(key: str, pattern: str, yardstick: Yardstick) -> ColumnElement[bool]:
    if key == "runs":
        return runs(pattern, _ESCAPE, by_sent=yardstick.by_sent)
    if key == "never":
        return never_confirmed(pattern, _ESCAPE, yardstick)
    return (devices.c.confirmed if key == "commit" else devices.c.sent).like(pattern, escape=_ESCAPE)


_ADDRESSES = (devices.c.address, devices.c.own_address, devices.c.proxy)
_NAMES = (devices.c.given_name, devices.c.own_name)
_COLUMNS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "hwid": (devices.c.hardware_id,),
    "name": _NAMES,
    "type": (devices.c.model,),
    "address": _ADDRESSES,
    "phase": (devices.c.phase,),
    "firmware": (devices.c.firmware,),
    "bootcode": (devices.c.bootcode,),
    "class": (),
    "env": (),
}
_LISTS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "class": (devices.c.classes,),
    "env": (devices.c.environments, devices.c.unknown_environments),
}
_WORDS = (
    *_ADDRESSES,
    *_NAMES,
    devices.c.hardware_id,
    devices.c.model,
    devices.c.phase,
    devices.c.firmware,
    devices.c.bootcode,
)


def _folded(value: ColumnElement[Any] | str) -> ColumnElement[Any]:
    """Return a column or text in lower case, as the database sees it: it may know more letters than ASCII's."""
    return func.lower(value)


def _equals(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether a column equals *value*, in which ``*`` stands for any characters; an empty one finds the unknown."""
    if not value:
        return column.is_(None)
    if "*" in value:
        return _folded(column).like(_folded(_literal(value).replace("*", "%")), escape=_ESCAPE)
    return _folded(column) == _folded(value)


def _listed(columns: Sequence[ColumnElement[Any]], value: str, *, wild: bool = True) -> Iterator[ColumnElement[bool]]:
    """Yield whether a list of names, kept as JSON text, holds *value*; a *wild* ``*`` stands for any characters."""
    pattern = _literal(json.dumps(value))
    if wild:
        pattern = pattern.replace("*", "%")
    for column in columns:
        yield _folded(cast(column, Text)).like(_folded(f"%{pattern}%"), escape=_ESCAPE)


def _literal(text: str) -> str:
    """Return *text* as a pattern of LIKE that stands for itself."""
    return text.replace(_ESCAPE, _ESCAPE * 2).replace("%", f"{_ESCAPE}%").replace("_", f"{_ESCAPE}_")


def _digits(text: str) -> str | None:
    try:
        return parse_serial(text).digits
    except MalformedRequest:
        return None


def _has(value: str, yardstick: Yardstick) -> ColumnElement[bool]:
    if value == "warning":
        return _state("warned", yardstick)
    if value == "message":
        return devices.c.serial.in_(select(messages.c.serial))
    return false()


def _seen(beyond: timedelta | None, within: timedelta | None, now: datetime) -> ColumnElement[bool]:
    """Whether a device called longer ago than *beyond*, and within *within*; None does not matter."""
    column = devices.c.last_seen
    before = true() if beyond is None else column < now - beyond
    return before if within is None else and_(before, column >= now - within)


def _state(state: str, yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device is in *state*; the same rules as those of :class:`Yardstick`."""
    columns, since = devices.c, yardstick.present_since
    present = true() if since is None else columns.last_seen >= since
    if state == "present":
        return present
    if state == "missing":
        return not_(present)
    if state == "current":
        return and_(present, _executed(yardstick))
    if state == "waiting":
        return and_(present, not_(_executed(yardstick)))
    if state in _ADMISSION:
        return _admitted(state)
    odd = yardstick.now - ODD_FOR
    changed = or_(*(and_(at.is_not(None), at >= odd) for at in (columns.hardware_changed, columns.key_changed)))
    if state == "alarmed":
        return changed if yardstick.needs_trust else false()
    returned = and_(columns.address_returned.is_not(None), columns.address_returned >= odd)
    return or_(columns.unknown_environments.is_not(null()), changed, returned)


def _admitted(state: str) -> ColumnElement[bool]:
    """Whether a device is *state*, as far as it is let in; nobody speaks for one that nobody has judged yet."""
    judged = devices.c.admission.in_([verdict.value for verdict in _ADMISSION[state]])
    return or_(judged, devices.c.admission.is_(None)) if state == "unknown" else judged


_ADMISSION: Mapping[str, tuple[Admittance, ...]] = {
    "unknown": UNKNOWN,
    "quarantined": (Admittance.QUARANTINED,),
    "refused": (Admittance.REFUSED,),
    "accepted": (Admittance.ACCEPTED,),
}


def _executed(yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device has executed the deployed commit, as far as one can know; never NULL."""
    return has_executed(yardstick.commit, by_sent=yardstick.by_sent)


def _sort_key(sort: str, yardstick: Yardstick) -> ColumnElement[Any]:
    columns = devices.c
    if sort == "name":
        return func.lower(func.coalesce(columns.given_name, columns.own_name))
    if sort == "state":
        ranks = [(_state(name, yardstick), rank) for rank, name in enumerate(("missing", "waiting"))]
        return case(*ranks, else_=2)
    if sort == "certificate":
        return rollouts.c.expires
    if sort == "confirmed":
        return columns.confirmed_at
    column: ColumnElement[Any] = columns[sort]
    return column
