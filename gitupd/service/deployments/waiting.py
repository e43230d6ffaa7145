"""What waits to be deployed, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from gitupd.core.policy import Deploy
from gitupd.errors import has_errors

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.errors import Problem
    from gitupd.service.deployments.live import Live
    from gitupd.service.deployments.verdicts import Verdicts
    from gitupd.service.site import Site

Obstacle = Literal["errors", "blocked", "taken back", "by hand", "grace"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The head of the branch, which is not deployed, and its ``obstacle``.

    It has errors; a rollback has blocked it, with a ``reason`` or none; it was deployed before and somebody took it
    back; it waits for somebody to deploy it; or it deploys by itself at ``due``, None if that can't be told.
    ``problems`` are all that is wrong with it, ``grace`` is in seconds.
    """

    branch: str
    commit: CommitInfo
    obstacle: Obstacle
    problems: tuple[Problem, ...]
    grace: int
    reason: str = ""
    due: datetime | None = None


def waiting(site: Site, live: Live | None, verdicts: Verdicts) -> Waiting | None:
    """Return what waits to be deployed, None if the head of the branch is.

    Raises UnreadableRepository if there is no such branch.
    """
    policy = live.snapshot.policy.deploy if live else Deploy(mode="manual")
    with site.open_config() as repository:
        head = repository.head(policy.branch)
        if live is not None and head == live.deployment.commit:
            return None
        commit, moved = repository.describe(head), repository.moved_at(policy.branch)
    problems = verdicts.of(head)
    blocked = site.deployments.blocked()
    reason, due = "", None
    obstacle: Obstacle = "by hand"
    if has_errors(problems):
        obstacle = "errors"
    elif head in blocked:
        obstacle, reason = "blocked", blocked[head]
    elif policy.mode == "automatic" and site.deployments.was_deployed(head):
        obstacle = "taken back"
    elif policy.mode == "automatic":
        # The keeper counts from when it first saw the commit, which it did when the branch was moved if it was running.
        obstacle, due = "grace", moved and moved + timedelta(seconds=policy.grace)
    return Waiting(policy.branch, commit, obstacle, problems, policy.grace, reason, due)
