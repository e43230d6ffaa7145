"""Whether deployments are frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.freezing import freezing, thaw
from gitupd.core.deployments.objection import Gate, Objection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gitupd.core.deployments.freezing import FreezeRule
    from gitupd.service.deployments.gates.candidate import Candidate
    from gitupd.service.site import Site


def by_freeze(candidate: Candidate) -> Iterator[Objection]:
    """Yield that nothing is deployed now: somebody has ordered that, or the calendar of the deployed commit says so."""
    yield from frozen(candidate.site, candidate.rule.freeze, candidate.now)


def frozen(site: Site, rules: Iterable[FreezeRule], now: datetime) -> Iterator[Objection]:
    """Yield why deployments at *site* are frozen *now*: somebody's order, or one of the *rules* of the calendar."""
    zone, rules = site.settings.zone, tuple(rules)

    def until(end: datetime | None) -> str:
        return "" if end is None else f" until {end.astimezone(zone):%Y-%m-%d %H:%M}"

    if (order := site.freezes.current(now)) is not None:
        text = f"{order.who} has frozen deployments{until(order.until)}: {order.reason}"
        yield Objection(Gate.FREEZE, text, who=order.who)
    if (rule := freezing(rules, now, zone)) is not None:
        why = f": {rule.reason}" if rule.reason else ""
        yield Objection(Gate.FREEZE, f"deployments are frozen{until(thaw(rules, now, zone))} by the calendar{why}")
