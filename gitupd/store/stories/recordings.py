"""Which devices are watched, for how long, and what requests they made meanwhile: the same for all processes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update

from gitupd.core.caller import Serial
from gitupd.core.stories.recorded import RecordedRequest, Recording
from gitupd.store.audit import append
from gitupd.store.database import storable, upsert
from gitupd.store.stories.tables import recorded_requests, recordings
from gitupd.store.tables import devices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

MOST_OF_ONE = 500
LARGEST_OF_ONE = 2 * 2**20
"""Requests of one device that are kept, and bytes of them; the oldest go first."""

_COLUMNS = recorded_requests.c
_KEYS = frozenset({"serial", "at"})


def forget_recordings(connection: Connection, serials: Sequence[str]) -> None:
    """Forget what was recorded of devices, and record nothing of them any more."""
    for table in (recorded_requests, recordings):
        connection.execute(delete(table).where(table.c.serial.in_(serials)))


class Recordings:
    """What is recorded of devices; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep it in *database*."""
        self._database = database
        self._upsert = upsert(recordings, database.dialect)

    def start(self, recording: Recording, most: int, event: Event) -> bool:
        """Record a device from now on, or for longer, and enter *event*; nothing is done if it would be one too many.

        *most* devices are recorded at a time. Return whether it is recorded.
        """
        serial = recording.serial.digits
        with self._database.connection() as connection:
            connection.execute(update(recordings).values(gone=recordings.c.gone))  # nobody else counts meanwhile
            known = connection.execute(select(recordings).where(recordings.c.serial == serial)).first()
            others = select(func.count()).where(recordings.c.until > recording.since, recordings.c.serial != serial)
            if int(connection.execute(others).scalar_one()) >= most:
                return False
            goes_on = known is not None and known.until > recording.since
            row = {
                "serial": serial,
                "since": known.since if known is not None and goes_on else recording.since,
                "until": recording.until,
                "who": recording.who[:100],
                "gone": known.gone if known is not None else 0,
            }
            connection.execute(self._upsert, row)
            append(connection, event)
        return True

    def stop(self, serial: Serial, now: datetime, event: Event) -> bool:
        """Record a device no longer, and enter *event*; return False if it was not recorded."""
        running = (recordings.c.serial == serial.digits, recordings.c.until > now)
        with self._database.connection() as connection:
            if not connection.execute(update(recordings).where(*running).values(until=now)).rowcount:
                return False
            append(connection, event)
        return True

    def of(self, serial: Serial) -> Recording | None:
        """Return how long a device is, or was, recorded; None if it was not, or all of that is gone."""
        with self._database.connection() as connection:
            row = connection.execute(select(recordings).where(recordings.c.serial == serial.digits)).first()
        return None if row is None else Recording(serial, row.since, row.until, row.who, row.gone)

    def running(self, now: datetime) -> list[tuple[Serial, datetime, str | None]]:
        """Return the devices that are recorded, until when, and the address from which each called last."""
        statement = select(recordings.c.serial, recordings.c.until, devices.c.address)
        statement = statement.outerjoin(devices, devices.c.serial == recordings.c.serial)
        with self._database.connection() as connection:
            rows = connection.execute(statement.where(recordings.c.until > now)).all()
        return [(Serial(serial), until, address) for serial, until, address in rows]

    def write(self, requests: Iterable[RecordedRequest]) -> None:
        """Keep *requests*, in their order; those of devices that nobody watches, or that were forgotten, are let go."""
        rows = [_row(each) for each in requests]
        serials = sorted({row["serial"] for row in rows})
        with self._database.connection() as connection:
            watched = set(connection.scalars(select(recordings.c.serial).where(recordings.c.serial.in_(serials))))
            rows = [row for row in rows if row["serial"] in watched]
            if rows:
                connection.execute(insert(recorded_requests), rows)
            for serial in sorted(watched):
                _make_room(connection, serial)

    def requests(self, serial: Serial, limit: int, before: int | None = None) -> list[tuple[int, RecordedRequest]]:
        """Return the latest requests of a device with their ids, the newest first: those with an id below *before*."""
        statement = select(recorded_requests).where(_COLUMNS.serial == serial.digits)
        if before is not None:
            statement = statement.where(_COLUMNS.id < before)
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(_COLUMNS.id.desc()).limit(limit)).all()
        return [(row.id, _request(serial, row.at, json.loads(row.said))) for row in rows]

    def drop(self, before: datetime) -> None:
        """Forget requests that were made before then, and recordings that ended before, of which nothing is left."""
        left = select(_COLUMNS.serial)
        with self._database.connection() as connection:
            connection.execute(delete(recorded_requests).where(_COLUMNS.at < before))
            connection.execute(delete(recordings).where(recordings.c.until < before, recordings.c.serial.not_in(left)))


def _row(request: RecordedRequest) -> dict[str, Any]:
    facts = {name: storable(value) for name, value in asdict(request).items() if name not in _KEYS}
    said = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return {"serial": request.serial.digits, "at": request.at, "size": len(said.encode()), "said": said}


def _request(serial: Serial, at: datetime, facts: dict[str, Any]) -> RecordedRequest:
    for name in ("headers", "answer_headers"):
        facts[name] = tuple((key, value) for key, value in facts[name])
    return RecordedRequest(serial, at, **facts)


def _make_room(connection: Connection, serial: str) -> None:
    """Let the oldest requests of a device go that are too many, or too much, and count them."""
    order = _COLUMNS.id.desc()
    number = func.row_number().over(order_by=order).label("number")
    total = func.sum(_COLUMNS.size).over(order_by=order).label("total")
    ranked = select(_COLUMNS.id, number, total).where(_COLUMNS.serial == serial).subquery()
    beyond = or_(ranked.c.number > MOST_OF_ONE, ranked.c.total > LARGEST_OF_ONE)
    gone = connection.execute(
        delete(recorded_requests).where(_COLUMNS.id.in_(select(ranked.c.id).where(beyond)))
    ).rowcount
    if gone:
        counted = update(recordings).where(recordings.c.serial == serial)
        connection.execute(counted.values(gone=recordings.c.gone + gone))
