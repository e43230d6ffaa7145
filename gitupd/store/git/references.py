"""The branches and the like of a Git repository, read without a process: loose files, or all of them in one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OBJECT = re.compile(r"[0-9a-f]{40}")


def reference(repository: Path, name: str) -> CommitId | None:
    """Return the commit that *name* stands for, None if there is none, or it is broken; raises UnreadableRepository."""
    try:
        if not (repository / "HEAD").is_file():
            raise UnreadableRepository(f"{repository} is no Git repository; restore it from a copy or from a mirror")
        if not (repository / name).exists():
            return dict(_packed(repository)).get(name)
        content = (repository / name).read_text("ascii", "replace").strip()
    except OSError as error:
        raise UnreadableRepository(f"{repository} can't be read: {error}") from error
    return CommitId(content) if OBJECT.fullmatch(content) and content.strip("0") else None


def named_below(repository: Path, prefix: str) -> list[CommitId]:
    """Return the commits after which references below *prefix* are called; raises UnreadableRepository."""
    try:
        loose = [file.name for file in (repository / prefix).glob("*")]
        packed = [name.removeprefix(f"{prefix}/") for name, _ in _packed(repository)]
    except OSError as error:
        raise UnreadableRepository(f"{repository} can't be read: {error}") from error
    return sorted({CommitId(name) for name in (*loose, *packed) if OBJECT.fullmatch(name)})


def _packed(repository: Path) -> Iterator[tuple[str, CommitId]]:
    """Yield names with their commits, as far as Git has them in one file; raises OSError."""
    try:
        lines = (repository / "packed-refs").read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        commit, _, name = line.partition(" ")
        if OBJECT.fullmatch(commit):
            yield name, CommitId(commit)
