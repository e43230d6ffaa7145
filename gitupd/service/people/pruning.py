"""What the audit does not keep any more: removed some thousand entries at a time, which it tells itself."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from gitupd.core.people.audit import Event, Kind, Topic
from gitupd.core.words import counted, duration

if TYPE_CHECKING:
    from gitupd.core.policy import AuditKeeping
    from gitupd.service.site import Site

_AT_ONCE = 5_000
_WHO = "gitupd"


class AuditPruning:
    """Removes what is older than a policy keeps, once a day, by whole days of the site's clock."""

    def __init__(self, site: Site) -> None:
        """Prune the audit of *site*."""
        self._site = site
        self._pruned: dict[Topic, datetime] = {}

    def step(self, keeping: AuditKeeping, now: datetime) -> int:
        """Remove some thousand entries that *keeping* has no use for, if there are any; return how many.

        Each thousand go in one transaction with the entry that tells it.
        """
        removed = 0
        for topic in Topic:
            seconds = keeping.of(topic)
            first = self._first_kept(seconds, now) if seconds else None
            if first is None or self._pruned.get(topic) == first:
                continue
            gone = self._prune(topic, first, seconds, now)
            if gone < _AT_ONCE:
                self._pruned[topic] = first
            removed += gone
        return removed

    def _first_kept(self, seconds: int, now: datetime) -> datetime:
        zone = self._site.settings.zone
        day = (now - timedelta(seconds=seconds)).astimezone(zone).date()
        return datetime.combine(day, time(), zone)

    def _prune(self, topic: Topic, first: datetime, seconds: int, now: datetime) -> int:
        kept = f"before {first:%Y-%m-%d}, for {topic} are kept for {duration(seconds)}"

        def told(count: int) -> Event:
            return Event(now, _WHO, Kind.AUDIT_PRUNE, topic, f"{counted(count, 'entry', 'entries')} {kept}")

        return self._site.audit.prune(topic, first, _AT_ONCE, told)
