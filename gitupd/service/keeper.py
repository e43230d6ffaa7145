"""What happens by itself, in one process of a site: deploying what is due, asking the master device, tidying up."""

from __future__ import annotations

import fcntl
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TextIO

import structlog

from gitupd.errors import GitupdError
from gitupd.service import master
from gitupd.service.admission.codes import drop_old_codes
from gitupd.service.backups.assessing import Assessing
from gitupd.service.backups.keeper import BackupKeeper
from gitupd.service.backups.mirror import BackupMirror
from gitupd.service.backups.reading import TextReading
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.certificates.revoked_lists import renew_lists
from gitupd.service.certificates.rounds import SigningRounds
from gitupd.service.clock import now
from gitupd.service.comparison.planner import Planner
from gitupd.service.deployments.automatic import Automatic
from gitupd.service.deployments.deploying import keep_deployed
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.measuring import Measuring
from gitupd.service.notices.notifying import Notifying
from gitupd.service.people.pruning import AuditPruning
from gitupd.service.pushing.installing import refresh_hooks
from gitupd.service.steadiness import Steadiness
from gitupd.service.stories.recording import REQUESTS_KEPT
from gitupd.service.stories.telling import KEPT
from gitupd.service.upstream.announcing import Announcing
from gitupd.service.upstream.following import UpstreamFollowing
from gitupd.store.ages import Ages
from gitupd.store.places import CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.core.policy import Master
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

CLAIM = "keeper.claim"
_STANDBY_SECONDS = 1.0
_TICK_SECONDS = 0.25
_GLANCE_SECONDS = 0.05
_TIDY_SECONDS = 60.0
_SETTLE_SECONDS = 1.0

log = structlog.get_logger()


