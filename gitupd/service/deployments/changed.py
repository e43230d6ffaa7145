"""How many files each deployment changed against the one before: told of commits, and so once for each pair."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gitupd.errors import UnreadableRepository
from gitupd.store.git.history import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

MOST_CHANGED = 1_000
"""So many are counted."""

_NOTHING_READ = Bounds(0, 0)


def changed_files(site: Site, deployments: Iterable[Deployment]) -> Mapping[int, int | None]:
    """Return by number how many files each of *deployments* changed; None for the first, and if it can't be told."""
    return {each.id: _changed(site, each.replaced, each.commit) for each in deployments}


def _changed(site: Site, before: CommitId | None, commit: CommitId) -> int | None:
    if before is None:
        return None
    try:
        return _count(site, before, commit)
    except UnreadableRepository:
        return None  # and looked for again, for it may be mended


@lru_cache(1_000)
def _count(site: Site, before: CommitId, commit: CommitId) -> int:
    with site.open_config() as repository:
        return len(repository.changes(before, commit, MOST_CHANGED, _NOTHING_READ))
