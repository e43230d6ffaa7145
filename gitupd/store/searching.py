"""Searches for devices as conditions of SQL, for SQLite and PostgreSQL."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, assert_never

from sqlalchemy import Text, and_, case, cast, exists, false, func, not_, null, or_, select, true

from gitupd.core.admission.admittance import UNKNOWN, Admittance
from gitupd.core.caller import parse_serial
from gitupd.core.search import (
    AddressStart,
    Among,
    AnyOf,
    Between,
    HasAnswered,
    Holds,
    InState,
    Nonsense,
    Not,
    Pair,
    PartOf,
    Wild,
    Word,
)
from gitupd.core.searches.times import Seen, SeenOn
from gitupd.core.standing import ODD_FOR
from gitupd.errors import InvalidEntry, MalformedRequest
from gitupd.store.backups.lateness import is_overdue
from gitupd.store.backups.texts import has_backup, holds
from gitupd.store.certificates.standings import has_certificate
from gitupd.store.convergence.drift import has_drifted
from gitupd.store.convergence.executed import has_executed, runs
from gitupd.store.convergence.measures import never_confirmed, takes_part
from gitupd.store.listed import is_among, items_of
from gitupd.store.strangers import is_let_in
from gitupd.store.tables import devices, messages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.search import Search, Term
    from gitupd.core.standing import Yardstick

_ESCAPE = "\\"
_SHOWN = 60
_SEPARATORS = re.compile("[-:]")
_DIGITS = re.compile("[0-9a-f]+")


def meeting(search: Search, yardstick: Yardstick, connection: Connection) -> ColumnElement[bool]:
    """Return the condition that a device meets if *search* finds it; over *connection* it is looked for texts.

    Those that are not let in are found only by a search for such, or for a serial number: anybody can invent them.
    """
    found = (_meets(term, yardstick, connection) for term in search.terms)
    return and_(true() if any(map(_names_strangers, search.terms)) else is_let_in(), *found)


def _names_strangers(term: Term) -> bool:
    match term:
        case InState(state):
            return state in _ADMISSION
        case Pair("sn", value) | Word(value) | PartOf(value):
            return _digits(value) is not None
        case AnyOf(terms):
            return all(map(_names_strangers, terms))
        case _:
            return False


def _meets(term: Term, yardstick: Yardstick, connection: Connection) -> ColumnElement[bool]:
    match term:
        case AnyOf(terms):
            return or_(*(_meets(each, yardstick, connection) for each in terms))
        case Not(each):
            return not_(func.coalesce(_meets(each, yardstick, connection), false()))
        case Among(digits):
            return is_among(devices.c.serial, sorted(digits))
        case HasAnswered(key):
            raise InvalidEntry(f"{key[:_SHOWN]!r} is not known here; answers to queries are known in lists of devices")
        case Holds(wanted):
            return holds(connection, devices.c.serial, wanted)
        case _:
            return _meets_value(term, yardstick)


def _meets_value(
    term: Word | PartOf | Wild | AddressStart | Nonsense | InState | Seen | SeenOn | Between | Pair,
    yardstick: Yardstick,
) -> ColumnElement[bool]:
    match term:
        case Word() | PartOf() | Wild() | AddressStart():
            return _meets_word(term)
        case Nonsense():
            return false()
        case InState(state):
            return in_state(state, yardstick)
        case Seen() | SeenOn():
            return _seen(term, yardstick)
        case Between():
            return or_(*(_is_between(column, term) for column in _COLUMNS[term.key]))
        case Pair():
            return _has_value(term, yardstick)
        case _:
            assert_never(term)


def _meets_word(term: Word | PartOf | Wild | AddressStart) -> ColumnElement[bool]:
    match term:
        case Word(text):
            return has_word(text)
        case PartOf(text):
            return or_(has_word(text), *(_holds(column, text) for column in _IN_PARTS), _serial_holds(text))
        case Wild(pattern):
            return or_(
                _serial_like(pattern),
                *(_like(column, pattern) for column in _WORDS),
                *(_lists_like(column, pattern) for column in (devices.c.environments, devices.c.classes)),
            )
        case AddressStart(text):
            return or_(*(column.like(f"{_literal(text)}%", escape=_ESCAPE) for column in _ADDRESSES))
        case _:
            assert_never(term)


def exactness(search: Search) -> list[ColumnElement[int]]:
    """Return what to order by, so that devices come first that have the words of *search* as whole values."""
    words = [has_word(term.text) for term in search.terms if isinstance(term, PartOf)]
    return [case((and_(*words), 0), else_=1)] if words else []


def has_word(text: str) -> ColumnElement[bool]:
    """Whether some value of a device is *text* as a whole."""
    return or_(
        devices.c.serial == _digits(text),
        *(_folded(column) == _folded(text) for column in _WORDS),
        *(_lists(column, text) for column in (devices.c.environments, devices.c.classes)),
    )


def _has_value(pair: Pair, yardstick: Yardstick) -> ColumnElement[bool]:
    key, value = pair.key, pair.value
    match key:
        case "has":
            return _has(value, yardstick)
        case "certificate":
            return has_certificate(value, yardstick.now)
        case "backup":
            return is_overdue(yardstick, value)
        case "deployment" | "drift":
            return takes_part(value, yardstick) if key == "deployment" else has_drifted(value, yardstick)
        case "commit" | "sent" | "runs" | "never":
            return _has_commit(key, f"{_pattern(value) if pair.wild else _literal(value)}%", yardstick)
        case "sn":
            return _serial_like(value) if pair.wild else devices.c.serial == (_digits(value) or value)
        case _ if pair.wild:
            listed = (_lists_like(column, value) for column in _LISTS.get(key, ()))
            return or_(*(_like(column, value) for column in _COLUMNS[key]), *listed)
        case _:
            listed = (_lists(column, value) for column in _LISTS.get(key, ()))
            return or_(*(_equals(column, value) for column in _COLUMNS[key]), *listed)


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
    "target": (devices.c.firmware_wanted,),
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


_IN_PARTS = (*_ADDRESSES, *_NAMES, devices.c.hardware_id)
"""What is found by a part of it."""


def _folded(value: ColumnElement[Any] | str) -> ColumnElement[Any]:
    """Return a column or text in lower case, as the database sees it: it may know more letters than ASCII's."""
    return func.lower(value)


