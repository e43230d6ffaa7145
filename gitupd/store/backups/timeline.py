"""The backup history in numbers and lists, as pages show it: counted, by day, by device; each in a statement or two."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, and_, cast, func, literal_column, or_, select, true

from gitupd.core.backups.overdue import Overdue, OverdueCounts, OverdueDevice
from gitupd.core.backups.version import Counts, DeviceBackups, Extent, ListedVersion
from gitupd.core.caller import Serial
from gitupd.store.backups.index import indexed
from gitupd.store.backups.lateness import WITH_HEADS, because_of, has_uploaded, is_in_time, last_upload
from gitupd.store.listed import is_among
from gitupd.store.searching import meeting
from gitupd.store.tables import backup_heads, backup_versions, devices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, tzinfo

    from sqlalchemy import ColumnElement, Connection, Select

    from gitupd.core.backups.overdue import Deadline
    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.search import Search
    from gitupd.core.standing import Yardstick
    from gitupd.store.database import Database

_AT_ONCE = 500
_QUARTER = 15 * 60
"""Seconds of a quarter of an hour."""
_NAME = func.coalesce(devices.c.given_name, devices.c.own_name).label("name")
_IN_TIME_AND_BY_DEVICE = backup_versions.outerjoin(devices, devices.c.serial == backup_versions.c.serial)


class BackupTimeline:
    """Reads the index for pages; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Read from *database*."""
        self._database = database

    def counts(self, lately: datetime) -> Counts:
        """Count what there is; *lately* is the time from which on a change counts as one of today."""
        column = backup_versions.c
        with self._database.connection() as connection:
            versions, several = connection.execute(select(func.count(), func.count(column.serial.distinct()))).one()
            changed = connection.scalar(select(func.count(column.serial.distinct())).where(column.received >= lately))
            return Counts(versions, several, changed or 0)

    def per_day(self, since: datetime, zone: tzinfo) -> Sequence[tuple[date, int]]:
        """Return how many versions were received each day of *zone* from *since* on; no empty days.

        The database counts by quarters of an hour, of which each is in one day, whatever the zone.
        """
        received = backup_versions.c.received
        is_postgresql = self._database.dialect == "postgresql"
        seconds = func.extract("epoch", received) if is_postgresql else func.strftime("%s", received)
        quarter = cast(func.floor(seconds) if is_postgresql else seconds, Integer) / literal_column(str(_QUARTER))
        statement = select(quarter, func.count()).where(received >= since).group_by(quarter)
        days: Counter[date] = Counter()
        with self._database.connection() as connection:
            for number, count in connection.execute(statement):
                days[datetime.fromtimestamp(int(number) * _QUARTER, zone).date()] += int(count)
        return sorted(days.items())

    def versions(
        self,
        limit: int,
        *,
        before: int | None = None,
        between: tuple[datetime, datetime] | None = None,
        of: tuple[Search, Yardstick] | None = None,
    ) -> list[ListedVersion]:
        """Return the newest versions, the newest first: those behind the one with the number *before*.

        *between* are two times, the second one excluded; *of* finds the devices. None means all.
        """
        column = backup_versions.c
        statement = select(backup_versions, _NAME).select_from(_IN_TIME_AND_BY_DEVICE)
        if between is None:
            statement = statement.order_by(column.id.desc())
        else:  # by time, so that the index of times leads straight there
            statement = statement.order_by(column.received.desc(), column.id.desc())
            statement = statement.where(column.received >= between[0], column.received < between[1])
        if before is not None:
            statement = statement.where(column.id < before if between is None else _earlier_than(before))
        with self._database.connection() as connection:
            if of is not None:
                statement = statement.where(column.serial.in_(_serials(of, connection)))
            return [ListedVersion(row.id, indexed(row), row.name) for row in connection.execute(statement.limit(limit))]

    def kept(
        self, limit: int, *, after: Serial | None = None, of: tuple[Search, Yardstick] | None = None
    ) -> list[DeviceBackups]:
        """Return what is kept of devices, by serial number: those behind *after*, None for the first ones."""
        column = backup_versions.c
        group = select(func.max(column.id).label("latest"), func.count().label("count")).group_by(column.serial)
        if after is not None:
            group = group.where(column.serial > after.digits)
        with self._database.connection() as connection:
            if of is not None:
                group = group.where(column.serial.in_(_serials(of, connection)))
            rows = connection.execute(_with_latest(group.order_by(column.serial).limit(limit)))
            return [DeviceBackups(indexed(row), row.name, row.number, row.seen) for row in rows]

    def latest(self, of: Iterable[Serial] | None = None) -> list[tuple[Serial, str]]:
        """Return the blob of the latest version of each device, the newest first: about as they lie in the history.

        *of* are those that are asked for, None for all.
        """
        column = backup_versions.c
        newest = select(func.max(column.id)).group_by(column.serial)
        if of is not None:
            newest = newest.where(is_among(column.serial, [serial.digits for serial in of]))
        statement = select(column.serial, column.blob).where(column.id.in_(newest)).order_by(column.id.desc())
        with self._database.connection() as connection:
            return [(Serial(row.serial), row.blob) for row in connection.execute(statement)]

    def blobs(self, limit: int, before: int | None = None) -> list[tuple[int, Serial, str]]:
        """Return number, device and blob of the newest versions, the newest first: with a number below *before*."""
        column = backup_versions.c
        statement = select(column.id, column.serial, column.blob).order_by(column.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(column.id < before)
        with self._database.connection() as connection:
            return [(row.id, Serial(row.serial), row.blob) for row in connection.execute(statement)]

    def numbered(self, numbers: Sequence[int]) -> dict[int, ListedVersion]:
        """Return the versions with these numbers."""
        versions: dict[int, ListedVersion] = {}
        statement = select(backup_versions, _NAME).select_from(_IN_TIME_AND_BY_DEVICE)
        with self._database.connection() as connection:
            for first in range(0, len(numbers), _AT_ONCE):
                some = statement.where(backup_versions.c.id.in_(numbers[first : first + _AT_ONCE]))
                versions |= {row.id: ListedVersion(row.id, indexed(row), row.name) for row in connection.execute(some)}
        return versions

    def names(self, serials: Iterable[Serial]) -> dict[Serial, str]:
        """Return what devices are called, those that have a name."""
        digits = [serial.digits for serial in serials]
        names: dict[Serial, str] = {}
        with self._database.connection() as connection:
            for first in range(0, len(digits), _AT_ONCE):
                some = select(devices.c.serial, _NAME).where(devices.c.serial.in_(digits[first : first + _AT_ONCE]))
                names |= {Serial(row.serial): row.name for row in connection.execute(some) if row.name}
        return names

    def late(self, deadline: Deadline, limit: int, after: Serial | None = None) -> list[OverdueDevice]:
        """Return overdue devices that have uploaded before, by serial number: those behind *after*."""
        return self._overdue(deadline, has_uploaded(), limit, after)

    def never(self, deadline: Deadline, limit: int, after: Serial | None = None) -> list[OverdueDevice]:
        """Return devices that never uploaded, by serial number: those behind *after*."""
        return self._overdue(deadline, ~has_uploaded(), limit, after)

    def _overdue(
        self, deadline: Deadline, which: ColumnElement[bool], limit: int, after: Serial | None
    ) -> list[OverdueDevice]:
        behind = true() if after is None else devices.c.serial > after.digits
        columns = (devices.c.serial, _NAME, devices.c.model, devices.c.last_seen, last_upload().label("uploaded"))
        statement = select(*columns).select_from(WITH_HEADS).where(~is_in_time(deadline), which, behind)
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(devices.c.serial).limit(limit)).all()
        return [
            OverdueDevice(Serial(row.serial), row.name, row.model, row.last_seen, row.uploaded, because)
            for row in rows
            if (because := deadline.verdict(row.last_seen, row.uploaded)) is not None
        ]

    def count_overdue(self, deadline: Deadline) -> OverdueCounts:
        """Count the devices that are overdue, by why."""
        reasons = select(because_of(deadline).label("because")).select_from(WITH_HEADS).subquery()
        statement = select(reasons.c.because, func.count()).group_by(reasons.c.because)
        with self._database.connection() as connection:
            counts = {because: int(count) for because, count in connection.execute(statement)}
        return OverdueCounts(**{reason.value: counts.get(reason.value, 0) for reason in Overdue})

    def extent(self, serial: Serial, between: tuple[datetime, datetime] | None = None) -> Extent:
        """Return how many versions of a device there are, and since when; those *between* two times, None for all."""
        column = backup_versions.c
        statement = select(func.count(), func.min(column.received), func.max(column.received))
        statement = statement.where(column.serial == serial.digits)
        if between is not None:
            statement = statement.where(column.received >= between[0], column.received < between[1])
        with self._database.connection() as connection:
            return Extent(*connection.execute(statement).one())

    def before(self, version: BackupVersion) -> BackupVersion | None:
        """Return the version of the same device before *version*, None if that is the first."""
        column = backup_versions.c
        number = select(column.id).where(column.commit == version.commit).scalar_subquery()
        statement = select(backup_versions).where(column.serial == version.serial.digits, column.id < number)
        with self._database.connection() as connection:
            row = connection.execute(statement.order_by(column.id.desc()).limit(1)).first()
        return None if row is None else indexed(row)

    def after(self, version: BackupVersion) -> BackupVersion | None:
        """Return the version of the same device after *version*, None if that is the latest."""
        column = backup_versions.c
        number = select(column.id).where(column.commit == version.commit).scalar_subquery()
        statement = select(backup_versions).where(column.serial == version.serial.digits, column.id > number)
        with self._database.connection() as connection:
            row = connection.execute(statement.order_by(column.id).limit(1)).first()
        return None if row is None else indexed(row)


def _earlier_than(number: int) -> ColumnElement[bool]:
    """Return the condition that a version comes behind the one with that *number* in a list by time."""
    column, other = backup_versions.c, backup_versions.alias()
    received = select(other.c.received).where(other.c.id == number).scalar_subquery()
    return and_(column.received <= received, or_(column.received < received, column.id < number))


def _with_latest(group: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return the latest versions of a *group* by device, with what else is known of these."""
    some, column = group.subquery(), backup_versions.c
    joined = backup_versions.join(some, some.c.latest == column.id)
    joined = joined.outerjoin(devices, devices.c.serial == column.serial)
    joined = joined.outerjoin(backup_heads, backup_heads.c.serial == column.serial)
    statement = select(backup_versions, _NAME, some.c["count"].label("number"), backup_heads.c.seen)
    return statement.select_from(joined).order_by(column.serial)


def _serials(of: tuple[Search, Yardstick], connection: Connection) -> Select[tuple[str]]:
    return select(devices.c.serial).where(meeting(*of, connection))
