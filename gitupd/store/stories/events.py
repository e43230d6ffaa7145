"""What changed of devices, written in the transaction that changes it, and read one device at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, case, delete, func, insert, select, type_coerce

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.snapshot import CommitId
from gitupd.core.stories.change import Change, ChangeKind, changes
from gitupd.store.database import storable
from gitupd.store.stories.tables import device_events
from gitupd.store.strangers import is_let_in
from gitupd.store.tables import devices

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

MOST_OF_ONE = 300
"""So many of one device are kept; the oldest go first."""

MOST_AN_HOUR = 60
"""So many of one device are written down within an hour: of two that take turns in its name, say."""

_AT_ONCE = 1_000
_LONGEST = 500
_SAME_WARNING = timedelta(days=1)
_FACTS = (
    *("hardware_id", "key", "model", "given_name", "own_name", "address", "phase", "firmware", "bootcode"),
    *("firmware_wanted", "bootcode_wanted", "sent", "confirmed", "environments", "snippets"),
)
_LISTS = frozenset({"environments", "snippets"})
_TIMES = ("last_seen", "sent_at", "confirmed_at")

# Lists as they are stored: to read each of them took longer than all else, and most devices have changed nothing.
_KNOWN = select(
    devices.c.serial, *(type_coerce(devices.c[name], Text) if name in _LISTS else devices.c[name] for name in _FACTS)
)
_WHEN = select(devices.c.serial, *(devices.c[name] for name in _TIMES))

Known = Mapping[str, Sequence[Any]]
"""What is known of devices, by the digits of their serial numbers: as much as stories tell of, as it is stored."""


def known(connection: Connection, serials: Iterable[str]) -> Known:
    """Return those of *serials* that are let in, by their digits, as they are before something changes."""
    found: dict[str, Sequence[Any]] = {}
    for some in _some(serials):
        for serial, *facts in connection.execute(_KNOWN.where(devices.c.serial.in_(some), is_let_in())):
            found[serial] = facts
    return found


def note_changes(connection: Connection, before: Known, serials: Collection[str]) -> None:
    """Write down what changed of devices from *before* to what is known now, within the transaction that changed it."""
    after = known(connection, serials)
    changed = sorted(serial for serial, facts in after.items() if before.get(serial) != facts)
    rows = []
    for some in _some(changed):
        for serial, *times in connection.execute(_WHEN.where(devices.c.serial.in_(some)).order_by(devices.c.serial)):
            was = _device(serial, before[serial]) if serial in before else None
            device = _device(serial, after[serial], **dict(zip(_TIMES, times, strict=True)))
            rows += [(serial, change) for change in changes(was, device)]
    _write(connection, rows)


def _device(serial: str, stored: Sequence[Any], **times: Any) -> Device:
    facts = dict(zip(_FACTS, stored, strict=True))
    for name in _LISTS:
        value = facts[name]
        facts[name] = tuple((json.loads(value) if isinstance(value, str) else value) or ())
    return Device(Serial(serial), **facts, **times)


def note_warnings(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what there was to tell about devices that are let in; the same thing once a day.

    *rows* are those of the table of messages.
    """
    if not rows:
        return
    news = {(row["serial"], row["text"]): Change(row["at"], ChangeKind.WARNED, now=row["text"]) for row in rows}
    earliest = min(change.at for change in news.values()) - _SAME_WARNING
    of_devices = sorted({serial for serial, _ in news})
    is_known, told = set[str](), set[tuple[str, str]]()
    for some in _some(of_devices):
        is_known |= set(connection.scalars(select(devices.c.serial).where(devices.c.serial.in_(some), is_let_in())))
        condition = and_(device_events.c.serial.in_(some), device_events.c.at > earliest)
        lately = select(device_events.c.serial, device_events.c.now).where(condition)
        told |= {
            (serial, text)
            for serial, text in connection.execute(lately.where(device_events.c.kind == "warned"))
            if text
        }
    fresh = [(key, change) for key, change in sorted(news.items()) if key not in told and key[0] in is_known]
    _write(connection, [(serial, change) for (serial, _), change in fresh])


