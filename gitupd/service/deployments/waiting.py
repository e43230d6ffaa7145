"""What waits to be deployed, and for what."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from gitupd.core.deployments.decision import Circumstances, CommitFindings, decide
from gitupd.core.deployments.objection import first_of
from gitupd.core.deployments.rule import Deploy
from gitupd.core.deployments.state import CommitState
from gitupd.errors import UnreadableRepository, has_errors
from gitupd.service.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.decision import Obstacle, Ruling
    from gitupd.core.deployments.objection import Objection
    from gitupd.core.deployments.record import CommitRecord
    from gitupd.errors import Problem
    from gitupd.service.deployments.live import Live
    from gitupd.service.deployments.verdicts import Verdicts
    from gitupd.service.site import Site


@dataclass(frozen=True, slots=True)
class Waiting:
    """The head of the branch, which is not deployed, and what keeps it.

    ``problems`` are all that is wrong with it, ``grace`` is in seconds. It is deployed by itself when it is due, if
    that can be told.
    """

    branch: str
    commit: CommitInfo
    decision: Ruling
    problems: tuple[Problem, ...]
    grace: int
    reason: str = ""
    objections: tuple[Objection, ...] = ()

    @property
    def obstacle(self) -> Obstacle:
        """What keeps it: its grace until somebody has seen that this is over."""
        return self.decision.obstacle or "grace"

    @property
    def due(self) -> datetime | None:
        """When it is deployed by itself, None if that can't be told."""
        return self.decision.due


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
    problems, moment = verdicts.of(head), now()
    objections = () if has_errors(problems) else verdicts.objections(head, moment)
    record, block = site.commits.of(head), site.deployments.block(head)
    case = Circumstances(
        rule=policy,
        # The keeper counts from when it first saw the commit, which it did when the branch was moved if it was running.
        since=(record and record.since) or moved,
        findings=CommitFindings(problems, objections),
        block=block,
        was_deployed=site.deployments.was_deployed(head),
        approvals=site.approvals.of(head),
        now=moment,
    )
    reason = "" if block is None else block.reason
    return Waiting(policy.branch, commit, decide(case), problems, policy.grace, reason, objections)


def next_up(site: Site, live: Live | None) -> CommitRecord | None:
    """Return what is remembered of the head of the branch, None if it is live, or nobody has looked at it.

    That is what the keeper of the site has found, so it takes no time.
    """
    if live is None:
        return None
    with suppress(UnreadableRepository), site.open_config() as repository:
        head = repository.head(live.snapshot.policy.deploy.branch)
        return None if head == live.deployment.commit else site.commits.of(head)
    return None


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
        case "doubtful" if head.decision.state in (CommitState.FROZEN, CommitState.WAITING):
            return None  # that is meant, and ends
        case "doubtful":
            may_decide = all(each.gate.is_overruled for each in head.objections)
            return f"{name}: {first_of(head.objections)}{'; somebody has to decide' if may_decide else ''}"
        case "blocked" | "taken back" | "by hand" | "grace" | "looking":
            return None  # somebody has decided that, or nobody has to
        case _:
            assert_never(head.obstacle)
