"""What the keeper does for the figures of a deployment: who counts in it, who runs it at once, and when parts did."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gitupd.service.deployments.carrying import carry_over
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.site import Site

_LATE_SECONDS = 3.0
"""By then the polls that were answered from the commit before are written down: docs/decisions/0005-write-behind.md."""
_LOOK_SECONDS = 1.0
_PAUSES = 20  # for each second that a look takes, so that large fleets are not looked at all the time

log = structlog.get_logger()


class Measuring:
    """Measures what is live, step by step."""

    def __init__(
        self,
        site: Site,
        clock: Callable[[], datetime],
        follower: Follower,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Measure for *site* what *follower* knows to be live; *steady* counts seconds as nobody sets them."""
        self._site, self._now, self._follower, self._steady = site, clock, follower, steady
        self._measured, self._again_at = 0, 0.0
        self._look_at: float | None = None

    def step(self) -> None:
        """Do what is due; raises GitupdError if that can't be done."""
        live = self._follower.live
        if live is None:
            return
        if live.deployment.id != self._measured:
            self._site.convergences.begin(Fleet(self._site, live, self._now()).yardstick)
            self._carry_over(live)
            self._measured, self._look_at = live.deployment.id, self._steady()
            self._again_at = self._steady() + _LATE_SECONDS
        elif self._again_at and self._steady() >= self._again_at:
            self._carry_over(live, since=live.deployment.at - timedelta(seconds=_LATE_SECONDS))
            self._again_at = 0.0
        self._note_times(live)

    def _carry_over(self, live: Live, since: datetime | None = None) -> None:
        if count := carry_over(self._site, live, self._now(), since):
            log.info("nothing changes for some devices", commit=live.deployment.commit, count=count)

    def _note_times(self, live: Live) -> None:
        """Keep when parts of the devices had confirmed, until that is known of all of them."""
        if self._look_at is None or (started := self._steady()) < self._look_at:
            return
        if self._site.convergences.note_times(Fleet(self._site, live, self._now()).yardstick):
            self._look_at = None
            return
        self._look_at = self._steady() + max(_LOOK_SECONDS, _PAUSES * (self._steady() - started))
