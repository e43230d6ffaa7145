"""What waits to be deployed, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, assert_never

from gitupd.core.deployments.rule import Deploy
from gitupd.errors import UnreadableRepository, has_errors
from gitupd.service.clock import now
from gitupd.service.deployments.arrival import arrival

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.objection import Objection
    from gitupd.errors import Problem
    from gitupd.service.deployments.live import Live
    from gitupd.service.deployments.verdicts import Verdicts
    from gitupd.service.site import Site

Obstacle = Literal["errors", "blocked", "taken back", "by hand", "grace", "doubtful"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The head of the branch, which is not deployed, and its ``obstacle``.

    It has errors; a rollback has blocked it, with a ``reason`` or none; it was deployed before and somebody took it
    back; it waits for somebody to deploy it; it would deploy by itself if there were no ``objections``; or it does so
    at ``due``, None if that can't be told. ``problems`` are all that is wrong with it, ``grace`` is in seconds.
    """

    branch: str
    commit: CommitInfo
    obstacle: Obstacle
    problems: tuple[Problem, ...]
    grace: int
    reason: str = ""
    due: datetime | None = None
    objections: tuple[Objection, ...] = ()


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
    doubts = () if has_errors(problems) else verdicts.objections(head, now())
    blocked = site.deployments.blocked()
    reason, due = "", None
    obstacle: Obstacle = "by hand"
    if has_errors(problems):
        obstacle = "errors"
    elif head in blocked:
        obstacle, reason = "blocked", blocked[head]
    elif policy.mode == "automatic" and site.deployments.was_deployed(head):
        obstacle = "taken back"
    elif policy.mode == "automatic" and doubts:
        obstacle = "doubtful"
    elif policy.mode == "automatic":
        # The keeper counts from when it first saw the commit, which it did when the branch was moved if it was running.
        since = arrival(site.path, head) or moved
        obstacle, due = "grace", since and since + timedelta(seconds=policy.grace)
    return Waiting(policy.branch, commit, obstacle, problems, policy.grace, reason, due, doubts)


def stall(site: Site, live: Live | None, verdicts: Verdicts) -> str | None:
    """Return why commits are no longer deployed as the deployed policy says, None if all is as it should be."""
    if live is None:
        return None  # nothing can be, yet
    try:
        head = waiting(site, live, verdicts)
    except UnreadableRepository as error:
        return (
            f"no commit is waited for, and none is deployed by itself: {error}; policies/deploy.yaml names the branch"
        )
    if head is None or live.snapshot.policy.deploy.mode != "automatic":
        return None
    name = f"commit {head.commit.id[:12]} of branch {head.branch} is not deployed by itself"
    match head.obstacle:
        case "errors":
            return f"{name}: it has errors; see: gitupd validate --rev {head.commit.id[:12]} SITE"
        case "doubtful":
            return f"{name}: {head.objections[0]}; somebody has to decide"
        case "blocked" | "taken back" | "by hand" | "grace":
            return None  # somebody has decided that, or nobody has to
        case _:
            assert_never(head.obstacle)
