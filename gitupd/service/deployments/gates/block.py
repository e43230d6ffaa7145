"""Whether a commit contains what was rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.deployments.objection import Gate, Objection
from gitupd.core.deployments.reverting import RolledBack
from gitupd.errors import UnreadableRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.core.deployments.commit import FileSide
    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.gates.candidate import Candidate
    from gitupd.store.git.repository import ConfigRepository

_MOST_BETWEEN = 20_000
_MOST_FILES = 1_000
_MOST_NAMED = 3
_LARGEST = 256 * 2**10


@dataclass(frozen=True)
class _Blocked:
    """A blocked commit with what was rolled back: ``commits`` in all, which had changed ``files``, None for too many.

    ``back_to`` is where the rollback went, None if that is not known any more.
    """

    commit: CommitId
    back_to: CommitId | None
    commits: frozenset[CommitId]
    files: Mapping[str, RolledBack] | None


def by_block(candidate: Candidate) -> Iterator[Objection]:
    """Yield what of *candidate* was rolled back: commits in its history that nothing has reverted, or what they did."""
    repository, live = candidate.repository, candidate.live.commit
    if not candidate.blocked or not repository.has(live) or not repository.are_related(candidate.commit, live):
        return
    new = {each.id for each in repository.between(live, candidate.commit, _MOST_BETWEEN)}
    for blocked in _all_blocked(candidate):
        if text := _contained(candidate, blocked, new):
            yield Objection(Gate.BLOCK, text, _cure(repository, blocked, new), commit=blocked.commit)


def _all_blocked(candidate: Candidate) -> Iterator[_Blocked]:
    rollbacks = candidate.site.deployments.rollbacks()
    for commit in candidate.blocked:
        rollback = rollbacks.get(commit)
        if rollback is None or not candidate.repository.has(commit):
            yield _Blocked(commit, None, frozenset({commit}), None)
            continue
        try:
            yield _rolled_back(candidate.repository, commit, rollback.commit)
        except UnreadableRepository:
            yield _Blocked(commit, None, frozenset({commit}), None)


def _rolled_back(repository: ConfigRepository, commit: CommitId, back_to: CommitId) -> _Blocked:
    commits = frozenset(each.id for each in repository.between(back_to, commit, _MOST_BETWEEN)) | {commit}
    changes = repository.changes(back_to, commit, _MOST_FILES + 1)
    sides = [side for change in changes for side in (change.before, change.after) if side is not None]
    if len(changes) > _MOST_FILES or any(side.content is None for side in sides):
        return _Blocked(commit, back_to, commits, None)
    files = {change.path: RolledBack(_side(change.before), _side(change.after)) for change in changes}
    return _Blocked(commit, back_to, commits, files)


def _side(side: FileSide | None) -> str | None:
    return None if side is None else _text(side.content)


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "surrogateescape")


def _contained(candidate: Candidate, blocked: _Blocked, new: set[CommitId]) -> str:
    """Return in words what the commit contains of what was rolled back; empty for nothing."""
    repository, name = candidate.repository, _named(blocked.commit, candidate.blocked)
    if repository.has(blocked.commit) and not repository.changes(blocked.commit, candidate.commit, 1):
        return f"its files are those of {name}"
    built_on = blocked.commits & new
    if built_on and blocked.files is None:
        return f"it builds on {name}"
    if blocked.files is None:
        return ""
    if built_on:
        left = [path for path, file in blocked.files.items() if not _is_gone(candidate, blocked, path, file)]
        said = f"it builds on {name}, and does not revert what that did to"
    else:
        left = [path for path, file in blocked.files.items() if _is_back(candidate, path, file)]
        said = f"it does again what was rolled back with {name}, to"
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    return f"{said} {', '.join(left[:_MOST_NAMED])}{more}" if left else ""


def _is_gone(candidate: Candidate, blocked: _Blocked, path: str, file: RolledBack) -> bool:
    """Whether the commit has nothing any more of what was rolled back in *file*, under another name neither."""
    text = _content(candidate.repository, candidate.commit, path)
    if not file.is_gone(text):
        return False
    if text is not None or file.after is None or not file.added:
        return True
    known = {change.path for change in candidate.repository.changes(blocked.commit, candidate.commit, _MOST_FILES)}
    others = (_content(candidate.repository, candidate.commit, other) for other in known - {path})
    return not any(file.added <= {line.strip() for line in other.splitlines()} for other in others if other is not None)


def _is_back(candidate: Candidate, path: str, file: RolledBack) -> bool:
    """Whether the commit does what was rolled back, and the one that is live does not."""
    repository = candidate.repository
    if not file.is_there(_content(repository, candidate.commit, path)):
        return False
    return not file.is_there(_content(repository, candidate.live.commit, path))


def _content(repository: ConfigRepository, commit: CommitId, path: str) -> str | None:
    """Return the file at *path*, None if there is none; of one that nobody reads, that it is none that was before."""
    size = repository.size(commit, path)
    if size is None:
        return None
    return _text(repository.file(commit, path)) if size <= _LARGEST else f"{size} bytes"


def _cure(repository: ConfigRepository, blocked: _Blocked, new: set[CommitId]) -> str:
    lift = f"or lift the block: gitupd unblock {blocked.commit[:12]}"
    if not blocked.commits & new:
        return f"leave that out, {lift}"
    several = len(blocked.commits) > 1 and blocked.back_to is not None
    ahead = several and blocked.back_to and not repository.between(blocked.commit, blocked.back_to, 1)
    which = f"{str(blocked.back_to)[:12]}..{blocked.commit[:12]}" if ahead else blocked.commit[:12]
    return f"revert it on the branch: git revert {which}, {lift}"


def _named(commit: CommitId, blocked: Mapping[CommitId, str]) -> str:
    reason = f" ({blocked[commit]})" if blocked[commit] else ""
    return f"commit {commit[:12]}, which is blocked since it was rolled back{reason}"
