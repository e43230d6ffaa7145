"""Which devices are overdue with a backup, and why: one answer for pages, commands, metrics and alarms.

``store/backups/timeline.py`` says the same in SQL, to count; a test compares both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.standing import Yardstick

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.policy import Policy

_WEEK = timedelta(days=7)
"""How long a device may go without an upload where none ever counts as missing."""


class Overdue(StrEnum):
    """Why there is no new backup of a device; the first two are worth an alarm about backups."""

    LATE = "late"  # it calls, and has uploaded before, but not lately
    NEVER = "never"  # it calls, and has never uploaded
    MISSING = "missing"  # it does not even call


@dataclass(frozen=True, slots=True)
class Deadline:
    """Devices that call should have uploaded at ``since`` or later, which is ``span`` before now.

    A device last seen before ``present_since`` is missing, None if none ever is.
    """

    span: timedelta
    since: datetime
    present_since: datetime | None

    @classmethod
    def of(cls, policy: Policy, now: datetime, span: timedelta | None = None) -> Deadline | None:
        """Return the deadline that *policy* gives, None while it has backups switched off: nothing is overdue then.

        *span* None stands for as long as a device may be missing for.
        """
        return cls.by(Yardstick.of(policy, None, now), span)

    @classmethod
    def by(cls, yardstick: Yardstick, span: timedelta | None = None) -> Deadline | None:
        """Return the same for what devices are held against."""
        if not yardstick.backups:
            return None
        since = yardstick.present_since
        span = span or (yardstick.now - since if since else _WEEK)
        return cls(span, yardstick.now - span, since)

    def verdict(self, last_seen: datetime | None, uploaded: datetime | None) -> Overdue | None:
        """Return why a device is overdue, None if it is not; *uploaded* is when it did so last, None for never."""
        if uploaded is not None and uploaded >= self.since:
            return None
        if self.present_since is not None and (last_seen is None or last_seen < self.present_since):
            return Overdue.MISSING
        return Overdue.NEVER if uploaded is None else Overdue.LATE


@dataclass(frozen=True, slots=True)
class OverdueDevice:
    """A device that is overdue; ``uploaded`` is when it uploaded last, None for never."""

    serial: Serial
    name: str | None
    model: str | None
    last_seen: datetime | None
    uploaded: datetime | None
    because: Overdue


@dataclass(frozen=True, slots=True)
class OverdueCounts:
    """How many devices are overdue, by why."""

    late: int = 0
    never: int = 0
    missing: int = 0
