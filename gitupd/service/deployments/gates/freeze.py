"""Whether deployments are frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.freezing import freezing, thaw
from gitupd.core.deployments.objection import Gate, Objection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.deployments.gates.candidate import Candidate


def by_freeze(candidate: Candidate) -> Iterator[Objection]:
    """Yield that nothing is deployed now, by the calendar of the deployed commit."""
    zone, rules = candidate.site.settings.zone, candidate.rule.freeze
    rule = freezing(rules, candidate.now, zone)
    if rule is None:
        return
    end = thaw(rules, candidate.now, zone)
    until = "" if end is None else f" until {end.astimezone(zone):%Y-%m-%d %H:%M}"
    why = f" ({rule.reason})" if rule.reason else ""
    yield Objection(Gate.FREEZE, f"deployments are frozen{until}{why}, by policies/deploy.yaml of the deployed commit")
