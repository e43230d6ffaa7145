"""What keeps the backup history going behind everybody's back: committing what came in, and upkeep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from gitupd.core.policy import Backup
from gitupd.service.background import Recurring, Trouble, give_way
from gitupd.service.backups.commits import BackupCommits
from gitupd.service.backups.troubles import Troubles
from gitupd.service.backups.upkeep import keep_up, tidy_inbox
from gitupd.service.reserve import Shortage
from gitupd.store.ages import Ages

if TYPE_CHECKING:
    from gitupd.service.deployments.live import Follower
    from gitupd.service.site import Site

_IDLE_SECONDS = 0.2
_TROUBLED_SECONDS = 5.0
_UPKEEP_SECONDS = 60.0

log = structlog.get_logger()


class BackupKeeper:
    """Commits what waits in the inbox, from a thread: nothing else the keeper does may hold it up, or be held up."""

    def __init__(
        self,
        site: Site,
        follower: Follower,
        *,
        idle: float = _IDLE_SECONDS,
        upkeep: float = _UPKEEP_SECONDS,
        troubled: float = _TROUBLED_SECONDS,
        ages: Ages | None = None,
    ) -> None:
        """Keep the history of *site* by the policy that *follower* knows.

        Look into the empty inbox every *idle* seconds, and see what is to be kept up every *upkeep* seconds. What
        failed is tried again after *troubled* seconds, or as soon as there is more room on the disk. *ages* are those
        of files in the inbox, None to watch them from now on.
        """
        self._site, self._follower = site, follower
        self._upkeep = upkeep
        self._commits = BackupCommits(site)
        self._trouble = Trouble("backups can't be committed")
        self._ages = ages or Ages()
        self._shortage = Shortage(site.path)
        self._committing = Recurring(
            *("backups", idle, self._work, self._trouble), retry=lambda _: troubled, cured=self._shortage.is_over
        )
        self._kept_up = float("-inf")
        self._troubles = Troubles(site.path)
        self._begun = False

    def start(self) -> None:
        """Start in the background."""
        self._committing.start()

    def stop(self) -> None:
        """Finish what is being committed, and stop."""
        self._committing.stop()

    def _work(self) -> bool:
        """Commit some of what waits; return whether there was any. What is wrong is left for the workers to tell."""
        try:
            self._begin()
            count = self._tick()
        except Exception as error:
            self._troubles.note(self._trouble.note(error), self._commits.trouble)
            self._shortage.note()
            raise
        self._troubles.note(None, self._commits.trouble)
        return count > 0

    def _begin(self) -> None:
        """Remove what a killed predecessor left behind, once it has ended for good."""
        if self._begun:
            return
        give_way()
        self._site.inbox_folder.mkdir(exist_ok=True)
        with self._commits.claimed():
            if removed := self._site.backups.tidy():
                log.warning("removed what was left behind in the backup history", names=removed)
        self._begun = True

    def _tick(self) -> int:
        live = self._follower.live
        count = self._commits.commit(live.snapshot.policy.backup if live else Backup())
        if time.monotonic() - self._kept_up > self._upkeep:
            self._kept_up = time.monotonic()
            self._commits.look_again()
            if removed := tidy_inbox(self._site, self._ages):
                log.warning("removed uploads that were cut off", count=removed)
            if keep_up(self._site):
                log.info("packed the backup history", packs=self._site.backups.pack_count())
        return count
