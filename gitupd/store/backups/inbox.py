"""Uploaded configurations on their way into the history: durable from the moment on at which they are answered."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from isal import isal_zlib
from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from gitupd.core.backups.change import Fingerprint
from gitupd.core.caller import Serial
from gitupd.store.database import storable, upsert
from gitupd.store.tables import backup_heads, backup_inbox, backup_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import BindParameter

    from gitupd.store.database import Database

_QUICK = 1  # a third of the time of zlib, while a device waits (docs/decisions/0010-backup-history.md)


@dataclass(frozen=True, slots=True)
class Head:
    """What was kept last of a device: ``length`` bytes, ``received`` then, and ``seen`` again since.

    ``doubtful`` is the fingerprint of a version that was refused after it because it was implausibly short.
    """

    fingerprint: Fingerprint
    length: int
    received: datetime
    seen: datetime
    doubtful: Fingerprint | None


@dataclass(frozen=True, slots=True)
class Last:
    """What counts of a :class:`Head` when the next version comes."""

    fingerprint: Fingerprint
    length: int
    doubtful: Fingerprint | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A new version of a device's configuration.

    ``key`` names it for ever. ``facts`` are what is worth telling of it: plain values of JSON. ``body`` is compressed
    by :func:`packed`, None if it lies in a file that is called ``key``.
    """

    key: str
    serial: Serial
    received: datetime
    fingerprint: Fingerprint
    length: int
    facts: Mapping[str, Any]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """A device has uploaded what is kept already."""

    serial: Serial
    at: datetime


@dataclass(frozen=True, slots=True)
class Doubted:
    """A device has uploaded what can't be true, and will be believed if it repeats it; None takes the doubt back."""

    serial: Serial
    fingerprint: Fingerprint | None


Upload = Incoming | SeenAgain | Doubted


def packed(content: bytes) -> bytes:
    """Return *content* as it lies in the inbox: in the form of zlib, but quickly, because devices wait for it."""
    return isal_zlib.compress(content, _QUICK)


def unpacked(body: bytes) -> bytes:
    """Return what :func:`packed` was given."""
    return zlib.decompress(body)


def remove_file(folder: Path, key: str) -> None:
    """Remove the file of a version that is not in the inbox any more, or never was; if it can't be, that is done later.

    It takes room, perhaps on a full disk (docs/decisions/0010-backup-history.md).
    """
    with suppress(OSError):
        (folder / key).unlink(missing_ok=True)


