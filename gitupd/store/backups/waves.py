"""Changes that many devices show alike after a deployment, found in the index of the backup history."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, select

from gitupd.core.backups.version import Wave
from gitupd.store.commits.tables import deployments
from gitupd.store.searching import meeting
from gitupd.store.tables import backup_versions, devices

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, FromClause

    from gitupd.core.search import Search
    from gitupd.core.standing import Yardstick
    from gitupd.store.database import Database

_FEWEST = 3
"""So many devices make a wave."""


class BackupWaves:
    """Reads waves; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Read from *database*."""
        self._database = database

    def after(
        self,
        commits: Iterable[str],
        *,
        between: tuple[datetime, datetime] | None = None,
        of: tuple[Search, Yardstick] | None = None,
    ) -> list[Wave]:
        """Return the waves after any of *commits*: a device is in one with the first version after it got the commit.

        That has as many lines added and removed as the others, about the same topics. *between* are two times, the
        second one excluded; *of* finds the devices. None means all.
        """
        wanted = sorted(set(commits))
        if not wanted:
            return []
        column, earlier = backup_versions.c, backup_versions.alias()
        begun = select(func.min(deployments.c.at)).where(deployments.c.commit.in_(wanted)).scalar_subquery()
        got_before = exists().where(
            and_(earlier.c.serial == column.serial, earlier.c.id < column.id, _got(earlier) == _got(backup_versions))
        )
        topics = column.facts["topics"].as_string()
        statement = select(column.id, _got(backup_versions), topics, column.added, column.removed).where(
            column.received >= begun, _got(backup_versions).in_(wanted), topics.is_not(None), ~got_before
        )
        if between is not None:
            statement = statement.where(column.received >= between[0], column.received < between[1])
        alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        with self._database.connection() as connection:
            if of is not None:
                statement = statement.where(column.serial.in_(select(devices.c.serial).where(meeting(*of, connection))))
            for number, *key in connection.execute(statement.order_by(column.id.desc())):
                alike[tuple(key)].append(number)
        return [Wave(key[0], tuple(numbers)) for key, numbers in alike.items() if len(numbers) >= _FEWEST]


def _got(versions: FromClause) -> ColumnElement[str]:
    """Return the commit that a device had got when it uploaded."""
    got: ColumnElement[str] = versions.c.facts["delivered"].as_string()
    return got
