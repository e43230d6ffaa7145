"""Whether a worker serves what it should."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from gitupd.errors import GitupdError
from gitupd.service.backups.troubles import backup_troubles
from gitupd.service.certificates.authorities import trusted
from gitupd.service.clock import now
from gitupd.service.deployments.live import builds_in
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.waiting import stall
from gitupd.service.facts import plain
from gitupd.service.notices.telling import notice_concerns
from gitupd.service.rollouts.concerns import certificate_concerns
from gitupd.service.upstream.telling import upstream_concerns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gitupd.service.deployments.live import Follower
    from gitupd.service.site import Site

_THOROUGH_SECONDS = 60.0
_KEPT_SECONDS = 1.0
_SELDOM = 10
"""What changes with the days is looked at so much more seldom."""

Result = TypeVar("Result")


def repository_trouble(site: Site, *, thorough: bool = True) -> str | None:
    """Return what keeps the deployed commit from being read out of the repository, None if nothing does.

    *thorough* reads all of it, else only the commit itself.
    """
    live = site.deployments.live()
    if live is None:
        return "nothing was deployed yet"
    try:
        with site.open_config() as repository:
            repository.describe(live.commit)
            if thorough:
                repository.files(live.commit)
    except GitupdError as error:
        return str(error)
    return None


class Writer(Protocol):
    """Somebody who works in the background, most by writing to the database."""

    @property
    def trouble(self) -> str | None:
        """Why that failed the last time, None if it did not."""


class Remembered(Generic[Result]):
    """A result that is found out once for several who ask; any thread may, and one finds it out at a time."""

    def __init__(self, find: Callable[[], Result], seconds: float) -> None:
        """Keep what *find* returns for so many *seconds*, as long as it is asked for in the same situation."""
        self._find, self._seconds = find, seconds
        self._lock = threading.Lock()
        self._kept: tuple[float, object, Result] | None = None

    def get(self, situation: object) -> Result:
        """Return the result for this *situation*."""
        with self._lock:
            kept = self._kept
            if kept is None or kept[1] != situation or time.monotonic() - kept[0] >= self._seconds:
                result = self._find()
                self._kept = (time.monotonic(), situation, result)
                return result
            return kept[2]


class Health:
    """What a worker can say of itself.

    Anybody may ask, as often as they like, so that repositories are looked at once a second at the most.
    """

    def __init__(
        self,
        site: Site,
        follower: Follower,
        sightings: Writer,
        started: datetime,
        *others: Writer,
        cautions: Sequence[Writer] = (),
        kept_seconds: float = _KEPT_SECONDS,
    ) -> None:
        """Report on *follower*, *sightings* and *others* who write, which serve *site* since *started*.

        What *cautions* are troubled by is only a warning: requests are answered as they should be. What repositories
        say counts for *kept_seconds*.
        """
        self._cautions = cautions
        self._site, self._follower, self._started = site, follower, started
        self._writers = (sightings, *others)
        self._verdicts = Verdicts(site)
        self._read_at = float("-inf")
        self._read_trouble: str | None = None
        self._stalled = Remembered(self._look_for_stall, kept_seconds)
        self._unreadable = Remembered(self._repository, kept_seconds)
        self._certificates = Remembered(self._look_at_certificates, kept_seconds * _SELDOM)

    def report(self) -> dict[str, Any]:
        """Return ``ready``, the ``commit`` that is served (None if none is), its ``troubles``, and ``warnings``."""
        live = self._follower.live
        disk = self._site.reserve.trouble
        written = (writer.trouble for writer in self._writers)
        backups, warnings = self._backups()
        stalled, unreadable = self.stall(), self._unreadable.get(self._situation)
        troubles = filter(None, [self._follower.trouble, disk, unreadable, self._master(), *written, *backups])
        listed = list(dict.fromkeys(troubles))
        return {
            "ready": live is not None and not listed,
            "commit": live and live.deployment.commit,
            "deployed": live and plain(live.deployment.at),
            "by": live and live.deployment.who,
            "troubles": listed,
            "warnings": [
                *warnings,
                *self._trust(),
                *self._upstream(),
                *self._notices(),
                *self._certificates.get(self._situation),
                *filter(None, [stalled, *(caution.trouble for caution in self._cautions)]),
            ],
        }

    def stall(self) -> str | None:
        """Return why commits are no longer deployed as the policy says, None if they are."""
        return self._stalled.get(self._situation)

    @property
    def _situation(self) -> object:
        live = self._follower.live
        return live and live.deployment.id

    def _look_for_stall(self) -> str | None:
        try:
            return stall(self._site, self._follower.live, self._verdicts)
        except GitupdError as error:
            return str(error)

    def _trust(self) -> list[str]:
        """Return what is wrong with the authorities that identify devices: it keeps no request from being answered."""
        try:
            return list(trusted(self._site.trust.read(), now()).troubles)
        except GitupdError as error:
            return [str(error)]

    def _upstream(self) -> list[str]:
        """Return what is wrong with the repository that is followed: what is deployed goes on being served."""
        try:
            return upstream_concerns(self._site, self._follower.live, now())
        except GitupdError as error:
            return [str(error)]

    def _notices(self) -> list[str]:
        """Return what people are to be told and can't be."""
        try:
            return notice_concerns(self._site)
        except GitupdError as error:
            return [str(error)]

    def _look_at_certificates(self) -> list[str]:
        """Return what somebody should look at before certificates fail."""
        try:
            return certificate_concerns(self._site, self._follower.live, now())
        except GitupdError as error:
            return [str(error)]

    def _backups(self) -> tuple[list[str], list[str]]:
        try:
            return backup_troubles(self._site, now())
        except GitupdError as error:
            return [str(error)], []

    def _repository(self) -> str | None:
        """Look at the commit each time, and once a minute at all of it."""
        thorough = time.monotonic() - self._read_at > _THOROUGH_SECONDS
        try:
            trouble = repository_trouble(self._site, thorough=thorough)
        except GitupdError as error:
            return str(error)
        if thorough:
            self._read_at, self._read_trouble = time.monotonic(), trouble
        return trouble or self._read_trouble

    def _master(self) -> str | None:
        """Return a trouble until the master device was asked since the start; that it is away is no trouble."""
        live = self._follower.live
        master = live.snapshot.policy.firmware.followed if live else None
        if live is None or master is None:
            return None
        answer = self._site.masters.answers().get(master.url)
        if answer is None or not (
            answer.asked_at >= self._started
            or (answer.answered_at is not None and (self._started - answer.answered_at).total_seconds() < master.cache)
        ):
            return "the master device has not been asked yet"
        return None if builds_in(answer) == live.builds else "the master device's answer is being taken over"
