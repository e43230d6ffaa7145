"""Walking a history from commit to commit, the newest first; each commit is measured before it is read."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from gitupd.store.git.commits import read_commit

if TYPE_CHECKING:
    from collections.abc import Collection

    from dulwich.object_store import DiskObjectStore
    from dulwich.objects import ObjectID

    from gitupd.store.git.commits import StoredCommit

_SLOP = 5
"""So many commits more are looked at when all that is left seems excluded, as Git does: clocks of people differ."""
_SKEW = 24 * 60 * 60
"""Seconds by which clocks may differ: hundreds of commits of one second, or of a clock set back, are told apart."""


class Walk:
    """What is reachable from some commits; commits in *cut_off* are taken for first ones, as in a shallow clone."""

    def __init__(self, store: DiskObjectStore, cut_off: Collection[ObjectID] = ()) -> None:
        """Walk in *store*."""
        self._store, self._cut_off = store, cut_off
        self._commits: dict[ObjectID, StoredCommit] = {}
        self._queue: list[tuple[float, ObjectID]] = []
        self._open: set[ObjectID] = set()
        self._excluded: set[ObjectID] = set()

    def between(self, base: ObjectID | None, head: ObjectID, most: int) -> list[StoredCommit]:
        """Return what *head* comes with and *base* does not, at the most *most*; raises KeyError, ValueError."""
        self._push(head)
        if base is not None:
            self._push(base)
            self._exclude(base)
        ahead: list[ObjectID] = []
        slop, oldest = _SLOP, math.inf
        while self._queue and (slop or self._newest() > oldest - _SKEW) and (base is not None or len(ahead) < most):
            commit = self._pop()
            ahead.append(commit)
            if commit not in self._excluded:
                oldest = min(oldest, self._time(commit))
            for parent in self._parents(commit):
                self._push(parent)
                if commit in self._excluded:
                    self._exclude(parent)
            slop = _SLOP if self._open else max(slop - 1, 0)
        return [self._commits[commit] for commit in ahead if commit not in self._excluded][:most]

    def are_related(self, one: ObjectID, other: ObjectID) -> bool:
        """Whether both are, or build on, a commit that is the same; raises KeyError, ValueError."""
        sides: dict[ObjectID, set[ObjectID]] = {}

        def meet(commit: ObjectID, met: set[ObjectID]) -> None:
            if not met <= sides.setdefault(commit, set()):
                sides[commit] |= met
                self._push(commit, again=True)  # what was met from one side may be met from the other later on

        meet(one, {one})
        meet(other, {other})
        while self._queue:
            commit = self._pop()
            if len(sides[commit]) > 1:
                return True
            for parent in self._parents(commit):
                meet(parent, sides[commit])
        return one == other

    def _push(self, commit: ObjectID, *, again: bool = False) -> None:
        if commit in self._commits and not again:
            return
        if commit not in self._commits:
            self._commits[commit] = read_commit(self._store, commit)
        heapq.heappush(self._queue, (-self._time(commit), commit))
        self._open.add(commit)

    def _time(self, commit: ObjectID) -> float:
        return self._commits[commit].text.info.at.timestamp()

    def _newest(self) -> float:
        """Return the time of the commit that comes next."""
        return -self._queue[0][0]

    def _pop(self) -> ObjectID:
        _, commit = heapq.heappop(self._queue)
        self._open.discard(commit)
        return commit

    def _parents(self, commit: ObjectID) -> tuple[ObjectID, ...]:
        return () if commit in self._cut_off else self._commits[commit].parents

    def _exclude(self, commit: ObjectID) -> None:
        """Leave *commit* out, and all before it that were met already."""
        left = [commit]
        while left:
            excluded = left.pop()
            if excluded not in self._excluded:
                self._excluded.add(excluded)
                self._open.discard(excluded)
                left += [parent for parent in self._parents(excluded) if parent in self._commits]
