"""What speaks against deploying a commit that has no errors, gate by gate: somebody has to mean it, and say why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gitupd.core.deployments.objection import Objection, in_order
from gitupd.core.words import counted
from gitupd.errors import Problem, Severity
from gitupd.service.deployments.gates.approval import by_approval
from gitupd.service.deployments.gates.block import by_block
from gitupd.service.deployments.gates.brake import by_brake
from gitupd.service.deployments.gates.candidate import Candidate
from gitupd.service.deployments.gates.freeze import by_freeze
from gitupd.service.deployments.gates.history import by_history
from gitupd.service.deployments.gates.render_tests import by_tests
from gitupd.service.deployments.gates.signature import by_signature

if TYPE_CHECKING:
    from gitupd.core.snapshot import CommitId
    from gitupd.store.git.repository import ConfigRepository

Guard = Callable[[Candidate], Iterable[Objection]]
"""Looks at a commit for one gate; raises UnreadableRepository."""

LASTING: tuple[Guard, ...] = (by_history, by_block, by_signature, by_tests)
"""What they say depends on the commit, on what is live and on what is blocked: it may take seconds, and is kept."""

MOMENTARY: tuple[Guard, ...] = (
    by_freeze,
    by_brake,
    by_approval,
)
"""What they say changes with the time, with the fleet or with what people say: it is asked anew, and takes no time."""

_MOST_LOST = 20_000


def objections(candidate: Candidate, guards: Iterable[Guard] = (*LASTING, *MOMENTARY)) -> tuple[Objection, ...]:
    """Return what *guards* have against *candidate*, in the order of the gates; raises UnreadableRepository."""
    return in_order(objection for guard in guards for objection in guard(candidate))


def left_out(repository: ConfigRepository, commit: CommitId, live: CommitId) -> tuple[Problem, ...]:
    """Return a warning if *commit* does not build on *live*, so that what others have deployed is taken back.

    Nobody means to who deploys a branch of his own, or has pushed by force. Raises UnreadableRepository.
    """
    if not repository.has(live) or not repository.are_related(commit, live):
        return ()
    lost = repository.between(commit, live, _MOST_LOST)
    if not lost or not repository.changes(live, commit, 1):
        return ()
    latest = f"{lost[0].id[:12]} {lost[0].subject!r}"
    message = f"leaves out {counted(len(lost), 'commit')} that {'is' if len(lost) == 1 else 'are'} deployed now"
    hint = "merge what is deployed if that is not meant"
    return (Problem(f"commit {commit[:12]}", 0, 0, f"{message}, {latest}", hint, Severity.WARNING),)
