"""What the server deploys by itself: the head of the branch, as the deployed commit says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gitupd.core.deployments.objection import Doubtful
from gitupd.errors import InvalidConfiguration, has_errors
from gitupd.service.deployments.arrival import note_arrival
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.pushing.pushers import pusher_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gitupd.core.deployments.objection import Objection
    from gitupd.core.snapshot import CommitId
    from gitupd.errors import Problem
    from gitupd.service.deployments.live import Follower
    from gitupd.service.site import Site

log = structlog.get_logger()


class Automatic:
    """Deploys what is due, step by step; what is not deployed is named once."""

    def __init__(self, site: Site, clock: Callable[[], datetime], follower: Follower) -> None:
        """Deploy for *site*, at the times that *clock* tells, and by the policy that *follower* knows."""
        self._site, self._now, self._follower = site, clock, follower
        self._verdicts = Verdicts(site)
        self._told: object = None

    def step(self) -> None:
        """Deploy the head of the branch if the deployed policy says so, it is old enough and nothing speaks against it.

        Raises GitupdError if that can't be told.
        """
        live = self._follower.live
        if live is None or live.snapshot.policy.deploy.mode != "automatic":
            return
        policy, deployments = live.snapshot.policy.deploy, self._site.deployments
        head = self._site.config.head(policy.branch)
        if head == live.deployment.commit or head in deployments.blocked() or deployments.was_deployed(head):
            return  # what was deployed before and no longer is, somebody took back by hand
        # The grace counts from when the commit was first seen here: whoever commits can date it as they like.
        arrived = note_arrival(self._site.path, head, self._now())
        if self._now() - arrived < timedelta(seconds=policy.grace):
            return
        problems = self._verdicts.of(head)
        if has_errors(problems):
            self._tell_errors(head, problems)
        elif doubts := self._verdicts.objections(head, self._now()):
            self._tell_doubts(head, doubts)
        else:
            self._deploy(head, policy.branch)

    def _deploy(self, head: CommitId, branch: str) -> None:
        pusher = pusher_of(self._site.path, head)
        reason = f"pushed by {pusher}" if pusher else ""
        try:
            moment, kind = self._now(), "automatic"
            _, warnings = deploy(self._site, head, who="gitupd", now=moment, kind=kind, reason=reason, patience=0)
        except Doubtful as error:  # since it was looked at
            self._tell_doubts(head, error.objections)
            return
        except InvalidConfiguration as error:
            self._tell_errors(head, error.problems)
            return
        log.info("deployed", commit=head, branch=branch)
        if warnings:
            log.warning("deployed by itself, with warnings", commit=head, warnings=[str(each) for each in warnings])

    def _tell_errors(self, head: CommitId, problems: Sequence[Problem]) -> None:
        if self._told != (told := (head, tuple(problems))):
            self._told = told
            log.error("not deployed, for it has errors", commit=head, problems=[str(each) for each in problems])

    def _tell_doubts(self, head: CommitId, doubts: Sequence[Objection]) -> None:
        if self._told != (told := (head, tuple(each.gate for each in doubts))):
            self._told = told
            log.error("not deployed by itself", commit=head, objections=[str(each) for each in doubts])
