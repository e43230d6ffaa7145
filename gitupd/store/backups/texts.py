"""What the latest backups of all devices say, as everybody may see it: which lines there are, and who has them."""

from __future__ import annotations

import hashlib
import struct
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, func, insert, select, true, update

from gitupd.core.backups.crowds import crowd, numbers_in, packed_crowd, united, unpacked_crowd
from gitupd.core.backups.version import ListedVersion
from gitupd.core.caller import Serial
from gitupd.core.names import fold
from gitupd.store.backups.index import indexed
from gitupd.store.backups.text_tables import text_devices, text_lines, text_state
from gitupd.store.database import dialect_insert, storable
from gitupd.store.listed import is_among
from gitupd.store.tables import backup_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.backups.text_in_line import TextInLine
    from gitupd.store.database import Database

_AT_ONCE = 500
_ID_BYTES = 8
_LAST = "gitupd.texts"
_MOST_REMEMBERED = 500
"""Lines; of a large fleet, each is some KB with those that have it."""


@dataclass(frozen=True, slots=True)
class ReadBackup:
    """The ``lines`` of a device's latest version, the one with the number ``version`` in the index.

    ``veil`` names what was secret, and so is not in them.
    """

    serial: Serial
    version: int
    veil: str
    lines: frozenset[str]


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A line that so many ``devices`` have in their latest backups; ``holders`` are they, as a packed crowd."""

    id: int
    text: str
    devices: int
    holders: bytes


def line_id(text: str) -> int:
    """Return what a line is called: 63 bits, of which two lines of a site don't have the same by chance."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_ID_BYTES).digest(), "little") >> 1


class BackupTexts:
    """The lines of the latest backups of a site; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep them in *database*."""
        self._database = database
        self._save_device = _saving(database.dialect)

    # Reading what is new

    def due(self, limit: int) -> tuple[list[ListedVersion], int]:
        """Return the next *limit* latest versions that nobody has read, and the number of the last of them."""
        column, later = backup_versions.c, backup_versions.alias()
        is_latest = ~exists().where(later.c.serial == column.serial, later.c.id > column.id)
        with self._database.connection() as connection:
            through = _state(connection)[0]
            unread = select(backup_versions).where(column.id > through, is_latest).order_by(column.id).limit(limit)
            rows = connection.execute(unread).all()
        return [ListedVersion(row.id, indexed(row), None) for row in rows], rows[-1].id if rows else through

    def stale(self, veil: str, limit: int) -> list[ListedVersion]:
        """Return *limit* latest versions that were read while something else was secret."""
        both = text_devices.join(backup_versions, backup_versions.c.id == text_devices.c.version)
        statement = select(backup_versions).select_from(both).where(text_devices.c.veil != veil).limit(limit)
        with self._database.connection() as connection:
            return [ListedVersion(row.id, indexed(row), None) for row in connection.execute(statement)]

    def keep(self, backups: Sequence[ReadBackup], through: int | None = None) -> None:
        """Keep what *backups* say instead of what these devices had before.

        *through* is the last version that was looked at, None if these were read anew.
        """
        with self._database.connection() as connection:
            known = _known(connection, [backup.serial for backup in backups])
            after = {backup.serial: _by_id(backup.lines) for backup in backups}
            before = {serial: _ids(row.lines) for serial, row in known.items()}
            if backups:
                connection.execute(self._save_device, [_row(each, after[each.serial]) for each in backups])
            numbers = {serial: row.number for serial, row in _known(connection, after).items()}
            came, went = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
            texts: dict[int, str] = {}
            for serial, lines in after.items():
                had = before.get(serial, frozenset())
                for line in lines.keys() - had:
                    came[line].append(numbers[serial])
                    texts[line] = lines[line]
                for line in had - lines.keys():
                    went[line].append(numbers[serial])
            _move(connection, came, went, texts)
            _note(connection, through)

    # What they say

    def lines(self, wanted: TextInLine) -> list[HeldLine]:
        """Return the lines in which *wanted* is found, in no order."""
        with self._database.connection() as connection:
            changes = _state(connection)[1]
            last = _remembered(connection, wanted, changes)
            if last is not None and last.lines is not None:
                return list(last.lines)
            lines = list(_found(connection, wanted))
            _remember(connection, wanted, changes, lines)
            return lines

    def members(self, of: int | None = None) -> dict[int, str]:
        """Return the digits of the serial numbers of the devices in a crowd, by number.

        None are all whose latest backup was read.
        """
        among = true() if of is None else is_among(text_devices.c.number, list(numbers_in(of)))
        return self._numbered(among)

    def numbered(self, serials: Iterable[Serial]) -> dict[int, str]:
        """Return the digits of those of *serials* whose latest backup was read, by number."""
        return self._numbered(is_among(text_devices.c.serial, [serial.digits for serial in serials]))

    def _numbered(self, condition: ColumnElement[bool]) -> dict[int, str]:
        statement = select(text_devices.c.number, text_devices.c.serial).where(condition)
        with self._database.connection() as connection:
            return dict(connection.execute(statement).all())

    def unread(self) -> int:
        """Return of how many devices the latest version has yet to be read."""
        column = backup_versions.c
        with self._database.connection() as connection:
            statement = select(func.count(column.serial.distinct())).where(column.id > _state(connection)[0])
            return connection.scalar(statement) or 0


