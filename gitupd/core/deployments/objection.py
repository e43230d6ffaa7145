"""What speaks against deploying a commit that has no errors: which gate holds it, and who may overrule that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.core.deployments.state import CommitState
from gitupd.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.snapshot import CommitId


class Gate(StrEnum):
    """What a commit has to pass before it is deployed, in the order in which objections are told."""

    HISTORY = "history"
    """It has a history in common with the deployed commit."""
    BLOCK = "block"
    """It contains nothing that was rolled back."""
    SIGNATURE = "signature"
    """All that is new is signed as the deployed commit asks for."""
    TESTS = "tests"
    """Its render tests hold."""
    FREEZE = "freeze"
    """Deployments are not frozen."""
    BRAKE = "brake"
    """It does not change more of the fleet than the deployed commit allows."""
    APPROVAL = "approval"
    """A second person has approved it, where the deployed commit asks for that."""

    @property
    def state(self) -> CommitState:
        """The state of a commit that this gate holds."""
        return _STATES[self]

    @property
    def is_overruled(self) -> bool:
        """Whether ``--force --reason`` overrules it: one person's word is enough."""
        return self not in (Gate.SIGNATURE, Gate.APPROVAL)

    @property
    def is_overruled_on_machine(self) -> bool:
        """Whether that overrules it on the server's command line: whoever works there could do anything else, too."""
        return self is not Gate.APPROVAL


_STATES = {
    Gate.HISTORY: CommitState.REFUSED,
    Gate.BLOCK: CommitState.BLOCKED,
    Gate.SIGNATURE: CommitState.REFUSED,
    Gate.TESTS: CommitState.REFUSED,
    Gate.FREEZE: CommitState.FROZEN,
    Gate.BRAKE: CommitState.BRAKED,
    Gate.APPROVAL: CommitState.WAITING,
}


@dataclass(frozen=True, slots=True)
class Objection:
    """What *gate* has against a commit: ``text`` says what, and ``cure`` what helps; empty if it is to be meant.

    Neither begins with a capital, nor ends with a full stop. ``commit`` is the one that is at fault, None for the one
    that is to be deployed. Warnings on the same ``subject`` need not be told besides; empty if there are none. One that
    ``is_pending`` says that it is being found out, and nobody needs to do anything. ``who`` has brought it about, empty
    for nobody in particular.
    """

    gate: Gate
    text: str
    cure: str = ""
    commit: CommitId | None = None
    subject: str = ""
    is_pending: bool = False
    who: str = ""

    @property
    def state(self) -> CommitState:
        """The state of a commit that this holds."""
        return CommitState.SEEN if self.is_pending else self.gate.state

    def __str__(self) -> str:
        """Return what speaks against it, with its cure."""
        return f"{self.text}; {self.cure}" if self.cure else self.text


def in_order(objections: Iterable[Objection]) -> tuple[Objection, ...]:
    """Return *objections* in the order of their gates; those of one gate stay as they are."""
    gates = list(Gate)
    return tuple(sorted(objections, key=lambda each: gates.index(each.gate)))


def first_of(objections: Sequence[Objection]) -> str:
    """Return the first of *objections*, with the cure that its gate knows; they are in order, and there is one."""
    first = objections[0]
    cures = (each.cure for each in objections if each.gate is first.gate and each.cure)
    return "; ".join((first.text, *islice(cures, 1)))


def way_on(objections: Iterable[Objection], commit: CommitId) -> str:
    """Return what people do who want *commit* to be deployed in spite of *objections*, for the end of a message.

    Empty if there is nothing that anybody has to do.
    """
    objections = [each for each in objections if not each.is_pending]
    gates = {each.gate for each in objections}
    if not gates or Gate.SIGNATURE in gates:
        return next((each.cure for each in objections if each.gate is Gate.SIGNATURE and each.cure), "")
    force, approve = f"gitupd deploy {commit[:12]} --force --reason WHY", f"gitupd approve {commit[:12]}"
    is_approval_enough = gates <= {Gate.FREEZE, Gate.BRAKE, Gate.APPROVAL}
    if Gate.APPROVAL in gates:
        return f"somebody else approves it: {approve}" if is_approval_enough else f"somebody else deploys it: {force}"
    if Gate.BRAKE in gates and is_approval_enough:
        return f"somebody else approves it: {approve}; or deploy it all the same: {force}"
    return f"to deploy it all the same: {force}"


class Doubtful(SiteError):
    """Nothing was decided, for something speaks against it; ``objections`` say what."""

    def __init__(self, objections: Iterable[Objection], cure: str = "") -> None:
        """Tell *objections*, and the *cure* for all of them; empty if they have their own."""
        self.objections = tuple(objections)
        said = "; ".join(map(str, self.objections))
        super().__init__(f"{said}; {cure}" if cure else said)

    @property
    def may_be_forced(self) -> bool:
        """Whether all of them are overruled by somebody who means it, and says why."""
        return all(each.gate.is_overruled for each in self.objections)