class BackupInbox:
    """The inbox of a site; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep versions in *database*."""
        self._database = database
        self._save_head = upsert(backup_heads, database.dialect)
        serial = backup_heads.c.serial == bindparam("digits")
        digits: BindParameter[str] = bindparam("serials", expanding=True)
        self._heads = select(backup_heads).where(backup_heads.c.serial.in_(digits))
        columns = (backup_heads.c.serial, backup_heads.c.fingerprint, backup_heads.c.length, backup_heads.c.doubtful)
        self._last = select(*columns).where(backup_heads.c.serial.in_(digits))
        self._see = (
            update(backup_heads).where(serial, backup_heads.c.seen < bindparam("at")).values(seen=bindparam("at"))
        )
        self._doubt = update(backup_heads).where(serial).values(doubtful=bindparam("found"))

    def heads(self, serials: Iterable[Serial]) -> dict[Serial, Head]:
        """Return the head of each of *serials* of which anything was ever kept."""
        parameters = {"serials": [serial.digits for serial in serials]}
        with self._database.connection() as connection:
            return {Serial(row.serial): _read_head(row) for row in connection.execute(self._heads, parameters)}

    def last(self, serials: Iterable[Serial]) -> dict[Serial, Last]:
        """Return what counts of the head of each of *serials* that has one, when its next version comes."""
        parameters = {"serials": [serial.digits for serial in serials]}
        with self._database.connection() as connection:
            rows = connection.execute(self._last, parameters).all()
        return {
            Serial(digits): Last(Fingerprint(fingerprint), length, doubtful and Fingerprint(doubtful))
            for digits, fingerprint, length, doubtful in rows
        }

    def save(self, uploads: Iterable[Upload]) -> None:
        """Remember all of *uploads*, in their order, or none if GitupdError is raised."""
        rows: list[dict[str, Any]] = []
        heads: dict[str, dict[str, Any]] = {}
        seen: dict[str, dict[str, Any]] = {}
        doubted: dict[str, dict[str, Any]] = {}
        for upload in uploads:
            digits = upload.serial.digits
            match upload:
                case Incoming():
                    rows.append(_row(upload))
                    heads[digits] = _head(upload)
                    seen.pop(digits, None)
                    doubted.pop(digits, None)
                case SeenAgain(_, at):
                    seen[digits] = {"digits": digits, "at": at}
                case Doubted(_, fingerprint):
                    doubted[digits] = {"digits": digits, "found": fingerprint}
                case _:
                    assert_never(upload)
        with self._database.connection() as connection:
            # Heads before all else, and in one order for everybody, so that two servers never wait for each other.
            for statement, parameters in (
                (self._save_head, [row for _, row in sorted(heads.items())]),
                (self._see, [row for _, row in sorted(seen.items())]),
                (self._doubt, [row for _, row in sorted(doubted.items())]),
                (insert(backup_inbox), rows),
            ):
                if parameters:
                    connection.execute(statement, parameters)

    def waiting(self, most: int, most_bytes: int) -> list[Incoming]:
        """Return the oldest versions that are not in the history yet: at most *most*, and about *most_bytes*."""
        sizes = select(backup_inbox.c.id, backup_inbox.c.length).order_by(backup_inbox.c.id).limit(most)
        with self._database.connection() as connection:
            last, total = 0, 0
            for number, length in connection.execute(sizes):
                if total and total + length > most_bytes:
                    break
                last, total = number, total + length
            rows = select(backup_inbox).where(backup_inbox.c.id <= last).order_by(backup_inbox.c.id)
            return [_incoming(row) for row in connection.execute(rows)]

    def oldest(self) -> datetime | None:
        """Return when the version was received that has been waiting for longest, None if none waits."""
        first = select(backup_inbox.c.received).order_by(backup_inbox.c.id).limit(1)
        with self._database.connection() as connection:
            return connection.scalar(first)

    def keys(self) -> frozenset[str]:
        """Return the keys of all versions that wait."""
        with self._database.connection() as connection:
            return frozenset(connection.scalars(select(backup_inbox.c.key)))

    def files(self, keys: Iterable[str]) -> list[str]:
        """Return those of *keys* whose versions wait in files."""
        statement = select(backup_inbox.c.key).where(backup_inbox.c.key.in_(list(keys)), backup_inbox.c.body.is_(None))
        with self._database.connection() as connection:
            return list(connection.scalars(statement))

    def count(self) -> int:
        """Return how many versions wait."""
        with self._database.connection() as connection:
            return connection.scalar(select(func.count()).select_from(backup_inbox)) or 0

    def give_up(self, lost: Iterable[Incoming]) -> None:
        """Forget versions that can't be read any more, so that their devices' next uploads are kept."""
        versions = list(lost)
        with self._database.connection() as connection:
            for version in versions:
                same = backup_heads.c.fingerprint == version.fingerprint
                connection.execute(delete(backup_heads).where(backup_heads.c.serial == version.serial.digits, same))
            connection.execute(
                delete(backup_inbox).where(backup_inbox.c.key.in_([version.key for version in versions]))
            )

    def forget_heads(self) -> int:
        """Forget what was kept last of devices if it is neither in the history nor on its way there; return how many.

        So their next uploads are kept, although nothing has changed.
        """
        newest = select(func.max(backup_versions.c.id)).group_by(backup_versions.c.serial)
        latest = select(backup_versions.c.serial, backup_versions.c.fingerprint).where(backup_versions.c.id.in_(newest))
        waiting = select(backup_inbox.c.serial, backup_inbox.c.fingerprint)
        head = tuple_(backup_heads.c.serial, backup_heads.c.fingerprint)
        with self._database.connection() as connection:
            result = connection.execute(delete(backup_heads).where(head.not_in(latest), head.not_in(waiting)))
            return int(result.rowcount)


def _read_head(row: Any) -> Head:
    return Head(Fingerprint(row.fingerprint), row.length, row.received, row.seen, row.doubtful)


def _row(upload: Incoming) -> dict[str, Any]:
    return {
        "key": upload.key,
        "serial": upload.serial.digits,
        "received": upload.received,
        "fingerprint": upload.fingerprint,
        "length": upload.length,
        "facts": storable(dict(upload.facts)),
        "body": upload.body,
    }


def _head(upload: Incoming) -> dict[str, Any]:
    return {
        "serial": upload.serial.digits,
        "fingerprint": upload.fingerprint,
        "length": upload.length,
        "received": upload.received,
        "seen": upload.received,
        "doubtful": None,
    }


def _incoming(row: Any) -> Incoming:
    serial, fingerprint = Serial(row.serial), Fingerprint(row.fingerprint)
    return Incoming(row.key, serial, row.received, fingerprint, row.length, row.facts, row.body)
