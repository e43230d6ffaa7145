"""What is wrong with commits, found out once for each: looking through a large one takes seconds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from gitupd.core.deployments.objection import in_order
from gitupd.errors import InvalidConfiguration, has_errors
from gitupd.service.clock import now
from gitupd.service.deployments.examining import examined
from gitupd.service.deployments.gates.candidate import Candidate
from gitupd.service.deployments.objections import LASTING, MOMENTARY, objections
from gitupd.service.deployments.snapshots import Snapshots

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.deployments.objection import Objection
    from gitupd.core.snapshot import CommitId
    from gitupd.errors import Problem
    from gitupd.service.site import Site

_KEPT = 32


class Verdicts:
    """Examines commits of one site, for several threads; one at a time, and the latest verdicts are kept."""

    def __init__(self, site: Site) -> None:
        """Examine commits of *site*."""
        self._site, self._snapshots = site, Snapshots(site)
        self._kept: OrderedDict[CommitId, tuple[Problem, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self._key = site.secrets_key.mark
        self._doubted: object = None
        self._doubts: tuple[Objection, ...] = ()

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

    def objections(self, commit: CommitId, now: datetime, who: str = "") -> tuple[Objection, ...]:
        """Return what speaks against deploying *commit* now, though it has no errors; raises UnreadableRepository.

        *who* would do so, empty for the server by itself.
        """
        live, blocked = self._site.deployments.live(), self._site.deployments.blocked()
        if live is None or live.commit == commit or commit in blocked:
            return ()
        key = (commit, live.id, tuple(sorted(blocked.items())), self._site.secrets_key.mark)
        with self._lock, self._site.open_config() as repository:
            candidate = Candidate(self._site, self._snapshots, repository, commit, live, blocked, now, who=who)
            try:
                if key != self._doubted:
                    self._doubts, self._doubted = objections(candidate, LASTING), key
                return in_order((*self._doubts, *objections(candidate, MOMENTARY)))
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
