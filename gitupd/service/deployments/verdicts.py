"""What is wrong with commits, found out once for each: looking through a large one takes seconds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from gitupd.config.loader import load
from gitupd.errors import InvalidConfiguration, has_errors
from gitupd.service.clock import now
from gitupd.service.deployments.examining import examined
from gitupd.service.deployments.objections import objections

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.errors import Problem
    from gitupd.service.site import Site

_KEPT = 32


class Verdicts:
    """Examines commits of one site, for several threads; one at a time, and the latest verdicts are kept."""

    def __init__(self, site: Site) -> None:
        """Examine commits of *site*."""
        self._site = site
        self._kept: OrderedDict[CommitId, tuple[Problem, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self._key = site.secrets_key.mark
        self._doubted: object = None
        self._doubts: tuple[str, ...] = ()

    def of(self, commit: CommitId) -> tuple[Problem, ...]:
        """Return everything that is wrong with *commit*, warnings included, in order of place.

        Raises UnreadableRepository if it can't be read.
        """
        with self._lock:
            if self._key != (key := self._site.secrets_key.mark):
                self._key = key
                self._kept.clear()  # what could not be decrypted may be now
            if commit in self._kept:
                self._kept.move_to_end(commit)
            else:
                self._kept[commit] = self._examine(commit)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[commit]

    def objections(self, commit: CommitId, now: datetime) -> tuple[str, ...]:
        """Return what speaks against deploying *commit* now, though it has no errors; raises UnreadableRepository."""
        live, blocked = self._site.deployments.live(), self._site.deployments.blocked()
        key = (commit, None if live is None else live.id, tuple(sorted(blocked.items())))
        with self._lock:
            if key != self._doubted:
                self._doubted, self._doubts = key, ()
                if live is not None and live.commit != commit and commit not in blocked:
                    self._doubts = self._object(commit, live.commit, blocked, now)
            return self._doubts

    def _object(
        self, commit: CommitId, live: CommitId, blocked: Mapping[CommitId, str], now: datetime
    ) -> tuple[str, ...]:
        with self._site.open_config() as repository:
            try:
                files = repository.files(commit)
                snapshot = load(files, commit, self._site.secrets_key.opener())
                return objections(repository, snapshot, files, live=live, blocked=blocked, now=now)
            except InvalidConfiguration:
                return ()  # errors are enough

    def errors(self, commit: CommitId) -> tuple[Problem, ...]:
        """Return what is wrong with *commit* if it is known already to have errors; nothing otherwise."""
        with self._lock:
            known = self._kept.get(commit, ())
        return known if has_errors(known) else ()

    def _examine(self, commit: CommitId) -> tuple[Problem, ...]:
        with self._site.open_config() as repository:
            try:
                return examined(repository.files(commit), now(), commit, self._site.secrets_key.opener())[1]
            except InvalidConfiguration as error:
                return error.problems
