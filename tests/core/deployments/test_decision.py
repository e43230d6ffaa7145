"""What becomes of the head of the branch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.deployments.decision import Circumstances, CommitFindings, Ruling, decide
from gitupd.core.deployments.deployment import Block
from gitupd.core.deployments.objection import Gate, Objection
from gitupd.core.deployments.record import CommitApproval
from gitupd.core.deployments.rule import Deploy
from gitupd.core.deployments.state import CommitState
from gitupd.core.snapshot import CommitId
from gitupd.errors import Problem, Severity

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
_DUE = _NOON + timedelta(seconds=90)
_CASE = Circumstances(Deploy(), _NOON, CommitFindings((), ()), None, was_deployed=False, approvals=(), now=_DUE)
_BY_HAND = Deploy(mode="manual")
_ERROR = Problem("phases.yaml", 1, 1, "no phase", "add one")
_WARNING = replace(_ERROR, severity=Severity.WARNING)
_ODD, _FROZEN = Objection(Gate.HISTORY, "it is odd"), Objection(Gate.FREEZE, "it is Friday", who="ada")
_PENDING = Objection(Gate.BRAKE, "it is planned", is_pending=True)
_BLOCK = Block(_NOON, "bob", "wrong in Berlin")
_APPROVALS = (CommitApproval(CommitId("a" * 40), "eve", _NOON), CommitApproval(CommitId("a" * 40), "kim", _NOON))


@pytest.mark.parametrize(
    ("case", "decision"),
    [
        (_CASE, Ruling(CommitState.SEEN, "it is to be deployed", None, due=_DUE)),
        (
            replace(_CASE, now=_NOON),
            Ruling(CommitState.SEEN, "it is deployed by itself in time", "grace", due=_DUE),
        ),
        (
            replace(_CASE, since=None),
            Ruling(CommitState.SEEN, "it is deployed 90 s after it arrived", "grace"),
        ),
        (
            replace(_CASE, findings=CommitFindings((_WARNING, _ERROR), (_ODD,)), block=_BLOCK),
            Ruling(CommitState.INVALID, "it has 1 error, the first at phases.yaml:1:1", "errors"),
        ),
        (
            replace(_CASE, findings=None, block=_BLOCK),
            Ruling(CommitState.ROLLED_BACK, "it was rolled back: wrong in Berlin", "blocked", "bob"),
        ),
        (
            replace(_CASE, block=Block(_NOON, "bob", ""), rule=_BY_HAND),
            Ruling(CommitState.ROLLED_BACK, "it was rolled back", "blocked", "bob"),
        ),
        (replace(_CASE, findings=None), Ruling(CommitState.SEEN, "it is being looked at", "looking")),
        (
            replace(_CASE, findings=CommitFindings((_WARNING,), (_ODD, _FROZEN))),
            Ruling(CommitState.REFUSED, "it is odd; it is Friday", "doubtful"),
        ),
        (
            replace(_CASE, findings=CommitFindings((), (_FROZEN,)), rule=_BY_HAND, was_deployed=True),
            Ruling(CommitState.FROZEN, "it is Friday", "by hand", "ada"),
        ),
        (
            replace(_CASE, findings=CommitFindings((), (_PENDING, _FROZEN))),
            Ruling(CommitState.FROZEN, "it is Friday; it is planned", "doubtful", "ada"),
        ),
        (
            replace(_CASE, findings=CommitFindings((), (_PENDING,))),
            Ruling(CommitState.SEEN, "it is planned", "looking"),
        ),
        (
            replace(_CASE, was_deployed=True),
            Ruling(CommitState.WAITING, "it was deployed before, and is not deployed again by itself", "taken back"),
        ),
        (
            replace(_CASE, rule=_BY_HAND),
            Ruling(CommitState.WAITING, "it waits for somebody to deploy it", "by hand"),
        ),
        (
            replace(_CASE, rule=_BY_HAND, approvals=_APPROVALS),
            Ruling(CommitState.APPROVED, "it waits for somebody to deploy it, approved by eve, kim", "by hand"),
        ),
        (
            replace(_CASE, approvals=_APPROVALS[:1]),
            Ruling(CommitState.APPROVED, "it is to be deployed, approved by eve", None, due=_DUE),
        ),
    ],
)
def test_it_follows_from_what_is_known(case: Circumstances, decision: Ruling) -> None:
    assert decide(case) == decision
    assert decision.is_to_deploy is (decision.obstacle is None)
