"""Where a configuration is read from on the command line: a directory, or a revision of a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.config.loader import NOT_COMMITTED
from gitupd.store.git import ConfigRepository
from gitupd.store.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitupd.core.snapshot import CommitId


@dataclass(frozen=True, slots=True)
class Source:
    """Files of a configuration, and the commit they are of; files of a work tree are of none."""

    files: Mapping[str, bytes]
    commit: CommitId
    repository: Path | None = None


def read_source(path: Path, revision: str | None) -> Source:
    """Return the configuration at *path*.

    That is the one of *revision* if given, else of HEAD of a bare repository, else as it lies in the directory. A
    site's directory stands for its ``config.git``. Raises InvalidConfiguration for a tree that can't be read safely,
    GitupdError if there is nothing.
    """
    if (path / "config.git").is_dir():
        path = path / "config.git"
    bare = (path / "objects").is_dir() and (path / "HEAD").is_file()
    if revision is None and not bare:
        return Source(read_tree(path), NOT_COMMITTED)
    with ConfigRepository(path) as repository:
        commit = repository.resolve(revision or "HEAD")
        return Source(repository.files(commit), commit, path)
