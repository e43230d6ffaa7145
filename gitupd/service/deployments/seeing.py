"""Commits as they arrive at the followed branch: who made them, and with which they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.record import CommitArrival, Makers
from gitupd.errors import UnreadableRepository
from gitupd.service.pushing.pushers import pusher_of

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.deployments.record import CommitRecord
    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site
    from gitupd.store.git.repository import ConfigRepository

MOST_TOGETHER = 300
"""So many commits that arrive together are remembered, the latest of them."""


def see(site: Site, head: CommitId, branch: str, base: CommitId | None, now: datetime) -> CommitRecord | None:
    """Note that *head* is at the head of *branch* now, and what it comes with; return what is remembered of it.

    *base* is the commit that is live, None if none is. Return None if it was forgotten in this moment, for so many
    others have arrived. Raises GitupdError.
    """
    with site.open_config() as repository:
        arrivals = arriving(site, repository, head, base, branch)
    site.commits.note(arrivals, now)
    return site.commits.of(head)


def arriving(
    site: Site, repository: ConfigRepository, head: CommitId, base: CommitId | None, branch: str
) -> list[CommitArrival]:
    """Return the commits that *head* comes with and *base* does not, the oldest first; *head* is the last of them."""
    try:
        infos = repository.between(base, head, MOST_TOGETHER) if base is None or repository.has(base) else []
    except UnreadableRepository:
        infos = []  # a history that is cut off, or damaged: the head alone can be told of
    others = [info for info in reversed(infos) if info.id != head]
    pusher = pusher_of(site.path, head) or ""
    return [
        CommitArrival(info.id, branch, info.subject, Makers(info.author, info.committer, pusher), head)
        for info in (*others, repository.describe(head))
    ]
