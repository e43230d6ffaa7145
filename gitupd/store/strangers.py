"""Devices that nobody knows: so many of them are remembered, and no more, however many call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, insert, or_, select, update

from gitupd.core.admission.admittance import OUTSIDE, UNKNOWN, Admittance
from gitupd.core.admission.crowd import PROVED_AFTER, YOUNG, Stranger, exchange
from gitupd.core.caller import Serial
from gitupd.store.stories.recordings import forget_recordings
from gitupd.store.stories.tables import device_events
from gitupd.store.tables import admission_changes, answers, devices, messages, requests

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.device import Device

AT_ONCE = 1_000
STANDS_FOR = timedelta(hours=1)
"""How long a device counts as let in by a rule after it called so, whatever comes in its name meanwhile."""

_AGAIN = timedelta(minutes=10)
_UNKNOWN = devices.c.admission.in_([verdict.value for verdict in UNKNOWN])


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many strangers are remembered at the most, and which of those who call now have called before."""

    most: int
    again: Collection[Serial] = field(default_factory=frozenset)


def is_let_in() -> ColumnElement[bool]:
    """Whether a device was let in when it called last, or nobody has judged it yet."""
    return func.coalesce(devices.c.admission, "").not_in([verdict.value for verdict in OUTSIDE])


def is_stranger(now: datetime) -> ColumnElement[bool]:
    """Whether nobody speaks for a device, and it has not proved itself: it has confirmed nothing, nor called for long.

    Not all devices confirm what they are sent.
    """
    columns = devices.c
    unproved = or_(columns.sent.is_(None), columns.first_seen > now - PROVED_AFTER)
    return and_(_UNKNOWN, columns.confirmed.is_(None), unproved)


def turned_away(connection: Connection, sightings: Sequence[Device], room: Capacity) -> set[Serial]:
    """Return the devices of *sightings* for which there is no room; others may have been forgotten to make some."""
    unknown = [device for device in sightings if device.admission in UNKNOWN]
    if not unknown:
        return set()
    hold(connection)  # before looking: who is there could be forgotten by somebody else, and come in besides
    present = _present(connection, [device.serial for device in unknown])
    newcomers = list({device.serial: device for device in unknown if device.serial not in present}.values())
    if not newcomers:
        return set()
    now = max(device.last_seen for device in newcomers if device.last_seen is not None)
    late = _beyond(connection, newcomers, room, now)
    gone = {device.serial for device in late}
    if any(device.serial in room.again for device in late):
        strangers = [Stranger(each.serial, each.address, now, each.serial in room.again) for each in late[:AT_ONCE]]
        # Who calls at this moment is written down behind this, and can't be forgotten before.
        others = [each for each in _strangers(connection, now) if each.serial not in present]
        exchanged = exchange(others, strangers)
        forget(connection, [serial.digits for serial in exchanged.gone])
        gone.difference_update(exchanged.remembered)
    return gone


def _beyond(connection: Connection, newcomers: Sequence[Device], room: Capacity, now: datetime) -> list[Device]:
    """Return those of *newcomers* for whom there is no room, those first that call again.

    Who comes in with the confirmation of a commit needs none of the room for strangers.
    """
    free = room.most - _count(connection, is_stranger(now))
    young = room.most * YOUNG - _count(connection, and_(_UNKNOWN, devices.c.first_seen > now - PROVED_AFTER))
    late = []
    for device in sorted(newcomers, key=lambda device: device.serial not in room.again):
        unproved = device.confirmed is None
        if young <= 0 or (unproved and free <= 0):
            late.append(device)
        else:
            young, free = young - 1, free - unproved
    return late


def impostors(connection: Connection, sightings: Sequence[Device]) -> set[Serial]:
    """Return the devices of *sightings* that are not let in, though one of that serial number just was, by a rule.

    What such a one says is not written down in place of what is known of the other; it is told on the page of that one.
    """
    outside = {device.serial: device for device in sightings if device.admission in OUTSIDE}
    listed, named = [serial.digits for serial in sorted(outside)], set()
    for first in range(0, len(listed), AT_ONCE):
        some = devices.c.serial.in_(listed[first : first + AT_ONCE])
        by_rule = select(devices.c.serial, devices.c.last_seen).where(some, devices.c.admission == Admittance.BY_RULE)
        for row in connection.execute(by_rule):
            device = outside[Serial(row.serial)]
            if device.last_seen is not None and row.last_seen > device.last_seen - STANDS_FOR:
                named.add(device.serial)
                _tell(connection, device, device.last_seen)
    return named


def _tell(connection: Connection, device: Device, at: datetime) -> None:
    """Say on the page of a device that somebody else calls in its name, once in a while."""
    text = f"somebody calls as this device from {device.address}, and is not let in: no rule accepts that request"
    lately = and_(messages.c.serial == device.serial.digits, messages.c.text == text, messages.c.at > at - _AGAIN)
    if connection.execute(select(messages.c.id).where(lately).limit(1)).first() is None:
        connection.execute(insert(messages).values(serial=device.serial.digits, at=at, text=text))


def hold(connection: Connection) -> None:
    """Let nobody else decide on devices, or count unknown ones, until the transaction ends."""
    connection.execute(update(admission_changes).values(number=admission_changes.c.number))


def forget(connection: Connection, serials: Sequence[str]) -> None:
    """Forget devices with all that is remembered of them."""
    for first in range(0, len(serials), AT_ONCE):
        some = serials[first : first + AT_ONCE]
        for table in (devices, requests, answers, messages, device_events):
            connection.execute(delete(table).where(table.c.serial.in_(some)))
        forget_recordings(connection, some)


def _present(connection: Connection, serials: Sequence[Serial]) -> set[Serial]:
    found: set[Serial] = set()
    for first in range(0, len(serials), AT_ONCE):
        some = [serial.digits for serial in serials[first : first + AT_ONCE]]
        found.update(map(Serial, connection.scalars(select(devices.c.serial).where(devices.c.serial.in_(some)))))
    return found


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(devices).where(condition)) or 0


def _strangers(connection: Connection, now: datetime) -> list[Stranger]:
    columns = (devices.c.serial, devices.c.address, devices.c.last_seen, devices.c.first_seen)
    rows = connection.execute(select(*columns).where(is_stranger(now)))
    return [Stranger(Serial(row.serial), row.address, row.last_seen, row.last_seen > row.first_seen) for row in rows]
