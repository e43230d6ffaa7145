"""What becomes of the head of the branch, and when: decided from what is known of it alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from gitupd.core.deployments.state import CommitState
from gitupd.core.words import counted
from gitupd.errors import has_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.deployments.deployment import Block
    from gitupd.core.deployments.objection import Objection
    from gitupd.core.deployments.record import CommitApproval
    from gitupd.core.deployments.rule import Deploy
    from gitupd.errors import Problem

Obstacle = Literal["errors", "blocked", "taken back", "by hand", "grace", "doubtful", "looking"]


@dataclass(frozen=True, slots=True)
class CommitFindings:
    """What is known of a commit that is not live: all ``problems`` with it, and ``objections`` in their order."""

    problems: Sequence[Problem]
    objections: Sequence[Objection]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision on the head of the branch depends on.

    ``rule`` is that of the deployed commit. Its grace counts ``since`` then, None if it was not seen yet. ``findings``
    are None while somebody looks. ``block`` is that of the head itself, and it ``was_deployed`` before or not.
    """

    rule: Deploy
    since: datetime | None
    findings: CommitFindings | None
    block: Block | None
    was_deployed: bool
    approvals: Sequence[CommitApproval]
    now: datetime


@dataclass(frozen=True, slots=True)
class Ruling:
    """That the head is to be deployed now, or which ``obstacle`` keeps it: then its state, for a ``reason``.

    ``who`` has brought that about, empty for nobody in particular. It is deployed by itself when it is ``due``, if that
    can be told.
    """

    state: CommitState
    reason: str
    obstacle: Obstacle | None
    who: str = ""
    due: datetime | None = None

    @property
    def is_to_deploy(self) -> bool:
        """Whether it is to be deployed now."""
        return self.obstacle is None


def decide(case: Circumstances) -> Ruling:
    """Return what becomes of the head of the branch in this *case*."""
    return _settled(case) or _held(case) or _in_time(case)


def _settled(case: Circumstances) -> Ruling | None:
    """Return what holds whatever the gates say; None if they have to be asked."""
    if case.findings is not None and has_errors(case.findings.problems):
        # Only where they are: what they say may quote a secret, which not everybody sees.
        first, *others = (problem for problem in case.findings.problems if has_errors([problem]))
        place = ":".join([first.path, *(str(number) for number in (first.line, first.column) if number)])
        number = counted(len(others) + 1, "error")
        return Ruling(CommitState.INVALID, f"it has {number}, the first at {place}", "errors")
    if case.block is not None:
        why = f": {case.block.reason}" if case.block.reason else ""
        return Ruling(CommitState.ROLLED_BACK, f"it was rolled back{why}", "blocked", case.block.who)
    if case.findings is None:
        return Ruling(CommitState.SEEN, "it is being looked at", "looking")
    return None


def _held(case: Circumstances) -> Ruling | None:
    """Return what a gate says, or that people decide; None if it is deployed by itself."""
    objections = case.findings.objections if case.findings else ()
    by_hand = case.rule.mode == "manual"
    if objections:
        first, *others = sorted(objections, key=lambda each: each.is_pending)
        more = "".join(f"; {other.text}" for other in others)
        obstacle: Obstacle = "by hand" if by_hand else "looking" if first.is_pending else "doubtful"
        return Ruling(first.state, f"{first.text}{more}", obstacle, first.who)
    if case.was_deployed and not by_hand:
        reason = "it was deployed before, and is not deployed again by itself"
        return Ruling(CommitState.WAITING, reason, "taken back")
    if by_hand:
        approved = _approvers(case)
        state = CommitState.APPROVED if approved else CommitState.WAITING
        return Ruling(state, f"it waits for somebody to deploy it{approved}", "by hand")
    return None


def _in_time(case: Circumstances) -> Ruling:
    """Return that it is deployed now, or when."""
    approved = _approvers(case)
    state = CommitState.APPROVED if approved else CommitState.SEEN
    if case.since is None:
        return Ruling(state, f"it is deployed {case.rule.grace} s after it arrived{approved}", "grace")
    due = case.since + timedelta(seconds=case.rule.grace)
    if case.now < due:
        return Ruling(state, f"it is deployed by itself in time{approved}", "grace", due=due)
    return Ruling(state, f"it is to be deployed{approved}", None, due=due)


def _approvers(case: Circumstances) -> str:
    """Return who has approved it, as the end of a sentence; empty if nobody has."""
    names = ", ".join(dict.fromkeys(approval.who for approval in case.approvals))
    return f", approved by {names}" if names else ""