def _equals(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether a column equals *value*; an empty one finds the unknown."""
    return _folded(column) == _folded(value) if value else column.is_(None)


def _like(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    return _folded(column).like(_folded(_pattern(pattern)), escape=_ESCAPE)


def _holds(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return _folded(column).like(_folded(f"%{_literal(text)}%"), escape=_ESCAPE)


def _serial_like(pattern: str) -> ColumnElement[bool]:
    """Whether the serial number has the form of *pattern*, written with separators or without."""
    return devices.c.serial.like(_pattern(_SEPARATORS.sub("", pattern)), escape=_ESCAPE)


def _serial_holds(text: str) -> ColumnElement[bool]:
    digits = _SEPARATORS.sub("", text)
    return devices.c.serial.like(f"%{digits}%") if _DIGITS.fullmatch(digits) else false()


def _lists(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether a list of names, kept as JSON text, has *value* in it."""
    return _folded(cast(column, Text)).like(_folded(f"%{_literal(json.dumps(value))}%"), escape=_ESCAPE)


def _lists_like(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Whether a list of names has one of the form of *pattern*."""
    names = items_of(column)
    return exists(select(1).select_from(names).where(_like(names.c.value, pattern)))


def _is_between(column: ColumnElement[Any], term: Between) -> ColumnElement[bool]:
    """Whether a build is between two others: the longer one is the later one."""
    conditions: list[ColumnElement[bool]] = [column.is_not(None)]
    if term.low is not None:
        conditions.append(_is_after(_folded(column), term.low, or_equal=term.ends))
    if term.high is not None:
        conditions.append(not_(_is_after(_folded(column), term.high, or_equal=not term.ends)))
    return and_(*conditions)


def _is_after(build: ColumnElement[Any], other: str, *, or_equal: bool) -> ColumnElement[bool]:
    later = build >= other if or_equal else build > other
    return or_(func.length(build) > len(other), and_(func.length(build) == len(other), later))


def _pattern(text: str) -> str:
    """Return *text* as a pattern of LIKE, in which ``*`` stands for any characters, and ``?`` for one."""
    return _literal(text).replace("*", "%").replace("?", "_")


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
        return in_state("warned", yardstick)
    if value == "backup":
        return has_backup(devices.c.serial)
    if value == "message":
        return devices.c.serial.in_(select(messages.c.serial))
    return false()


def _seen(term: Seen | SeenOn, yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device called last when *term* says."""
    column = devices.c.last_seen
    conditions: list[ColumnElement[bool]] = [true()]
    match term:
        case Seen(beyond, within):
            conditions += [] if beyond is None else [column < yardstick.now - beyond]
            conditions += [] if within is None else [column >= yardstick.now - within]
        case SeenOn(first, last):
            conditions += [] if first is None else [column >= _midnight(first, yardstick.zone)]
            conditions += (
                [] if last in (None, date.max) else [column < _midnight(last + timedelta(days=1), yardstick.zone)]
            )
        case _:
            assert_never(term)
    return and_(*conditions)


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Return when *day* begins in *zone*; never before or behind what a time can be."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)


def in_state(state: str, yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device is in *state*; the same rules as those of :class:`Yardstick`."""
    columns, since = devices.c, yardstick.present_since
    present = true() if since is None else columns.last_seen >= since
    if state == "present":
        return present
    if state == "missing":
        return not_(present)
    if state == "current":
        return and_(present, is_executed(yardstick))
    if state == "waiting":
        return and_(present, not_(is_executed(yardstick)))
    if state in _ADMISSION:
        return is_admitted(state)
    odd = yardstick.now - ODD_FOR
    changed = or_(*(and_(at.is_not(None), at >= odd) for at in (columns.hardware_changed, columns.key_changed)))
    if state == "alarmed":
        return changed if yardstick.needs_trust else false()
    returned = and_(columns.address_returned.is_not(None), columns.address_returned >= odd)
    return or_(columns.unknown_environments.is_not(null()), changed, returned)


def is_admitted(state: str) -> ColumnElement[bool]:
    """Whether a device is *state*, as far as it is let in; nobody speaks for one that nobody has judged yet."""
    judged = devices.c.admission.in_([verdict.value for verdict in _ADMISSION[state]])
    return or_(judged, devices.c.admission.is_(None)) if state == "unknown" else judged


_ADMISSION: Mapping[str, tuple[Admittance, ...]] = {
    "unknown": UNKNOWN,
    "quarantined": (Admittance.QUARANTINED,),
    "refused": (Admittance.REFUSED,),
    "accepted": (Admittance.ACCEPTED,),
}


def is_executed(yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device has executed the deployed commit, as far as one can know; never NULL."""
    return has_executed(yardstick.commit, by_sent=yardstick.by_sent)
