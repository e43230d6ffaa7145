"""The environments of a fleet, as they stand: for pages, for programs and in a terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from gitupd.core.standing import Standings
from gitupd.service.fleet import Share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.service.fleet import Fleet

Order = Literal["worst", "name", "devices", "missing", "waiting", "warned", "drifted", "overdue"]
ORDERS: tuple[Order, ...] = ("worst", "name", "devices", "missing", "waiting", "warned", "drifted", "overdue")
"""What environments are sorted by: by name from the first on, by anything else from the most on."""


@dataclass(frozen=True, slots=True)
class EnvironmentOverview(Standings):
    """How the devices of an environment stand.

    ``drifted`` are those whose backup is not as they were told, ``overdue`` those that call and should have uploaded
    one; ``firmware`` and ``commits`` are what they run, that of most devices first, None where it is not known.
    """

    drifted: int
    overdue: int
    name: str
    firmware: tuple[Share, ...]
    commits: tuple[Share, ...]


_NUMBERS = (*(each.name for each in fields(Standings)), "drifted", "overdue")


def environments_of(fleet: Fleet, order: Order = "worst") -> tuple[EnvironmentOverview, ...]:
    """Return the environments that devices are in.

    ``worst`` are those first of which the greatest part is missing, and then those of which the greatest part waits.
    """
    numbers: dict[str, Counter[str]] = {}
    builds: dict[str, Counter[str | None]] = {}
    commits: dict[str, Counter[str | None]] = {}
    for stock in fleet.stocks():
        for name in stock.environments:
            numbers.setdefault(name, Counter()).update({each: getattr(stock, each) for each in _NUMBERS})
            builds.setdefault(name, Counter())[stock.firmware] += stock.total
            commits.setdefault(name, Counter())[stock.commit] += stock.total
    found = (
        EnvironmentOverview(**counts, name=name, firmware=_shares(builds[name]), commits=_shares(commits[name]))
        for name, counts in numbers.items()
    )
    return tuple(sorted(found, key=lambda each: rank(each, order)))


def rank(each: EnvironmentOverview, order: Order = "worst") -> tuple[float, float, str]:
    """Return what environments are sorted by for an *order*."""
    match order:
        case "worst":
            return -each.missing / each.total, -each.waiting / each.total, each.name
        case "name":
            return 0, 0, each.name.lower()
        case "devices":
            return -each.total, 0, each.name
        case _:
            return -getattr(each, order), 0, each.name


def _shares(counts: Counter[str | None]) -> tuple[Share, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return tuple(Share(value, count) for value, count in ordered)


def environment_facts(environments: Iterable[EnvironmentOverview]) -> list[dict[str, Any]]:
    """Return *environments* as values of JSON."""
    return [
        {
            "name": each.name,
            "total": each.total,
            **{name: getattr(each, name) for name in ("present", "missing", "current", "waiting", "warned")},
            "drifted": each.drifted,
            "overdue": each.overdue,
            "firmware": [asdict(share) for share in each.firmware],
            "commits": [asdict(share) for share in each.commits],
        }
        for each in environments
    ]
