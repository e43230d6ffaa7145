"""When deployments are frozen, by the calendar of the deployed commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

_HOUR = timedelta(hours=1)
_MOST_STEPS = 1000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class FreezeRule:
    """A time in which nothing is deployed by itself: when all that it names holds, in the time zone of the site.

    ``days`` of the week count from Monday, 0, ``hours`` are those of the clock, empty for all. ``start`` and ``end``
    are the clock's time, without a zone; ``end`` is the first moment that is free again. None: not bounded.
    """

    days: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    start: datetime | None = None
    end: datetime | None = None
    reason: str = ""

    @property
    def words(self) -> str:
        """When it is, in words that end a sentence."""
        said = []
        if self.days:
            said.append(f"on {', '.join(DAYS[day].capitalize() for day in sorted(self.days))}")
        if self.hours:
            said.append(f"in the hours {', '.join(map(str, sorted(self.hours)))}")
        if self.start is not None:
            said.append(f"from {self.start:%Y-%m-%d %H:%M}")
        if self.end is not None:
            said.append(f"until {self.end:%Y-%m-%d %H:%M}")
        return " ".join(said)

    def holds(self, at: datetime, zone: tzinfo) -> bool:
        """Whether *at*, which is aware, is in it."""
        local = at.astimezone(zone)
        return (
            (not self.days or local.weekday() in self.days)
            and (not self.hours or local.hour in self.hours)
            and (self.start is None or at >= _moment(self.start, zone))
            and (self.end is None or at < _moment(self.end, zone, fold=1))
        )

    def next_look(self, at: datetime, zone: tzinfo) -> datetime | None:
        """Return until when it holds at least, if it holds *at*; None if it never ends."""
        local = at.astimezone(zone).replace(tzinfo=None)
        ends = []
        if self.hours:
            ends.append(local.replace(minute=0, second=0, microsecond=0) + _HOUR)
        elif self.days:
            ends.append(local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1))
        moments = [max(_moment(end, zone), at + timedelta(seconds=1)) for end in ends]
        if self.end is not None:
            moments.append(_moment(self.end, zone, fold=1))
        return min(moments, default=None)


def _moment(local: datetime, zone: tzinfo, fold: int = 0) -> datetime:
    """Return when the clock shows *local*, which it does twice in the hour that is put back: the second is *fold* 1."""
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def freezing(rules: Iterable[FreezeRule], at: datetime, zone: tzinfo) -> FreezeRule | None:
    """Return the first of *rules* that holds *at*, None if none does."""
    return next((rule for rule in rules if rule.holds(at, zone)), None)


def thaw(rules: Iterable[FreezeRule], at: datetime, zone: tzinfo) -> datetime | None:
    """Return when none of *rules* holds any more, from *at* on; None if that is never, or not within some weeks."""
    rules, moment = tuple(rules), at.astimezone(UTC)
    for _ in range(_MOST_STEPS):
        rule = freezing(rules, moment, zone)
        if rule is None:
            return moment
        later = rule.next_look(moment, zone)
        if later is None:
            return None
        moment = later
    return None
