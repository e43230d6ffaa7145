"""What speaks against deploying a commit that has no errors: somebody has to mean it, and say why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gitupd.core.situation import Basis
from gitupd.core.words import counted
from gitupd.errors import GitupdError, Problem, Severity
from gitupd.service.imagining import Imagining
from gitupd.service.render_tests import results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.store.git.repository import ConfigRepository

_MOST_BETWEEN = 20_000
_SECONDS_FOR_TESTS = 20.0


def objections(
    repository: ConfigRepository,
    snapshot: Snapshot,
    files: Mapping[str, bytes],
    *,
    live: CommitId,
    blocked: Mapping[CommitId, str],
    now: datetime,
) -> tuple[str, ...]:
    """Return in words what speaks against deploying *snapshot*, made of *files*, instead of *live*.

    Nothing, if all is as usual. *blocked* commits come with reasons. Raises UnreadableRepository.
    """
    return (*_by_history(repository, snapshot.commit, live, blocked), *by_tests(snapshot, files, now))


def left_out(repository: ConfigRepository, commit: CommitId, live: CommitId) -> tuple[Problem, ...]:
    """Return a warning if *commit* does not build on *live*, so that what others have deployed is taken back.

    Nobody means to who deploys a branch of his own, or has pushed by force. Raises UnreadableRepository.
    """
    if not repository.has(live) or not repository.are_related(commit, live):
        return ()
    lost = repository.between(commit, live, _MOST_BETWEEN)
    if not lost or not repository.changes(live, commit, 1):
        return ()
    latest = f"{lost[0].id[:12]} {lost[0].subject!r}"
    message = f"leaves out {counted(len(lost), 'commit')} that {'is' if len(lost) == 1 else 'are'} deployed now"
    hint = "merge what is deployed if that is not meant"
    return (Problem(f"commit {commit[:12]}", 0, 0, f"{message}, {latest}", hint, Severity.WARNING),)


def _by_history(
    repository: ConfigRepository, commit: CommitId, live: CommitId, blocked: Mapping[CommitId, str]
) -> Iterator[str]:
    if not repository.has(live):
        return  # nothing can be said of how they stand to each other, and this may be how to get out of that
    if not repository.are_related(commit, live):
        yield f"its history has nothing in common with that of the deployed commit {live[:12]}"
    elif blocked:
        below = [each.id for each in repository.between(live, commit, _MOST_BETWEEN) if each.id in blocked]
        yield from (f"it builds on {_blocked(other, blocked)}" for other in below)
        if not below and (other := _same_again(repository, commit, blocked)):
            yield f"its files are those of {_blocked(other, blocked)}"


def _same_again(repository: ConfigRepository, commit: CommitId, blocked: Mapping[CommitId, str]) -> CommitId | None:
    """Return which of the *blocked* commits *commit* has all files of: by a cherry-pick, a rebase, or a squash."""
    there = (other for other in blocked if repository.has(other))
    return next((other for other in there if not repository.changes(other, commit, 1)), None)


def _blocked(commit: CommitId, blocked: Mapping[CommitId, str]) -> str:
    reason = f" ({blocked[commit]})" if blocked[commit] else ""
    return f"commit {commit[:12]}, which is blocked since it was rolled back{reason}"


def by_tests(snapshot: Snapshot, files: Mapping[str, bytes], now: datetime) -> Iterator[str]:
    """Yield how its render tests fail; where it computes lines by code of its own, they are left to people."""
    if snapshot.scripting is not None:
        return
    deadline, failed = time.monotonic() + _SECONDS_FOR_TESTS, []
    try:
        for result in results(Imagining(Basis(snapshot), now), files):
            failed += [f"{result.path}: {result.name}"] if result.failures else []
            if time.monotonic() > deadline:
                yield f"its render tests take longer than {_SECONDS_FOR_TESTS:g} s"
                break
    except GitupdError as error:
        yield f"its render tests can't be run: {error}"
    if failed:
        yield f"{counted(len(failed), 'render test')} of it {'fails' if len(failed) == 1 else 'fail'}: {failed[0]}"