class Keeper:
    """Does what is due, tick by tick; each task's failure is its own."""

    def __init__(
        self,
        site: Site,
        clock: Callable[[], datetime] = now,
        beat: Callable[[], None] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep *site*, at the times that *clock* tells; call *beat* each time that everything due was done.

        *steady* counts seconds as nobody puts them forward or back.
        """
        self._site = site
        self._now, self._beat = clock, beat
        self._follower = Follower(site)
        self._backups = BackupKeeper(site, self._follower)
        self._mirror = BackupMirror(site)
        self._assessing = Assessing(site, self._follower, clock)
        self._reading = TextReading(site, self._follower)
        self._signing = SigningRounds(site, self._follower, clock)
        self._automatic = Automatic(site, clock, self._follower)
        self._planner = Planner(site, clock)
        self._upstream = UpstreamFollowing(site, self._follower, clock)
        self._pruning = AuditPruning(site)
        self._announcing = Announcing(site, self._follower, clock)
        self._asking = threading.Thread()
        self._troubles: dict[str, str] = {}
        self._steady, self._steadiness = steady, Steadiness(steady)
        self._notifying = Notifying(site, self._follower, clock, self._steadiness)
        self._tidied, self._locks = float("-inf"), Ages(steady)
        self._settled = self._listed = float("-inf")
        self._kept = False
        self._measuring = Measuring(site, clock, self._follower, steady)
        self.stopping = False

    def run(self) -> None:
        """Do what is due until :attr:`stopping` is set, for as long as no other server does it for this site."""
        with (self._site.path / CLAIM).open("w") as claim:
            if not self._waited_for(claim):
                return
            self._backups.start()
            self._mirror.start()
            self._assessing.start()
            self._reading.start()
            self._signing.start()
            self._planner.start()
            self._notifying.start()
            self._upstream.start()
            self._automatic.start()
            self._announcing.start()
            while not self.stopping:
                moved = self._branch_moved()
                self.tick()
                self._beat()
                self._rest(moved)
            self._announcing.stop()
            self._upstream.stop()
            self._notifying.stop()
            self._planner.stop()
            self._signing.stop()
            self._reading.stop()
            self._assessing.stop()
            self._backups.stop()
            self._mirror.stop()

    def _branch_moved(self) -> datetime | None:
        """Return when the branch was moved that is deployed from, None if that is not known."""
        if (live := self._follower.live) is None:
            return None
        with suppress(GitupdError):  # a repository that can't be read is the trouble of a task
            return self._site.config.moved_at(live.snapshot.policy.deploy.branch)
        return None

    def _rest(self, moved: datetime | None) -> None:
        """Wait for the next tick; it comes as soon as the branch moves, which was last *moved* before this one."""
        end = time.monotonic() + _TICK_SECONDS
        while time.monotonic() < end and self._branch_moved() == moved:
            time.sleep(_GLANCE_SECONDS)

    def _waited_for(self, claim: TextIO) -> bool:
        """Wait until nobody else keeps the site; return False if this keeper is to stop before."""
        while not self.stopping:
            if _claimed(claim):
                return True
            time.sleep(_STANDBY_SECONDS)
        return False

    def tick(self) -> None:
        """Do once what is due."""
        if self._steadiness.look(self._now()):
            log.warning("the clock was put forward or back; nothing expires within the next hour")
            self._site.commits.count_anew()
        for task in (
            *(self._follower.follow, self._measure, self._tidy, self._keep_authority),
            *(self._deploy_due, self._ask_master, self._check_restores),
        ):
            name = task.__name__.strip("_")
            try:
                task()
                trouble = None
            except GitupdError as error:
                trouble = str(error)
            if trouble is None:
                self._troubles.pop(name, None)
            elif self._troubles.get(name) != trouble:  # one that goes on is worth one line, not four a second
                log.warning("keeper", task=name, error=trouble)
                self._troubles[name] = trouble

    def _deploy_due(self) -> None:
        self._automatic.step()

    def _measure(self) -> None:
        self._measuring.step()

    def _ask_master(self) -> None:
        live = self._follower.live
        device = live.snapshot.policy.firmware.followed if live else None
        if device is None:
            return
        known = self._site.masters.answers().get(device.url)
        if master.is_due(known, device, self._now()) and not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask, args=(device,), daemon=True)
            self._asking.start()

    def _ask(self, device: Master) -> None:
        """Ask in a thread of its own, so that a master device which takes its time holds nothing else up."""
        try:
            answer = master.ask(self._site.masters, device, self._now())
        except GitupdError as error:
            log.warning("keeper", task="ask_master", error=str(error))
        else:
            log.info("asked the master device", url=answer.url, firmware=answer.firmware, error=answer.error)

    def _tidy(self) -> None:
        """Drop old messages, devices that are gone, and what killed processes left: locks, half of a file."""
        if self._steady() - self._tidied < _TIDY_SECONDS:
            return
        self._tidied = self._steady()
        if (live := self._follower.live) is not None and self._steadiness.is_settled:
            policy = live.snapshot.policy.status
            self._site.inventory.drop_messages(self._now() - timedelta(seconds=policy.log_keep))
            oldest = self._now() - timedelta(seconds=policy.forget_after)
            if policy.forget_after and (gone := self._site.inventory.forget_unseen(oldest)):
                log.info("forgot devices that have not called for long", count=gone)
            self._forget_strangers(live)
            drop_old_codes(self._site, self._now())
            if gone := self._pruning.step(live.snapshot.policy.audit, self._now()):
                log.info("removed entries that the audit does not keep any more", count=gone)
            self._site.device_events.drop(self._now() - KEPT)
            self._site.recordings.drop(self._now() - REQUESTS_KEPT)
        if not self._kept:
            keep_deployed(self._site)
            refresh_hooks(self._site.path / CONFIG)
            self._kept = True
        if removed := self._site.config.sweep_locks(self._locks):
            log.warning("removed stale locks", names=removed)
        self._site.firmware.settle()

    def _keep_authority(self) -> None:
        """Finish what somebody was killed at who revoked, so that it counts within seconds; publish lists in time."""
        if self._steady() - self._settled < _SETTLE_SECONDS:
            return
        self._settled = self._steady()
        self._site.authority.settle()
        self._site.trust.settle()
        if self._steady() - self._listed >= _TIDY_SECONDS:
            self._listed = self._steady()
            if made := renew_lists(self._site, self._now()):
                log.info("lists of revoked certificates were made anew", names=made)

    def _forget_strangers(self, live: Live) -> None:
        """Forget unknown devices that have not called for as long as their own policy says."""
        oldest = self._now() - timedelta(seconds=live.snapshot.policy.admission.forget_after)
        if gone := self._site.inventory.forget_strangers(oldest, self._now()):
            log.info("forgot unknown devices", count=gone)

    def _check_restores(self) -> None:
        """See what became of restores that devices have fetched, and give up those that nobody fetches."""
        if (live := self._follower.live) is not None:
            expire = self._steadiness.is_settled
            SiteRestores(self._site).check(self._now(), live.snapshot.policy.backup, expire=expire)


def _claimed(claim: TextIO) -> bool:
    """Whether this process holds the claim to keep the site; the kernel gives it up for a process that ends."""
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
