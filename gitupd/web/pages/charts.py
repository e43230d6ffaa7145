"""Small charts: from numbers to bars and curves, as coordinates for SVG, and where a click on them leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.web.pages.links import pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.service.fleet import Point, Share

_MOST_BARS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a bar chart; ``width`` of 100, ``search`` finds what it counts, None if no search does."""

    label: str
    count: int
    width: float
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve in a box, time to the right, numbers upwards: the points of its ``line`` and of the ``area`` below."""

    width: int
    height: int
    line: str
    area: str


def share_bars(key: str, shares: Sequence[Share], unknown: str) -> list[Bar]:
    """Return the largest *shares* of a value that searches call *key* as bars, the rest as one; None is *unknown*."""
    most = len(shares) if len(shares) <= _MOST_BARS else _MOST_BARS - 1
    shown, rest = shares[:most], shares[most:]
    named = [(share.value or unknown, share.count, pair(key, share.value)) for share in shown]
    others: list[tuple[str, int, str | None]] = []
    if rest:
        others.append((f"{len(rest)} others", sum(share.count for share in rest), None))
    return bars([*named, *others])


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
