"""The repository that a site follows, fetched every so often and when there is news, from a thread of the keeper."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import structlog

from gitupd.core.upstream.pauses import pause, wait_for_news
from gitupd.service.background import Recurring, Trouble
from gitupd.service.upstream.fetching import Fetching
from gitupd.service.upstream.news import latest_news

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.service.deployments.live import Follower
    from gitupd.service.site import Site
    from gitupd.service.upstream.fetching import Fetched

_LOOK_SECONDS = 0.1

log = structlog.get_logger()


class UpstreamFollowing:
    """Fetches when it is time to; what fails is tried again after pauses that grow, or as soon as there is news."""

    def __init__(
        self,
        site: Site,
        follower: Follower,
        clock: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Fetch for *site* the branch that *follower* knows; *chance* is any number from 0 to 1."""
        self._site, self._follower, self._chance = site, follower, chance
        self._every = site.settings.upstream.every
        trouble = Trouble("the upstream can't be fetched")
        self._recurring = Recurring(
            "upstream", _LOOK_SECONDS, self._look, trouble, retry=self._pause, cured=self._is_asked_for
        )
        self._fetching = Fetching(site, clock, lambda: self._recurring.stopping)
        self._refusal = ""
        self._ended, self._next, self._heard = float("-inf"), float("-inf"), latest_news(site.path)

    def start(self) -> None:
        """Start to fetch in the background, if anything is followed."""
        if self._site.settings.upstream.address is not None:
            self._recurring.start()

    def stop(self) -> None:
        """Stop, and give up a fetch that is under way: the next server begins it anew."""
        self._recurring.stop()

    def _look(self) -> None:
        """Fetch if it is time to."""
        if time.monotonic() < self._next and not self._is_asked_for():
            return
        live = self._follower.live
        if live is None and self._site.deployments.live() is not None:
            return  # it is known in a moment which branch is followed
        self._heard, self._next = latest_news(self._site.path), float("-inf")
        try:
            self._tell(self._fetching.fetch(live))
        finally:
            self._ended = time.monotonic()
        self._next = self._ended + pause(self._every, 0, self._chance())

    def _tell(self, fetched: Fetched) -> None:
        """Log what has changed; a refusal once, for as long as it is the same."""
        stands = fetched.stands
        if fetched.moved is not None:
            log.info("fetched", branch=stands.branch, commit=fetched.moved[1], before=fetched.moved[0])
        if stands.refusal and stands.refusal != self._refusal:
            log.error("the upstream is not followed", commit=stands.refused, error=stands.refusal)
        self._refusal = stands.refusal

    def _is_asked_for(self) -> bool:
        """Whether there is news since the last fetch, and that was long enough ago."""
        if latest_news(self._site.path) == self._heard:
            return False
        present = time.monotonic()
        return wait_for_news(present - self._ended, max(0.0, self._next - present)) <= 0

    def _pause(self, failures: int) -> float:
        return pause(self._every, failures, self._chance())
