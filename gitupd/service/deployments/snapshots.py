"""Commits as snapshots, for those who ask about any of them: the latest few that were asked for are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from gitupd.config.loader import load
from gitupd.errors import UnreadableRepository

if TYPE_CHECKING:
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.service.site import Site

_KEPT = 6


class Snapshots:
    """Loads commits of one site, for several threads; one commit at a time, because each keeps a core busy."""

    def __init__(self, site: Site) -> None:
        """Load commits of *site*."""
        self._site = site
        self._kept: OrderedDict[CommitId, Snapshot] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, commit: CommitId) -> Snapshot:
        """Return what *commit* says.

        Raises InvalidConfiguration if it has errors, UnreadableRepository if it can't be read and was never deployed.
        """
        with self._lock:
            snapshot = self._kept.pop(commit, None) or self._load(commit)
            if snapshot.closed:
                return snapshot  # the key may come
            self._kept[commit] = snapshot
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return snapshot

    def keep(self, snapshot: Snapshot) -> None:
        """Take over what somebody has loaded already, unless something in it could not be opened."""
        with self._lock:
            if snapshot.commit not in self._kept and not snapshot.closed:
                self._kept[snapshot.commit] = snapshot
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)

    def _load(self, commit: CommitId) -> Snapshot:
        try:
            with self._site.open_config() as repository:
                files = repository.files(commit)
        except UnreadableRepository:
            kept = self._site.archive.files(commit)
            if kept is None:
                raise
            files = kept
        return load(files, commit, self._site.secrets_key.opener())
