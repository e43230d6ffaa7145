"""What plans depend on that is remembered of devices, as a digest: when they called last is none of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Text, cast, select, true

from gitupd.store.tables import admissions, devices, requests

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.store.database import Database

_AT_ONCE = 5_000
_OF_A_DEVICE = ("serial", "model", "given_name", "own_name", "address", "admission")


def fleet_digest(database: Database, present_since: datetime | None) -> str:
    """Return a digest of who the devices are, what their last polls said and proved, and what people decided on them.

    Of when they called it counts whether that was after *present_since*; None counts all.
    """
    digest = hashlib.sha256()
    present = cast(true() if present_since is None else devices.c.last_seen >= present_since, Boolean)
    columns = (*(devices.c[name] for name in _OF_A_DEVICE), present)
    said = (cast(requests.c.arguments, Text), requests.c.endpoint, cast(requests.c.identity, Text))
    statement = select(*columns, *said).outerjoin(requests, requests.c.serial == devices.c.serial)
    last = ""
    while True:
        some = statement.where(devices.c.serial > last).order_by(devices.c.serial).limit(_AT_ONCE)
        with database.connection() as connection:
            rows = connection.execute(some).all()
        digest.update("".join(f"{row!r}\n" for row in rows).encode(errors="surrogatepass"))
        if len(rows) < _AT_ONCE:
            break
        last = rows[-1].serial
    decided = select(admissions.c.serial, admissions.c.decision).order_by(admissions.c.serial)
    with database.connection() as connection:
        for row in connection.execute(decided):
            digest.update(f"{row!r}\n".encode())
    return digest.hexdigest()