def holds(connection: Connection, serial: ColumnElement[Any], wanted: TextInLine) -> ColumnElement[bool]:
    """Whether the latest backup of a device holds *wanted*, which is looked for over *connection*."""
    changes = _state(connection)[1]
    last = _remembered(connection, wanted, changes)
    if last is None:
        last = _remember(connection, wanted, changes, _found(connection, wanted))
    numbers = list(numbers_in(last.holders))
    return serial.in_(select(text_devices.c.serial).where(is_among(text_devices.c.number, numbers)))


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Who holds what was looked for, as of so many ``changes``; ``lines`` is None if they are too many to remember."""

    looked_for: tuple[str, bool]
    changes: int
    holders: int
    lines: tuple[HeldLine, ...] | None


def _remembered(connection: Connection, wanted: TextInLine, changes: int) -> _Lookup | None:
    """Return what was found last, for one page asks several times; None if it was something else, or is outdated.

    There were so many *changes* by now.
    """
    last: _Lookup | None = connection.info.get(_LAST)
    return last if last is not None and (last.looked_for, last.changes) == (_key(wanted), changes) else None


def _remember(connection: Connection, wanted: TextInLine, changes: int, lines: Iterable[HeldLine]) -> _Lookup:
    """Remember with the connection what was found, after so many *changes*; *lines* are read one by one."""
    some: list[HeldLine] = []

    def holders() -> Iterator[bytes]:
        for line in lines:
            if len(some) <= _MOST_REMEMBERED:
                some.append(line)
            yield line.holders

    members = united(holders())
    last = _Lookup(_key(wanted), changes, members, tuple(some) if len(some) <= _MOST_REMEMBERED else None)
    connection.info[_LAST] = last
    return last


def _key(wanted: TextInLine) -> tuple[str, bool]:
    """Return the same for all that find the same lines: letter case does not matter."""
    return fold(wanted.text), wanted.whole


def has_backup(serial: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the latest backup of a device was read."""
    return serial.in_(select(text_devices.c.serial))


def _found(connection: Connection, wanted: TextInLine) -> Iterator[HeldLine]:
    position = func.strpos if connection.dialect.name == "postgresql" else func.instr
    column = text_lines.c
    where = position(column.folded, fold(storable(wanted.text))) > 0
    columns = (column.id, column.text, column.devices, column.holders)
    for number, text, devices, holders in connection.execute(select(*columns).where(where)):
        if not wanted.whole or wanted.is_in(text):
            yield HeldLine(number, text, devices, holders)


def _state(connection: Connection) -> tuple[int, int]:
    row = connection.execute(select(text_state.c.through, text_state.c.changes)).first()
    return (0, 0) if row is None else (row.through, row.changes)


def _note(connection: Connection, through: int | None) -> None:
    before, changes = _state(connection)
    connection.execute(delete(text_state))
    values = {"id": 1, "through": before if through is None else through, "changes": changes + 1}
    connection.execute(insert(text_state).values(values))


def _known(connection: Connection, serials: Iterable[Serial]) -> dict[Serial, Any]:
    statement = select(text_devices).where(text_devices.c.serial.in_([serial.digits for serial in serials]))
    return {Serial(row.serial): row for row in connection.execute(statement)}


def _by_id(lines: Iterable[str]) -> dict[int, str]:
    return {line_id(line): line for line in map(storable, lines)}


def _ids(packed: bytes) -> frozenset[int]:
    return frozenset(struct.unpack(f"<{len(packed) // _ID_BYTES}Q", packed))


def _saving(dialect: str) -> Any:
    """Return an insert into the table of devices that updates the row of one that is there, and leaves its number."""
    statement = dialect_insert(text_devices, dialect)
    taken = {name: statement.excluded[name] for name in ("version", "veil", "lines")}
    return statement.on_conflict_do_update(index_elements=["serial"], set_=taken)


def _row(backup: ReadBackup, lines: Mapping[int, str]) -> dict[str, Any]:
    packed = struct.pack(f"<{len(lines)}Q", *lines)
    return {"serial": backup.serial.digits, "version": backup.version, "veil": backup.veil, "lines": packed}


def _move(
    connection: Connection,
    came: Mapping[int, Sequence[int]],
    went: Mapping[int, Sequence[int]],
    texts: Mapping[int, str],
) -> None:
    """Note that devices *came* to lines, whose *texts* are given, and *went* from others."""
    changed = sorted(came.keys() | went.keys())
    for first in range(0, len(changed), _AT_ONCE):
        some = changed[first : first + _AT_ONCE]
        of_them = select(text_lines.c.id, text_lines.c.holders).where(text_lines.c.id.in_(some))
        known = {row.id: unpacked_crowd(row.holders) for row in connection.execute(of_them)}
        new, other, gone = [], [], []
        for line in some:
            members = (known.get(line, 0) | crowd(came.get(line, ()))) & ~crowd(went.get(line, ()))
            held = {"devices": members.bit_count(), "holders": packed_crowd(members)}
            if line not in known:
                new.append({"id": line, "folded": fold(texts[line]), "text": texts[line], **held})
            elif members:
                other.append({"line": line, **held})
            else:
                gone.append(line)
        if new:
            connection.execute(insert(text_lines), new)
        if other:
            values: dict[str, Any] = {name: bindparam(name) for name in ("devices", "holders")}
            connection.execute(update(text_lines).where(text_lines.c.id == bindparam("line")).values(values), other)
        if gone:
            connection.execute(delete(text_lines).where(text_lines.c.id.in_(gone)))
