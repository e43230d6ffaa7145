"""Small charts: from numbers to bars and curves, as coordinates for SVG, and where a click on them leads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitupd.web.language.texts import ngettext
from gitupd.web.pages.links import pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.search import Search
    from gitupd.core.standing import Standings
    from gitupd.service.fleet import EnvironmentStandings, Point, Share

_MOST_BARS = 5
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a bar chart; ``width`` of 100, ``search`` finds what it counts, None if no search does.

    ``chosen`` is whether that is looked for already. ``parts`` are states and the widths of what of it is in them.
    """

    label: str
    count: int
    width: float
    search: str | None = None
    chosen: bool = False
    parts: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve in a box, time to the right, numbers upwards: the points of its ``line`` and of the ``area`` below."""

    width: int
    height: int
    line: str
    area: str


def share_bars(key: str, shares: Sequence[Share], unknown: str, search: Search) -> list[Bar]:
    """Return the largest *shares* of what *search* finds as bars, the rest as one; None is *unknown*.

    Searches call the value *key*. Empty if there is but one value, which tells nothing, unless that is looked for.
    """
    most = len(shares) if len(shares) <= _MOST_BARS else _MOST_BARS - 1
    shown, rest = shares[:most], shares[most:]
    longest = max((share.count for share in shares), default=0)
    drawn = [_facet(share.value or unknown, share.count, longest, pair(key, share.value), search) for share in shown]
    if rest:
        count = sum(share.count for share in rest)
        others = ngettext("%(number)s other", "%(number)s others", len(rest))
        drawn.append(Bar(others, count, min(_part(count, longest), _WHOLE)))
    return drawn if len(drawn) > 1 or any(bar.chosen for bar in drawn) else []


def place_bars(places: Sequence[EnvironmentStandings], total: int, search: Search) -> list[Bar]:
    """Return the first of *places*, of those that *search* finds, as bars whose parts are states.

    What all of *total* devices are in tells nothing, and is left out unless it is looked for.
    """
    telling = [(each, pair("env", each.name)) for each in places]
    telling = [(each, word) for each, word in telling if each.total < total or search.has(word)]
    return [
        replace(_facet(each.name, each.total, each.total, word, search), parts=state_parts(each))
        for each, word in telling[:_MOST_BARS]
    ]


def state_parts(standings: Standings) -> tuple[tuple[str, float, float], ...]:
    """Return where each state begins and how wide it is in a bar that is 100 wide; none for those without devices."""
    parts, start = [], 0
    for state in ("missing", "waiting", "current"):
        count = getattr(standings, state)
        if count:
            parts.append((state, _part(start, standings.total), _part(count, standings.total)))
        start += count
    return tuple(parts)


def _facet(label: str, count: int, longest: int, word: str, search: Search) -> Bar:
    """Return a bar that narrows *search* to *word*, or takes that away if it is looked for."""
    return Bar(label, count, _part(count, longest), search.toggled(word), search.has(word))


def bars(named: Iterable[tuple[str, int, str | None]]) -> list[Bar]:
    """Return bars for labels with counts and searches; the largest count gives the longest bar."""
    counts = list(named)
    longest = max((count for _, count, _ in counts), default=0)
    return [Bar(label, count, _part(count, longest), search) for label, count, search in counts]


def curve(points: Sequence[Point], most: int, width: int = 300, height: int = 80) -> Curve | None:
    """Return the curve through *points* in time, *most* being the top of the box; None if there is nothing to draw."""
    if len(points) < 2 or most <= 0:  # noqa: PLR2004 - a line has two ends
        return None
    start = points[0].at
    seconds = (points[-1].at - start).total_seconds() or 1.0
    places = [
        (width * (point.at - start).total_seconds() / seconds, height * (1 - min(point.count / most, 1)))
        for point in points
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Curve(width, height, line, f"0,{height} {line} {width},{height}")


def _part(count: int, longest: int) -> float:
    return round(100 * count / longest, 1) if longest else 0.0
