"""Whether a commit contains what was rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.objection import Gate, Objection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.gates.candidate import Candidate
    from gitupd.store.git.repository import ConfigRepository

_MOST_BETWEEN = 20_000


def by_block(candidate: Candidate) -> Iterator[Objection]:
    """Yield which blocked commits it builds on, or of which it has all files."""
    repository, commit, live, blocked = candidate.repository, candidate.commit, candidate.live.commit, candidate.blocked
    if not blocked or not repository.has(live) or not repository.are_related(commit, live):
        return
    below = [each.id for each in repository.between(live, commit, _MOST_BETWEEN) if each.id in blocked]
    for other in below:
        yield Objection(Gate.BLOCK, f"it builds on {_blocked(other, blocked)}", commit=other)
    if not below and (other_ := _same_again(repository, commit, blocked)):
        yield Objection(Gate.BLOCK, f"its files are those of {_blocked(other_, blocked)}", commit=other_)


def _same_again(repository: ConfigRepository, commit: CommitId, blocked: Mapping[CommitId, str]) -> CommitId | None:
    """Return which of the *blocked* commits *commit* has all files of: by a cherry-pick, a rebase, or a squash."""
    there = (other for other in blocked if repository.has(other))
    return next((other for other in there if not repository.changes(other, commit, 1)), None)


def _blocked(commit: CommitId, blocked: Mapping[CommitId, str]) -> str:
    reason = f" ({blocked[commit]})" if blocked[commit] else ""
    return f"commit {commit[:12]}, which is blocked since it was rolled back{reason}"
