"""What keeps the backup history going behind everybody's back: committing what came in, and upkeep."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from gitupd.core.policy import Backup
from gitupd.errors import GitupdError
from gitupd.service.backup_commits import BackupCommits
from gitupd.service.backup_upkeep import keep_up, tidy_inbox

if TYPE_CHECKING:
    from gitupd.service.live import Follower
    from gitupd.service.site import Site

_IDLE_SECONDS = 0.2
_TROUBLED_SECONDS = 5.0
_UPKEEP_SECONDS = 60.0

log = structlog.get_logger()


class BackupKeeper:
    """Commits what waits in the inbox, from a thread: nothing else the keeper does may hold it up, or be held up."""

    def __init__(self, site: Site, follower: Follower) -> None:
        """Keep the history of *site* by the policy that *follower* knows."""
        self._site, self._follower = site, follower
        self._commits = BackupCommits(site)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backups", daemon=True)
        self._kept_up = float("-inf")
        self.trouble: str | None = None

    def start(self) -> None:
        """Remove what a killed predecessor left behind, and start."""
        if removed := self._site.backups.tidy():
            log.warning("removed what was left behind in the backup history", names=removed)
        self._site.inbox_folder.mkdir(exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being committed, and stop."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            try:
                pause = 0.0 if self._tick() else _IDLE_SECONDS
                self.trouble = None
            except GitupdError as error:
                self._report(str(error))
                pause = _TROUBLED_SECONDS
            except Exception:
                # This thread has to go on for as long as the keeper does, whatever the repository holds.
                log.exception("backups can't be committed")
                self.trouble = "backups can't be committed; the log says why"
                pause = _TROUBLED_SECONDS

    def _tick(self) -> int:
        live = self._follower.live
        count = self._commits.commit(live.snapshot.policy.backup if live else Backup())
        if time.monotonic() - self._kept_up > _UPKEEP_SECONDS:
            self._kept_up = time.monotonic()
            if removed := tidy_inbox(self._site, time.time()):
                log.warning("removed uploads that were cut off", count=removed)
            if keep_up(self._site):
                log.info("packed the backup history", packs=self._site.backups.pack_count())
        return count

    def _report(self, trouble: str) -> None:
        if trouble != self.trouble:  # one that goes on is worth one line
            log.error("backups can't be committed; they wait in the inbox", error=trouble)
        self.trouble = trouble
