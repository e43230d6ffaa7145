"""A copy of the backup history at a remote of the operator's: pushed after each batch, never pulled.

Nothing foreign is merged into the history (docs/decisions/0010-backup-history.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gitupd.errors import UnreadableRepository
from gitupd.service.background import Recurring, Trouble

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.service.site import Site

_LOOK_SECONDS = 1.0
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 600.0
_MOST_DOUBLINGS = 30

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a mirror is behind: so many ``versions``, of which the oldest was received at ``since``, None if none."""

    versions: int
    since: datetime | None


def lag(site: Site) -> Lag | None:
    """Return how far the mirror of *site* is behind, None if it has none."""
    if not site.settings.backup_mirror:
        return None
    return Lag(*site.backup_index.behind(site.backups.mirrored()))


class BackupMirror:
    """Pushes the history from a thread of its own; what fails is tried again after pauses that grow."""

    def __init__(self, site: Site, first_pause: float = _FIRST_PAUSE) -> None:
        """Push the history of *site*; wait *first_pause* seconds after the first failure."""
        self._site, self._first_pause = site, first_pause
        self._url = site.settings.backup_mirror
        trouble = Trouble("the mirror of the backup history can't be reached")
        self._pushing = Recurring("mirror", _LOOK_SECONDS, self._push_on, trouble, retry=self._pause)

    @property
    def trouble(self) -> str | None:
        """Why the last push failed, None if it did not."""
        return self._pushing.trouble.text

    def start(self) -> None:
        """Start to push in the background, if there is a mirror at all."""
        if self._url:
            self._pushing.start()

    def stop(self) -> None:
        """Stop, and give up a push that is under way: the next server begins it anew."""
        self._pushing.stop()

    def push(self) -> bool:
        """Push if there is anything new; return whether there was. Raises UnreadableRepository if it fails."""
        tip = self._site.backups.tip()
        if tip is None or tip == self._site.backups.mirrored():
            return False
        started = time.monotonic()
        self._site.backups.push(self._url, tip, lambda: self._pushing.stopping)
        log.info("pushed the backup history", commit=tip, seconds=round(time.monotonic() - started, 1))
        return True

    def _push_on(self) -> bool:
        """Push as :meth:`push` does, but say nothing of a push that was given up because this is to stop."""
        try:
            return self.push()
        except UnreadableRepository:
            if self._pushing.stopping:
                return False
            raise

    def _pause(self, failures: int) -> float:
        return min(self._first_pause * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), _LONGEST_PAUSE)
