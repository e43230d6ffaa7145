"""Which commit each line of a file is from: ``git blame`` knows, after merges, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.store.git.program import GitProgram

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PART = re.compile(rb"^([0-9a-f]{40}) \d+ (\d+) (\d+)$", re.MULTILINE)
_SECONDS = 60.0


def blame(repository: Path, objects: Sequence[Path], commit: CommitId, path: str) -> list[CommitId]:
    """Return for each line of the file at *path* in *commit* which commit it came with; raises UnreadableRepository.

    *repository* is where Git keeps its own files, *objects* are more folders of objects.
    """
    git = GitProgram(repository, objects)
    # An account's list of commits to be ignored must not change the answer.
    blaming = ("-c", "blame.ignoreRevsFile=", "blame", "--no-textconv", "--incremental", "--root")
    output = git.run(*blaming, commit, "--", path, seconds=_SECONDS)
    parts = [(int(first), int(count), CommitId(commit.decode())) for commit, first, count in _PART.findall(output)]
    return [commit for _, count, commit in sorted(parts) for _ in range(count)]
