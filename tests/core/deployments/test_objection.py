"""Gates, and what they have against a commit."""

from __future__ import annotations

from gitupd.core.deployments.objection import Doubtful, Gate, Objection, in_order
from gitupd.core.deployments.state import CommitState


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


def test_what_is_still_being_found_out_holds_nobody_up_for_good() -> None:
    assert Objection(Gate.BRAKE, "it changes much").state is CommitState.BRAKED
    assert Objection(Gate.BRAKE, "it is being compared", is_pending=True).state is CommitState.SEEN
