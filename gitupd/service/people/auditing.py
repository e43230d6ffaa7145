"""What the audit says, and what became of the deployments that are in it: who deployed what, on how many devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.moments import beginning
from gitupd.core.people.audit import Kind, tallies
from gitupd.service.deployments.changed import changed_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gitupd.core.deployments.convergence import Convergence
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.people.audit import AuditEntry, Tally
    from gitupd.service.deployments.convergence import Measures
    from gitupd.service.site import Site

_DECISIONS = frozenset({Kind.DEPLOY, Kind.ROLLBACK})


@dataclass(frozen=True, slots=True)
class DeploymentOutcome:
    """What came of an entry that is a deployment.

    ``convergence`` is None if it was not measured; ``changed`` is how many files differ from the commit before, None
    if that can't be told, or nothing was deployed before.
    """

    deployment: Deployment
    convergence: Convergence | None
    changed: int | None

    @property
    def devices(self) -> str:
        """On how many of its devices it arrived, empty if that is not known: ``98 of 100 devices``."""
        if self.convergence is None or not self.convergence.counted:
            return ""
        counted = self.convergence.counted
        return f"{self.convergence.confirmed:,} of {counted:,} {'device' if counted == 1 else 'devices'}"


def outcomes(site: Site, measures: Measures, entries: Iterable[AuditEntry]) -> Mapping[int, DeploymentOutcome]:
    """Return by id what came of those *entries* that are deployments."""
    decided = [entry for entry in entries if entry.kind in _DECISIONS]
    made = {(each.at, each.commit): each for each in site.deployments.made_at({entry.at for entry in decided})}
    found = {entry.id: made[key] for entry in decided if (key := (entry.at, entry.subject)) in made}
    measured, changed = measures.of(list(found.values())), changed_files(site, found.values())
    return {number: DeploymentOutcome(each, measured.get(each.id), changed[each.id]) for number, each in found.items()}


@dataclass(frozen=True, slots=True)
class Lately:
    """What was done ``since`` the beginning of yesterday, in numbers."""

    since: datetime
    tallies: tuple[Tally, ...]


def lately(site: Site, now: datetime) -> Lately:
    """Return what was done today and yesterday, by the clock of the site."""
    since = beginning("yesterday", site.settings.zone, now)
    return Lately(since, tallies(site.audit.counts(since)))
