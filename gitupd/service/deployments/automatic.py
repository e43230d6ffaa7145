"""What the server deploys by itself: the head of the branch, as the deployed commit says."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from gitupd.core.deployments.decision import Circumstances, decide
from gitupd.core.deployments.objection import Doubtful
from gitupd.core.deployments.state import CommitState
from gitupd.core.words import counted
from gitupd.errors import InvalidConfiguration, has_errors
from gitupd.service.comparison.kept import Plans
from gitupd.service.comparison.reporting import numbers_facts
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.judging import Judging
from gitupd.service.deployments.seeing import see
from gitupd.service.pushing.pushers import pusher_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.core.deployments.decision import CommitFindings, Ruling
    from gitupd.core.deployments.record import CommitApproval, CommitRecord
    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.judging import CommitJudgement
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.site import Site

log = structlog.get_logger()

_QUIET = frozenset({CommitState.SEEN, CommitState.WAITING, CommitState.APPROVED})
"""What becomes of most commits, and is worth no line in the log."""


class Automatic:
    """Looks at the head of the branch, step by step: writes down what becomes of it, and deploys it when it is due."""

    def __init__(self, site: Site, clock: Callable[[], datetime], follower: Follower) -> None:
        """Deploy for *site*, at the times that *clock* tells, and by the policy that *follower* knows."""
        self._site, self._now, self._follower = site, clock, follower
        self._judging, self._plans = Judging(site), Plans(site)
        self._head: CommitId | None = None
        self._noted: CommitJudgement | None = None

    def start(self) -> None:
        """Have what takes time done in the background from now on."""
        with suppress(OSError):
            (self._site.path / "arrived").unlink(missing_ok=True)  # which earlier versions kept
        self._judging.start()

    def step(self) -> None:
        """Write down what becomes of the head of the branch, and deploy it if it is due.

        Raises GitupdError if that can't be told.
        """
        live = self._follower.live
        if live is None:
            return
        head, now = self._site.config.head(live.snapshot.policy.deploy.branch), self._now()
        record = self._seen(head, live, now)
        if record is None or head == live.deployment.commit:
            return
        since = self._since(record, now)
        blocked = self._site.deployments.blocked()
        judgement = self._judging.judge(head, live, blocked, now)
        if judgement is not None and judgement is not self._noted:
            self._site.commits.signed(judgement.signatures)
            self._noted = judgement
        findings = None if judgement is None else self._judging.findings(judgement, live, blocked, now)
        approvals = self._site.approvals.of(head)
        decision = decide(
            Circumstances(
                rule=live.snapshot.policy.deploy,
                since=since,
                findings=findings,
                block=self._site.deployments.block(head) if head in blocked else None,
                was_deployed=self._site.deployments.was_deployed(head),
                approvals=approvals,
                now=now,
            )
        )
        self._note_plan(record, live)
        self._settle(record, decision, findings, now)
        if decision.is_to_deploy and judgement is not None:
            self._deploy(head, judgement, approvals, live)

    def _note_plan(self, record: CommitRecord, live: Live) -> None:
        """Write down the numbers of the plan for active devices, once somebody has had it made."""
        if record.plan is None and (plan := self._plans.known(live.deployment.commit, record.commit)) is not None:
            self._site.commits.planned(record.commit, numbers_facts(plan.active))

    def _seen(self, head: CommitId, live: Live, now: datetime) -> CommitRecord | None:
        """Return what is remembered of *head*; note that it has arrived if it is another one than before."""
        record = self._site.commits.of(head)
        if record is None or head != self._head:
            record = see(self._site, head, live.snapshot.policy.deploy.branch, live.deployment.commit, now)
            self._head = head
        return record

    def _since(self, record: CommitRecord, now: datetime) -> datetime:
        """Return from when the grace counts: from when the commit was seen here, for whoever commits can date it.

        What seems to have come in the future came while the clock was wrong, and counts from now on.
        """
        if record.since is not None and record.since <= now:
            return record.since
        self._site.commits.count_from(record.commit, now)
        return now

    def _settle(self, record: CommitRecord, decision: Ruling, findings: CommitFindings | None, now: datetime) -> None:
        """Write down what was decided, if that is news."""
        if findings is not None and record.checks != (checks := _checks(findings)):
            self._site.commits.checked(record.commit, checks)
        if decision.is_to_deploy or not self._site.commits.settle(record, decision, now):
            return
        if decision.obstacle == "errors" and findings is not None:
            problems = [str(each) for each in findings.problems]
            log.error("not deployed, for it has errors", commit=record.commit, problems=problems)
        elif decision.state not in _QUIET:
            said = {"commit": record.commit, "state": decision.state.value, "reason": decision.reason}
            log.error("not deployed by itself", **said)

    def _deploy(self, head: CommitId, judgement: CommitJudgement, approvals: list[CommitApproval], live: Live) -> None:
        pusher, names = pusher_of(self._site.path, head), ", ".join(approval.who for approval in approvals)
        said = (f"pushed by {pusher}" if pusher else "", f"approved by {names}" if names else "")
        reason, branch = ", ".join(filter(None, said)), live.snapshot.policy.deploy.branch
        try:
            _, warnings = deploy(
                self._site,
                head,
                who="gitupd",
                now=self._now(),
                kind="automatic",
                reason=reason,
                patience=0,
                judgement=judgement,
            )
        except (Doubtful, InvalidConfiguration):
            return  # it was so for a moment, and the next look tells more
        log.info("deployed", commit=head, branch=branch)
        if warnings:
            log.warning("deployed by itself, with warnings", commit=head, warnings=[str(each) for each in warnings])


def _checks(findings: CommitFindings) -> str:
    """Return in words what came out when a commit was checked."""
    errors = sum(has_errors([problem]) for problem in findings.problems)
    warnings = len(findings.problems) - errors
    said = [counted(errors, "error")] if errors else ["no error"]
    return ", ".join([*said, *([counted(warnings, "warning")] if warnings else [])])
