"""How far deployments have come, for pages, the API, commands and metrics: all of them tell these figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.convergence import compared, progress
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gitupd.core.deployments.convergence import Convergence, Holding, Progress
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.device import Device
    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.store.convergence.overview import Overview

_BEFORE = 30
"""So many deployments before one are looked through for some to compare it with."""


class Measures:
    """The deployments of a site in numbers, as they are at one moment."""

    def __init__(self, site: Site, live: Live | None, now: datetime) -> None:
        """Look at *site* at the time *now*; *live* None means that nothing was deployed yet."""
        self._site, self._live = site, live
        self._yardstick = Fleet(site, live, now).yardstick
        self._found: dict[int, Convergence] = {}

    def of(self, made: Sequence[Deployment]) -> Mapping[int, Convergence]:
        """Return those of the deployments *made* that were measured, by their numbers."""
        found = self._site.convergences.of([each for each in made if each.id not in self._found], self._yardstick)
        self._found.update(found)
        return {each.id: self._found[each.id] for each in made if each.id in self._found}

    def one(self, deployment: Deployment | None) -> Convergence | None:
        """Return a *deployment* in numbers, None if it was not measured."""
        return None if deployment is None else self.of([deployment]).get(deployment.id)

    def live(self) -> Convergence | None:
        """Return the deployment that is live in numbers, None if there is none, or it is not measured yet."""
        return self.one(self._live.deployment if self._live else None)

    def pace(self, one: Convergence | None) -> str:
        """Return how fast *one* converges beside those before it; empty if that can't be said honestly."""
        if one is None:
            return ""
        earlier = self._site.deployments.latest(_BEFORE, one.deployment)
        measured = self.of(earlier)
        return compared(one, [measured[each.id] for each in earlier if each.id in measured])

    def progress(self, device: Device) -> Progress | None:
        """Return what *device* has reached in the deployment that is live, None if it does not count in it."""
        counts, touched = self._site.convergences.touched(self._yardstick.deployment, device.serial)
        if not counts:
            return None
        return progress(device, self._yardstick, touched, self._site.convergences.held(device.serial))

    def overview(self) -> Overview:
        """Return how the fleet stands, and how far what is live has come in it: figures that fit to each other.

        From then on these are what is told of the deployment that is live.
        """
        found = self._site.fleet.overview(self._yardstick)
        if found.live is not None:
            self._found[found.live.deployment] = found.live
        return found

    def holding(self) -> Mapping[CommitId, Holding]:
        """Return how many devices run each commit, and how many were sent it last."""
        return self._site.convergences.holding(by_sent=self._yardstick.by_sent)
