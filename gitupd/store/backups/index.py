"""The index of the backup history: which versions there are, without a walk through the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, tuple_, update

from gitupd.core.backups.change import Delta, Fingerprint
from gitupd.core.backups.version import BackupVersion
from gitupd.core.caller import Serial
from gitupd.core.snapshot import CommitId
from gitupd.store.audit import append
from gitupd.store.backups.text_tables import text_devices, text_lines, text_state
from gitupd.store.tables import backup_heads, backup_inbox, backup_versions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database


class BackupIndex:
    """The index of a site's history; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep the index in *database*."""
        self._database = database

    def add(self, versions: Iterable[BackupVersion], keys: Iterable[str] = ()) -> None:
        """Append *versions*, which are in the history now, and take those called *keys* out of the inbox."""
        rows, gone = [_row(version) for version in versions], list(keys)
        with self._database.connection() as connection:
            if rows:
                connection.execute(insert(backup_versions), rows)
            if gone:
                connection.execute(delete(backup_inbox).where(backup_inbox.c.key.in_(gone)))

    def tip(self) -> CommitId | None:
        """Return the latest commit that the index knows, None if it is empty."""
        latest = select(backup_versions.c.commit).order_by(backup_versions.c.id.desc()).limit(1)
        with self._database.connection() as connection:
            commit = connection.scalar(latest)
        return None if commit is None else CommitId(commit)

    def latest(self, serials: Iterable[Serial]) -> dict[Serial, BackupVersion]:
        """Return the latest version of each of *serials* that has one."""
        digits = [serial.digits for serial in serials]
        newest = select(func.max(backup_versions.c.id)).where(backup_versions.c.serial.in_(digits))
        statement = select(backup_versions).where(backup_versions.c.id.in_(newest.group_by(backup_versions.c.serial)))
        with self._database.connection() as connection:
            return {Serial(row.serial): indexed(row) for row in connection.execute(statement)}

    def of(self, serial: Serial, limit: int = 100, before: datetime | None = None) -> list[BackupVersion]:
        """Return the versions of a device, the newest first; those received earlier than *before*, None for all."""
        statement = select(backup_versions).where(backup_versions.c.serial == serial.digits)
        if before is not None:
            statement = statement.where(backup_versions.c.received < before)
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(backup_versions.c.id.desc()).limit(limit))
            return [indexed(row) for row in rows]

    def version(self, commit: str) -> BackupVersion | None:
        """Return the version whose commit id begins with *commit*, None if none or several do."""
        column = backup_versions.c.commit
        # A range, since no index helps with LIKE; after the beginning, only digits of a commit id follow.
        statement = select(backup_versions).where(column >= commit, column < f"{commit}g")
        with self._database.connection() as connection:
            rows = connection.execute(statement.limit(2)).all()
        return indexed(rows[0]) if len(rows) == 1 else None

    def newest(self, limit: int = 100) -> list[BackupVersion]:
        """Return the newest versions of all devices, the newest first."""
        statement = select(backup_versions).order_by(backup_versions.c.id.desc()).limit(limit)
        with self._database.connection() as connection:
            return [indexed(row) for row in connection.execute(statement)]

    def at(self, moment: datetime) -> list[BackupVersion]:
        """Return the version that each device had at *moment*, by serial number."""
        newest = select(func.max(backup_versions.c.id)).where(backup_versions.c.received <= moment)
        statement = select(backup_versions).where(backup_versions.c.id.in_(newest.group_by(backup_versions.c.serial)))
        with self._database.connection() as connection:
            return [indexed(row) for row in connection.execute(statement.order_by(backup_versions.c.serial))]

    def behind(self, commit: CommitId | None) -> tuple[int, datetime | None]:
        """Return how many versions came after *commit*, None for all of them, and when the first of them came."""
        columns = backup_versions.c
        last = select(func.coalesce(func.max(columns.id), 0)).where(columns.commit == commit).scalar_subquery()
        statement = select(func.count(), func.min(columns.received)).where(columns.id > last)
        with self._database.connection() as connection:
            count, since = connection.execute(statement).one()
        return int(count), since

    def count(self) -> int:
        """Return how many versions there are."""
        with self._database.connection() as connection:
            return connection.scalar(select(func.count()).select_from(backup_versions)) or 0

    def commits(self) -> frozenset[str]:
        """Return the ids of all commits."""
        with self._database.connection() as connection:
            return frozenset(connection.scalars(select(backup_versions.c.commit)))

    def give_up(self, event: Event) -> None:
        """Forget the index and what was kept last of devices, for the history is lost; *event* goes into the audit.

        What waits in the inbox stays, and becomes the beginning of another history.
        """
        head = tuple_(backup_heads.c.serial, backup_heads.c.fingerprint)
        waiting = select(backup_inbox.c.serial, backup_inbox.c.fingerprint)
        with self._database.connection() as connection:
            connection.execute(delete(backup_versions))
            connection.execute(delete(backup_heads).where(head.not_in(waiting)))
            _forget_texts(connection)
            append(connection, event)

    def clear(self) -> None:
        """Forget the index, which can be made anew from the history."""
        with self._database.connection() as connection:
            connection.execute(delete(backup_versions))
            _forget_texts(connection)


def _forget_texts(connection: Connection) -> None:
    """Forget what the latest versions say, so that it is read anew from the beginning."""
    for table in (text_lines, text_devices):
        connection.execute(delete(table))
    connection.execute(update(text_state).values(through=0, changes=text_state.c.changes + 1))


def _row(version: BackupVersion) -> dict[str, Any]:
    return {
        "serial": version.serial.digits,
        "received": version.received,
        "commit": version.commit,
        "blob": version.blob,
        "fingerprint": version.fingerprint,
        "length": version.length,
        "lines": version.lines,
        "added": version.delta.added,
        "removed": version.delta.removed,
        "facts": dict(version.facts),
    }


def indexed(row: Any) -> BackupVersion:
    """Return the version that a row of the index tells of."""
    return BackupVersion(
        Serial(row.serial),
        row.received,
        CommitId(row.commit),
        row.blob,
        Fingerprint(row.fingerprint),
        row.length,
        row.lines,
        Delta(row.added, row.removed),
        row.facts,
    )
