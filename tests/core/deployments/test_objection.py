"""Gates, and what they have against a commit."""

from __future__ import annotations

import pytest

from gitupd.core.deployments.objection import Doubtful, Gate, Objection, first_of, in_order, way_on
from gitupd.core.deployments.state import CommitState
from gitupd.core.snapshot import CommitId

_COMMIT = CommitId("0123456789ab" + "c" * 28)
_FORCE = "gitupd deploy 0123456789ab --force --reason WHY"
_APPROVE = "somebody else approves it: gitupd approve 0123456789ab"


def test_each_gate_leads_to_a_state_and_one_persons_word_does_not_overrule_all() -> None:
    assert {gate: gate.state for gate in Gate} == {
        Gate.HISTORY: CommitState.REFUSED,
        Gate.BLOCK: CommitState.BLOCKED,
        Gate.SIGNATURE: CommitState.REFUSED,
        Gate.TESTS: CommitState.REFUSED,
        Gate.FREEZE: CommitState.FROZEN,
        Gate.BRAKE: CommitState.BRAKED,
        Gate.APPROVAL: CommitState.WAITING,
    }
    assert {gate for gate in Gate if not gate.is_overruled} == {Gate.SIGNATURE, Gate.APPROVAL}


def test_objections_are_told_in_the_order_of_the_gates_with_their_cures() -> None:
    frozen, odd = Objection(Gate.FREEZE, "it is Friday"), Objection(Gate.HISTORY, "it is odd", "look at it")
    assert in_order([frozen, odd]) == (odd, frozen)
    assert str(Doubtful([odd, frozen], "say why")) == "it is odd; look at it; it is Friday; say why"
    assert str(Doubtful([frozen])) == "it is Friday"
    assert Doubtful([odd, frozen]).may_be_forced
    assert not Doubtful([odd, Objection(Gate.APPROVAL, "nobody has approved it")]).may_be_forced


def test_what_is_not_signed_has_its_own_way() -> None:
    odd, unsigned = Objection(Gate.HISTORY, "it is odd"), Objection(Gate.SIGNATURE, "it is not signed", "sign it")
    assert way_on([odd, unsigned], _COMMIT) == "sign it"


def test_what_is_still_being_found_out_holds_nobody_up_for_good() -> None:
    assert Objection(Gate.BRAKE, "it changes much").state is CommitState.BRAKED
    assert Objection(Gate.BRAKE, "it is being compared", is_pending=True).state is CommitState.SEEN


@pytest.mark.parametrize(
    ("gates", "way"),
    [
        ((), ""),
        ((Gate.SIGNATURE,), ""),
        ((Gate.HISTORY, Gate.SIGNATURE), ""),
        ((Gate.SIGNATURE, Gate.APPROVAL), ""),
        ((Gate.HISTORY,), f"to deploy it all the same: {_FORCE}"),
        ((Gate.BLOCK,), f"to deploy it all the same: {_FORCE}"),
        ((Gate.TESTS, Gate.BRAKE), f"to deploy it all the same: {_FORCE}"),
        ((Gate.FREEZE,), f"to deploy it all the same: {_FORCE}"),
        ((Gate.BRAKE,), f"{_APPROVE}; or deploy it all the same: {_FORCE}"),
        ((Gate.APPROVAL,), _APPROVE),
        ((Gate.FREEZE, Gate.BRAKE, Gate.APPROVAL), _APPROVE),
        ((Gate.TESTS, Gate.APPROVAL), f"somebody else deploys it: {_FORCE}"),
    ],
)
def test_the_way_on_is_one_that_all_gates_leave_open(gates: tuple[Gate, ...], way: str) -> None:
    assert way_on([Objection(gate, "no") for gate in gates], _COMMIT) == way


def test_what_is_still_being_found_out_needs_no_way_on() -> None:
    assert way_on([Objection(Gate.BRAKE, "it is being compared", is_pending=True)], _COMMIT) == ""


def test_the_first_objection_is_told_with_the_cure_of_its_gate() -> None:
    unsigned = [Objection(Gate.SIGNATURE, "one is not signed"), Objection(Gate.SIGNATURE, "nor is two", "sign them")]
    assert first_of([*unsigned, Objection(Gate.FREEZE, "it is Friday", "wait")]) == "one is not signed; sign them"
    assert first_of([Objection(Gate.FREEZE, "it is Friday")]) == "it is Friday"
