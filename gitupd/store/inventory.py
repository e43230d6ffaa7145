"""What is remembered of each device that asked: written by polls, read one device at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, func, insert, select, update

from gitupd.core.admission.admittance import OUTSIDE, Admittance
from gitupd.core.caller import Request, Serial
from gitupd.core.device import Device, Message
from gitupd.core.endpoint import Endpoint
from gitupd.store.audit import append
from gitupd.store.certificates.standings import standings
from gitupd.store.convergence.executed import is_undisturbed
from gitupd.store.convergence.measures import forget_targets, note_touched
from gitupd.store.database import storable, upsert
from gitupd.store.identities import identity_in, identity_row
from gitupd.store.stories.events import forget_events, known, note_changes, note_deed, note_warnings
from gitupd.store.stories.recordings import forget_recordings
from gitupd.store.strangers import impostors, is_let_in, is_stranger, turned_away
from gitupd.store.tables import answers, devices, messages, requests, rollouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.people.audit import Event
    from gitupd.core.snapshot import CommitId
    from gitupd.store.database import Database
    from gitupd.store.strangers import Capacity

_LONGEST_MESSAGE = 500
_MOST_MESSAGES = 20
_AT_ONCE = 1_000  # more would keep sightings waiting: docs/decisions/0014-deeds-and-the-audit.md

_READ_AT_ONCE = 2_000
_OF_A_POLL = ("serial", "hardware_id", "given_name", "own_name", "model", "address", "admission", "last_seen")

_POLLS = select(
    *(devices.c[name] for name in _OF_A_POLL), requests.c.arguments, requests.c.endpoint, requests.c.identity
).outerjoin(requests, requests.c.serial == devices.c.serial)

_ALWAYS_NEW = frozenset(
    {
        "settled",
        "last_seen",
        "given_name",
        "proxy",
        "environments",
        "unknown_environments",
        "classes",
        "admission",
    }
)
_COLUMNS = tuple(column.name for column in devices.columns)
_SAID = tuple(name for name in _COLUMNS if name != "serial")
_NULL_IF_EMPTY = frozenset({"snippets", "unknown_environments"})
_NEWS = [name for name in _COLUMNS if name not in ("serial", "first_seen", *_ALWAYS_NEW)]


class Inventory:
    """The devices of a site; each call is a transaction of its own, or one for each thousand devices.

    So nobody waits for long who writes down sightings meanwhile. What somebody does to devices has an entry in the
    audit for each transaction, which holds with it or not at all.
    """

    def __init__(self, database: Database) -> None:
        """Keep devices in *database*."""
        self._database = database
        self._save = upsert(
            devices,
            database.dialect,
            keep=("first_seen",),
            news_only=_NEWS,
            changes=_changes(upsert(devices, database.dialect).excluded),
        )
        self._save_requests = upsert(requests, database.dialect, news_only=("sent_arguments", "sent_endpoint"))

    def save_sightings(self, sightings: Iterable[Device], room: Capacity | None = None) -> set[Serial]:
        """Remember what polls said of devices; in a sighting None means no news, and what was known is kept.

        A sighting comes behind what is stored, so a changed identity, and a phase that was reached, are seen here;
        several of one device count in their order. Returns the unknown devices for which there was no *room*; None
        makes room for all. Who is not let in, and calls as one that is, leaves nothing but a message.
        """
        by_serial = sorted(sightings, key=lambda device: device.serial)
        with self._database.connection() as connection:
            claimed = impostors(connection, by_serial)
            by_serial = [each for each in by_serial if each.serial not in claimed or each.admission not in OUTSIDE]
            left_out = turned_away(connection, by_serial, room) if room else set()
            by_serial = [device for device in by_serial if device.serial not in left_out]
            rows = _even([_row(device) for device in by_serial])
            message_rows = [message for device in by_serial for message in _message_rows(device)]
            request_rows = [_request_row(device, device.request) for device in by_serial if device.request is not None]
            digits = list(dict.fromkeys(row["serial"] for row in rows))
            before = known(connection, digits)
            if rows:
                connection.execute(self._save, rows)
            if request_rows:
                connection.execute(self._save_requests, request_rows)
            note_changes(connection, before, digits)
            if message_rows:
                connection.execute(insert(messages), message_rows)
                note_warnings(connection, message_rows)
        return left_out

    def device(self, serial: Serial) -> Device | None:
        """Return all that is remembered of a device, None if it never called."""
        with self._database.connection() as connection:
            row = connection.execute(select(devices).where(devices.c.serial == serial.digits)).first()
            request = connection.execute(select(requests).where(requests.c.serial == serial.digits)).first()
            statement = select(messages.c.at, messages.c.text).where(messages.c.serial == serial.digits)
            device_messages = tuple(
                Message(at, text) for at, text in connection.execute(statement.order_by(messages.c.at))
            )
            certificate = standings(connection, [serial.digits]).get(serial.digits)
        if row is None:
            return None
        more: dict[str, Any] = {"messages": device_messages, "certificate": certificate}
        if request is not None:
            more["request"] = _request(request.arguments, request.endpoint)
            more["sent_request"] = _request(request.sent_arguments, request.sent_endpoint)
            more["identity"] = identity_in(request.identity)
        return device_in(row, **more)

    def devices(self) -> list[Device]:
        """Return every device that is let in, by serial number, without requests and messages."""
        statement = select(devices).where(is_let_in()).order_by(devices.c.serial)
        with self._database.connection() as connection:
            return [device_in(row) for row in connection.execute(statement)]

    def some(self, serials: Iterable[Serial]) -> dict[Serial, Device]:
        """Return those of *serials* that are known, without requests and messages."""
        condition = devices.c.serial.in_([serial.digits for serial in serials])
        with self._database.connection() as connection:
            return {Serial(row.serial): device_in(row) for row in connection.execute(select(devices).where(condition))}

    def running(self, commit: CommitId, since: datetime | None = None) -> list[Device]:
        """Return the devices that have confirmed *commit* and are in their last phase, with their last requests.

        Only those that called *since* then; None for all.
        """
        both = select(devices, requests.c.arguments, requests.c.endpoint).join(
            requests, requests.c.serial == devices.c.serial
        )
        settled = []
        with self._database.connection() as connection:
            wanted = and_(devices.c.confirmed == commit, devices.c.settled)
            lately = wanted if since is None else and_(wanted, devices.c.last_seen >= since)
            for row in connection.execute(both.where(lately)):
                columns = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping
                request = _request(columns.pop("arguments"), columns.pop("endpoint"))
                settled.append(_device(columns, request=request))
        return settled

    def polls(self, at_once: int = _READ_AT_ONCE) -> Iterator[Device]:
        """Yield every device, let in or not, by serial number: who it is, and what its last poll said and proved.

        They are read *at_once* each time; one that never polled has no request.
        """
        last = ""
        while True:
            statement = _POLLS.where(devices.c.serial > last).order_by(devices.c.serial).limit(at_once)
            with self._database.connection() as connection:
                rows = connection.execute(statement).all()
            yield from map(_polled, rows)
            if len(rows) < at_once:
                return
            last = rows[-1].serial

    def last_polls(self, serials: Iterable[Serial]) -> dict[Serial, Device]:
        """Return those of *serials* that are known, each with what :meth:`polls` tells of it."""
        listed, found = sorted(serial.digits for serial in serials), dict[Serial, Device]()
        for first in range(0, len(listed), _AT_ONCE):
            statement = _POLLS.where(devices.c.serial.in_(listed[first : first + _AT_ONCE]))
            with self._database.connection() as connection:
                found |= {device.serial: device for device in map(_polled, connection.execute(statement))}
        return found

    def carry_over(self, serials: Iterable[Serial], before: CommitId, commit: CommitId, now: datetime) -> int:
        """Let those of *serials* that have confirmed *before* have confirmed *commit* *now*; return how many.

        Who confirmed *before* later than that has confirmed *commit* then: something may have been sent in between.
        """
        listed, count = sorted(serial.digits for serial in serials), 0
        later = case((devices.c.confirmed_at > now, devices.c.confirmed_at), else_=now)
        news = {"confirmed": commit, "confirmed_at": later}
        for first in range(0, len(listed), _AT_ONCE):
            wanted = and_(devices.c.serial.in_(listed[first : first + _AT_ONCE]), devices.c.confirmed == before)
            with self._database.connection() as connection:
                count += int(connection.execute(update(devices).where(wanted).values(news)).rowcount)
        return count

    def tell(self, serial: Serial, message: Message) -> None:
        """Leave a message on the page of a device, whether it ever polled or not."""
        rows = list(_message_rows(Device(serial, messages=(message,))))
        with self._database.connection() as connection:
            connection.execute(insert(messages), rows)
            note_warnings(connection, rows)

    def touch(self, serials: Iterable[Serial], event: Event) -> int:
        """Let devices count as seen when *event* is; return how many of them there are."""
        listed, count = sorted(serial.digits for serial in serials), 0
        for first in range(0, len(listed), _AT_ONCE):
            some = devices.c.serial.in_(listed[first : first + _AT_ONCE])
            statement = update(devices).where(some).values(last_seen=event.at).returning(devices.c.serial)
            with self._database.connection() as connection:
                note_touched(connection, listed[first : first + _AT_ONCE], event.at)
                touched = list(connection.scalars(statement))
                note_deed(connection, touched, event)
                count += _record(connection, event, touched)
        return count

    def forget(self, serials: Iterable[Serial], event: Event) -> int:
        """Forget devices with all that is remembered of them; return how many there were.

        Their backups stay: they are history.
        """
        return self._forget(sorted(serial.digits for serial in serials), event=event)

    def forget_unseen(self, before: datetime) -> int:
        """Forget devices that have not called since *before*; return how many."""
        unseen = select(devices.c.serial).where(devices.c.last_seen < before).order_by(devices.c.serial)
        with self._database.connection() as connection:
            gone = list(connection.scalars(unseen))
        return self._forget(gone, before)

    def forget_strangers(self, before: datetime, now: datetime) -> int:
        """Forget unknown devices that have confirmed nothing, and not called since *before*; return how many."""
        gone = and_(is_stranger(now), devices.c.last_seen < before)
        with self._database.connection() as connection:
            serials = list(connection.scalars(select(devices.c.serial).where(gone).order_by(devices.c.serial)))
        return self._forget(serials, before)

    def _forget(self, serials: Sequence[str], before: datetime | None = None, event: Event | None = None) -> int:
        """Forget those of *serials* that have not called since *before*, a thousand at a time.

        Devices come first and in order, as they do wherever they are written, so that nobody waits for each other.
        """
        count = 0
        for first in range(0, len(serials), _AT_ONCE):
            some = devices.c.serial.in_(serials[first : first + _AT_ONCE])
            condition = some if before is None else and_(some, devices.c.last_seen < before)
            with self._database.connection() as connection:
                gone = list(connection.scalars(delete(devices).where(condition).returning(devices.c.serial)))
                for table in (requests, answers, messages, rollouts):
                    connection.execute(delete(table).where(table.c.serial.in_(gone)))
                forget_events(connection, gone)
                forget_recordings(connection, gone)
                forget_targets(connection, gone)
                if event is not None:
                    _record(connection, event, gone)
            count += len(gone)
        return count

    def drop_messages(self, before: datetime) -> None:
        """Forget messages that are older than *before*, and of each device all but the latest few."""
        number = func.row_number().over(partition_by=messages.c.serial, order_by=messages.c.id.desc())
        ranked = select(messages.c.id, number.label("number")).subquery()
        with self._database.connection() as connection:
            connection.execute(delete(messages).where(messages.c.at < before))
            older = select(ranked.c.id).where(ranked.c.number > _MOST_MESSAGES)
            connection.execute(delete(messages).where(messages.c.id.in_(older)))


def _record(connection: Connection, event: Event, serials: Iterable[str]) -> int:
    """Record that *event* happened to the devices with these *serials*, and return how many they are."""
    concerned = [Serial(digits) for digits in sorted(serials)]
    if concerned:
        append(connection, event.about(concerned))
    return len(concerned)


def _polled(row: Any) -> Device:
    *known, arguments, endpoint, identity = row
    fields = dict(zip(_OF_A_POLL, known, strict=True))
    fields["admission"] = fields["admission"] and Admittance(fields["admission"])
    request = _request(arguments, endpoint)
    return Device(**{**fields, "serial": Serial(row.serial)}, request=request, identity=identity_in(identity))


def device_in(row: Any, **more: Any) -> Device:
    """Return the device that a *row* of the table ``devices`` describes, with *more* of its fields."""
    return _device(dict(row._mapping), **more)  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping


def _device(columns: Mapping[str, Any], **more: Any) -> Device:
    of_several = ("environments", "unknown_environments", "classes", "snippets")
    lists = {name: tuple(columns[name] or ()) for name in of_several}
    admission = columns["admission"] and Admittance(columns["admission"])
    return Device(**{**columns, **lists, **more, "admission": admission, "serial": Serial(columns["serial"])})


def _changes(new: Any) -> dict[str, ColumnElement[Any]]:
    """Return what follows from a sighting *new* that meets what is stored: the same rules as those of ``Device``."""
    columns, at = devices.c, new.last_seen
    other_hardware = new.hardware_id != columns.hardware_id
    hardware_returned = and_(other_hardware, new.hardware_id == columns.previous_hardware_id)
    other_key = new.key != columns.key
    moved = new.address != columns.address
    returned = and_(moved, new.address == columns.previous_address)
    advanced = and_(new.confirmed.is_(None), columns.phase == new.phase_before, columns.sent.is_not(None))
    confirmed = func.coalesce(new.confirmed, case((advanced, columns.sent)))
    known = and_(confirmed == columns.confirmed, columns.confirmed_at.is_not(None))
    again = and_(known, new.sent_at.is_(None), is_undisturbed())  # the first time is kept
    return {
        "previous_hardware_id": _ruled(new, "previous_hardware_id", other_hardware, columns.hardware_id),
        "hardware_changed": _ruled(new, "hardware_changed", other_hardware, at),
        "hardware_returned": _ruled(new, "hardware_returned", hardware_returned, at),
        "previous_key": _ruled(new, "previous_key", other_key, columns.key),
        "key_changed": _ruled(new, "key_changed", other_key, at),
        "key_returned": _ruled(new, "key_returned", and_(other_key, new.key == columns.previous_key), at),
        "previous_address": _ruled(new, "previous_address", moved, columns.address),
        "address_changed": _ruled(new, "address_changed", moved, at),
        "address_returned": _ruled(new, "address_returned", returned, at),
        "phase_before": case((new.phase.is_not(None), new.phase_before), else_=columns.phase_before),
        "confirmed": _ruled(new, "confirmed", advanced, columns.sent),
        "confirmed_at": case((again, columns.confirmed_at), else_=_ruled(new, "confirmed_at", advanced, at)),
    }


def _ruled(new: Any, name: str, condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what the sighting itself says, else *value* if *condition* holds, else what is stored."""
    return func.coalesce(new[name], case((condition, value), else_=devices.c[name]))


