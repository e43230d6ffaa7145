"""The devices of a site that are overdue with a backup, as pages, commands and metrics tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.backups.overdue import Deadline, OverdueCounts

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from gitupd.core.backups.overdue import OverdueDevice
    from gitupd.core.caller import Serial
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site


class OverdueBackups:
    """Who is overdue at one moment; nobody is while nothing asks devices for backups."""

    def __init__(self, site: Site, live: Live | None, now: datetime, span: timedelta | None = None) -> None:
        """Look at *site* at the time *now* for devices without an upload for *span*, None for as the policy has it."""
        self._timeline = site.backup_timeline
        self.deadline = Deadline.of(live.snapshot.policy, now, span) if live else None

    def count(self) -> OverdueCounts:
        """Count them."""
        return self._timeline.count_overdue(self.deadline) if self.deadline else OverdueCounts()

    def late(self, limit: int, after: Serial | None = None) -> list[OverdueDevice]:
        """Return those that have uploaded before, by serial number: those behind *after*, missing ones as well."""
        return self._timeline.late(self.deadline, limit, after) if self.deadline else []

    def never(self, limit: int, after: Serial | None = None) -> list[OverdueDevice]:
        """Return those that never uploaded, by serial number: those behind *after*, missing ones as well."""
        return self._timeline.never(self.deadline, limit, after) if self.deadline else []