def note_deed(connection: Connection, serials: Sequence[str], event: Event) -> None:
    """Write down of each of several devices that *event* concerned it; of one alone, the audit tells."""
    if len(serials) > 1:
        deed = Change(event.at, ChangeKind.DEED, event.kind, event.who)
        _write(connection, [(serial, deed) for serial in sorted(serials)])


def forget_events(connection: Connection, serials: Sequence[str]) -> None:
    """Forget what happened to devices."""
    connection.execute(delete(device_events).where(device_events.c.serial.in_(serials)))


def _write(connection: Connection, found: Sequence[tuple[str, Change]]) -> None:
    if not found:
        return
    rows = []
    since = min(change.at for _, change in found) - timedelta(hours=1)
    counts, crowded = _counts(connection, sorted({serial for serial, _ in found}), since)
    for serial, change in found:
        counts[serial] = counts.get(serial, 0) + 1
        if counts[serial] <= MOST_AN_HOUR:
            texts = {name: text and storable(text)[:_LONGEST] for name, text in _texts(change)}
            rows.append({"serial": serial, "at": change.at, "kind": change.kind.value, **texts})
    if crowded:
        _make_room(connection, crowded)
    if rows:
        connection.execute(insert(device_events), rows)


def _texts(change: Change) -> Iterable[tuple[str, str | None]]:
    return ("was", change.was), ("now", change.now), ("commit", change.commit)


def _counts(connection: Connection, serials: Sequence[str], since: datetime) -> tuple[dict[str, int], list[str]]:
    """Return how many events of each device there are *since* then, and the devices that have as many as are kept."""
    lately = func.sum(case((device_events.c.at > since, 1), else_=0))
    counts, crowded = dict[str, int](), list[str]()
    for some in _some(serials):
        grouped = select(device_events.c.serial, lately, func.count()).where(device_events.c.serial.in_(some))
        for serial, recent, count in connection.execute(grouped.group_by(device_events.c.serial)):
            counts[serial] = int(recent)
            if count >= MOST_OF_ONE:
                crowded.append(serial)
    return counts, crowded


def _make_room(connection: Connection, serials: Sequence[str]) -> None:
    """Forget all but the latest events of devices, so many that there is room for an hour."""
    order = (device_events.c.at.desc(), device_events.c.id.desc())
    number = func.row_number().over(partition_by=device_events.c.serial, order_by=order)
    for some in _some(serials):
        ranked = select(device_events.c.id, number.label("number")).where(device_events.c.serial.in_(some)).subquery()
        older = select(ranked.c.id).where(ranked.c.number > MOST_OF_ONE - MOST_AN_HOUR)
        connection.execute(delete(device_events).where(device_events.c.id.in_(older)))


def _some(serials: Iterable[str]) -> Iterator[Sequence[str]]:
    listed = list(serials)
    return (listed[first : first + _AT_ONCE] for first in range(0, len(listed), _AT_ONCE))


class DeviceEvents:
    """What happened to the devices of a site; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Read what *database* has."""
        self._database = database

    def of(
        self,
        serial: Serial,
        limit: int,
        before: datetime | None = None,
        kinds: Collection[ChangeKind] = tuple(ChangeKind),
    ) -> list[Change]:
        """Return the latest changes of a device, the newest first: of those *kinds*, and earlier than *before*."""
        columns = device_events.c
        statement = select(columns.at, columns.kind, columns.was, columns.now, columns.commit)
        statement = statement.where(columns.serial == serial.digits, columns.kind.in_([kind.value for kind in kinds]))
        if before is not None:
            statement = statement.where(columns.at < before)
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(columns.at.desc(), columns.id.desc()).limit(limit)).all()
        return [
            Change(at, ChangeKind(kind), was, now, None if commit is None else CommitId(commit))
            for at, kind, was, now, commit in rows
        ]

    def drop(self, before: datetime) -> None:
        """Forget what happened before then."""
        with self._database.connection() as connection:
            connection.execute(delete(device_events).where(device_events.c.at < before))
