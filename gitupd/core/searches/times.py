"""When devices called last, as searches write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_AGES = re.compile(r"(?P<than>[<>])?(?P<one>[0-9]{1,5}[mhd])(?:(?:-|\.\.)(?P<other>[0-9]{1,5}[mhd]))?")
_DATES = re.compile(r"(?P<than>[<>])?(?P<one>\d{4}-\d\d-\d\d)(?:\.\.(?P<other>\d{4}-\d\d-\d\d))?", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Seen:
    """When a device called last: longer ago than ``beyond``, and within ``within``; None if that does not matter."""

    beyond: timedelta | None
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class SeenOn:
    """When a device called last: on the days (of the site) from ``first`` to ``last``; None leaves that side open."""

    first: date | None
    last: date | None


def seen_within(value: str) -> Seen | None:
    """Return what ``15m``, ``1h-1d`` or ``>30d`` stands for, None for anything else."""
    match = _AGES.fullmatch(value)
    if match is None or (match["than"] and match["other"]):
        return None
    one = _age(match["one"])
    if match["than"] == ">":
        return Seen(beyond=one, within=None)
    return Seen(beyond=one, within=_age(match["other"])) if match["other"] else Seen(beyond=None, within=one)


def seen_on(value: str) -> SeenOn | None:
    """Return what ``2026-05-01``, ``2026-05-01..2026-05-07`` or ``<2026-05-01`` stands for, None for anything else."""
    match = _DATES.fullmatch(value)
    if match is None or (match["than"] and match["other"]):
        return None
    try:
        one, other = date.fromisoformat(match["one"]), date.fromisoformat(match["other"] or match["one"])
        match match["than"]:
            case "<":
                return SeenOn(None, one - timedelta(days=1))
            case ">":
                return SeenOn(one + timedelta(days=1), None)
            case _:
                return SeenOn(one, other)
    except (ValueError, OverflowError):
        return None  # there is no such day


def _age(text: str) -> timedelta:
    return int(text[:-1]) * _UNITS[text[-1]]