def _row(device: Device) -> dict[str, Any]:
    """Return the columns of *device* that hold something."""
    row: dict[str, Any] = {"serial": device.serial.digits}
    for name in _SAID:
        value = getattr(device, name)
        if value is not None and not (value == () and name in _NULL_IF_EMPTY):
            row[name] = storable(value)
    return row


def _even(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *rows*, all with the same columns: those that any of them has, since every further one costs time."""
    columns = dict.fromkeys(sorted({name for row in rows for name in row}))
    return [columns | row for row in rows]


def _message_rows(device: Device) -> Iterator[dict[str, Any]]:
    """Yield the rows of a device's messages: equal ones once, and no more than are kept."""
    texts = {storable(message.text)[:_LONGEST_MESSAGE]: message.at for message in device.messages}
    for text, at in list(texts.items())[:_MOST_MESSAGES]:
        yield {"serial": device.serial.digits, "at": at, "text": text}


def _request_row(device: Device, request: Request) -> dict[str, Any]:
    sent = device.sent_request
    return {
        "serial": device.serial.digits,
        "arguments": storable(dict(request.arguments)),
        "endpoint": request.endpoint.base,
        "sent_arguments": sent and storable(dict(sent.arguments)),
        "sent_endpoint": sent and sent.endpoint.base,
        "identity": device.identity and identity_row(device.identity),
    }


def _request(arguments: dict[str, str] | None, endpoint: str | None) -> Request | None:
    return None if arguments is None or endpoint is None else Request(arguments, Endpoint.parsed(endpoint))
