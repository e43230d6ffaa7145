"""Which devices are overdue with a backup, as conditions in SQL: the same rules as those of ``Deadline``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, case, false, func, not_, null, or_, select, true

from gitupd.core.backups.overdue import Deadline, Overdue
from gitupd.store.strangers import is_let_in
from gitupd.store.tables import backup_heads, backup_versions, devices

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from gitupd.core.standing import Yardstick

WITH_HEADS = devices.outerjoin(backup_heads, backup_heads.c.serial == devices.c.serial)
"""What the conditions below are about."""


def is_overdue(yardstick: Yardstick, *words: str) -> ColumnElement[bool]:
    """Whether a device is overdue for a reason that *words* name; nobody is while nothing asks for backups."""
    deadline = Deadline.by(yardstick)
    if deadline is None:
        return false()
    late = select(devices.c.serial).select_from(WITH_HEADS).where(because_of(deadline).in_(words))
    return devices.c.serial.in_(late.correlate(None))


def has_uploaded() -> ColumnElement[bool]:
    """Whether a device ever uploaded; what is in the inbox, and not in the history yet, counts, too."""
    version = select(backup_versions.c.id).where(backup_versions.c.serial == devices.c.serial).exists()
    return or_(backup_heads.c.serial.is_not(None), version)


def last_upload() -> ColumnElement[datetime | None]:
    """Return when a device uploaded last; without a head, when its latest version came."""
    versions = backup_versions.c
    received = select(func.max(versions.received)).where(versions.serial == devices.c.serial).scalar_subquery()
    return func.coalesce(backup_heads.c.seen, received, type_=backup_heads.c.seen.type)


def is_in_time(deadline: Deadline) -> ColumnElement[bool]:
    """Whether a device has uploaded since *deadline*; asked once for all of them, and not for each."""
    lately = select(backup_versions.c.serial).where(backup_versions.c.received >= deadline.since)
    without_head = and_(backup_heads.c.serial.is_(None), devices.c.serial.in_(lately))
    return or_(func.coalesce(backup_heads.c.seen >= deadline.since, false()), without_head)


def because_of(deadline: Deadline) -> ColumnElement[str | None]:
    """Return why a device is overdue, NULL if it is not: :meth:`Deadline.verdict` in SQL."""
    present = true() if deadline.present_since is None else devices.c.last_seen >= deadline.present_since
    return case(
        (or_(is_in_time(deadline), not_(is_let_in())), null()),  # of whom nothing is taken, nothing is expected
        (and_(present, has_uploaded()), Overdue.LATE.value),
        (present, Overdue.NEVER.value),
        else_=Overdue.MISSING.value,
    )
