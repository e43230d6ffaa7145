"""What keeps the backup history going behind everybody's back: committing what came in, and upkeep."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from gitupd.core.policy import Backup
from gitupd.errors import GitupdError
from gitupd.service.backups.commits import BackupCommits
from gitupd.service.backups.troubles import Troubles
from gitupd.service.backups.upkeep import keep_up, tidy_inbox

if TYPE_CHECKING:
    from gitupd.service.deployments.live import Follower
    from gitupd.service.site import Site

_IDLE_SECONDS = 0.2
_TROUBLED_SECONDS = 5.0
_UPKEEP_SECONDS = 60.0
_NICE = 10

log = structlog.get_logger()


class BackupKeeper:
    """Commits what waits in the inbox, from a thread: nothing else the keeper does may hold it up, or be held up."""

    def __init__(
        self, site: Site, follower: Follower, idle: float = _IDLE_SECONDS, upkeep: float = _UPKEEP_SECONDS
    ) -> None:
        """Keep the history of *site* by the policy that *follower* knows.

        Look into the empty inbox every *idle* seconds, and see what is to be kept up every *upkeep* seconds.
        """
        self._site, self._follower = site, follower
        self._idle, self._upkeep = idle, upkeep
        self._commits = BackupCommits(site)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backups", daemon=True)
        self._kept_up = float("-inf")
        self._troubles = Troubles(site.path)
        self._begun = False

    def start(self) -> None:
        """Start in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being committed, and stop."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        _give_way()
        pause = 0.0
        while not self._stopped.wait(pause):
            pause = _TROUBLED_SECONDS
            try:
                self._begin()
                pause = 0.0 if self._tick() else self._idle
                self._troubles.note(None, self._commits.trouble)
            except GitupdError as error:
                if self._troubles.note(str(error), self._commits.trouble):
                    log.error("backups can't be committed; they wait in the inbox", error=str(error))
            except Exception:
                # This thread has to go on for as long as the keeper does, whatever the repository holds.
                log.exception("backups can't be committed")
                self._troubles.note("backups can't be committed; the log says why", self._commits.trouble)

    def _begin(self) -> None:
        """Remove what a killed predecessor left behind, once it has ended for good."""
        if self._begun:
            return
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
            if removed := tidy_inbox(self._site, time.time()):
                log.warning("removed uploads that were cut off", count=removed)
            if keep_up(self._site):
                log.info("packed the backup history", packs=self._site.backups.pack_count())
        return count


def _give_way() -> None:
    """Let those who answer devices go first, on a machine that is busy; programs that are started here inherit it."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
