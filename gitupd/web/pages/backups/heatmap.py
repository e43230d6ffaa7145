"""A calendar of changes per day: from counts to squares for SVG, in columns by week and in rows by weekday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from gitupd.web.language.forms import month, short_month, short_weekday

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STEP = 13
_SIZE = 10
_LEFT, _TOP = 30, 18
_LEVELS = 4
_ROOM_FOR_A_MONTH = 3
"""Weeks between two names of months, at least."""

_NAMED_ROWS = (0, 2, 4)
"""Rows that have a name: Monday, Wednesday, Friday."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day at its place; ``level`` is 0 for a day without changes, up to 4 for those with the most.

    ``deployments`` are how many there were that day.
    """

    day: date
    count: int
    level: int
    x: int
    y: int
    deployments: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """A text at its place."""

    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Month:
    """A month in words: how many changes there were, and on which days."""

    title: str
    count: int
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """The calendar: ``size`` is the side of a square, ``months`` tell the same in words, the latest first."""

    width: int
    height: int
    size: int
    days: tuple[Day, ...]
    labels: tuple[Label, ...]
    months: tuple[Month, ...]

    @property
    def total(self) -> int:
        """How many changes there are in all."""
        return sum(day.count for day in self.days)


def first_day(today: date) -> date:
    """Return the first day of a calendar that ends with *today*: a Monday, about a year before."""
    start = today - timedelta(days=364)
    return start - timedelta(days=start.weekday())


def heatmap(counts: Mapping[date, int], today: date, deployments: Mapping[date, int] = MappingProxyType({})) -> Heatmap:
    """Return the calendar of the year that ends with *today*.

    Days without changes need not be in *counts*, nor those without any in *deployments*.
    """
    start = first_day(today)
    most = _bounds([count for day, count in counts.items() if start <= day <= today])
    days = tuple(
        _day(day, counts.get(day, 0), most, (day - start).days, deployments.get(day, 0))
        for day in (start + timedelta(days=number) for number in range((today - start).days + 1))
    )
    rows = [Label(short_weekday(days[row].day), 0, _TOP + row * _STEP + _SIZE - 1) for row in _NAMED_ROWS]
    labels = (*_month_labels(days), *rows)
    return Heatmap(days[-1].x + _STEP, _TOP + 7 * _STEP, _SIZE, days, labels, _months(days))


def _bounds(counts: Sequence[int]) -> list[int]:
    """Return the largest counts of the levels: as many days on each, so that one busy day doesn't pale all others."""
    ordered = sorted(count for count in counts if count)
    return [ordered[len(ordered) * level // _LEVELS] for level in range(1, _LEVELS)] if ordered else []


def _day(day: date, count: int, bounds: Sequence[int], number: int, deployments: int) -> Day:
    level = 1 + sum(count > bound for bound in bounds) if count else 0
    return Day(day, count, level, _LEFT + number // 7 * _STEP, _TOP + number % 7 * _STEP, deployments)


def _month_labels(days: Sequence[Day]) -> list[Label]:
    """Return the names of months above the weeks in which they begin, as far as there is room for them."""
    labels: list[Label] = []
    for day in days:
        if day.day.day != 1 and day is not days[0]:
            continue
        if labels and day.x - labels[-1].x < _ROOM_FOR_A_MONTH * _STEP:
            labels.pop()  # the rest of a month with which the calendar begins
        labels.append(Label(short_month(day.day), day.x, _TOP - 6))
    return labels


def _months(days: Sequence[Day]) -> tuple[Month, ...]:
    found: dict[str, list[Day]] = {}
    for day in reversed(days):
        if day.count or day.deployments:
            found.setdefault(month(day.day), []).append(day)
    return tuple(Month(title, sum(day.count for day in some), tuple(some)) for title, some in found.items())
