"""Whether the history of a commit has anything in common with that of the deployed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.objection import Gate, Objection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.deployments.gates.candidate import Candidate


def by_history(candidate: Candidate) -> Iterator[Objection]:
    """Yield that the commit is of another repository, by the look of it."""
    repository, live = candidate.repository, candidate.live.commit
    if not repository.has(live):
        return  # nothing can be said of how they stand to each other, and this may be how to get out of that
    if not repository.are_related(candidate.commit, live):
        text = f"its history has nothing in common with that of the deployed commit {live[:12]}"
        yield Objection(Gate.HISTORY, text)
