"""Where a configuration is read from on the command line: a directory, or a revision of a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.config.documents import absence, misplaced
from gitupd.config.loader import NOT_COMMITTED
from gitupd.errors import GitupdError, InvalidConfiguration, UnreadableRepository
from gitupd.settings import pushed_objects
from gitupd.store.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.store.git.repository import ConfigRepository, LineOrigin


@dataclass(frozen=True, slots=True)
class Source:
    """Files of a configuration, and the commit they are of; files of a work tree are of none.

    ``repository`` is where to look up who wrote them, None if they are in none.
    """

    files: Mapping[str, bytes]
    commit: CommitId
    repository: Path | None = None

    def origins(self, path: str) -> Sequence[LineOrigin]:
        """Return for each line of the file at *path* where it is from, nothing if it isn't committed as it is."""
        if self.repository is None:
            return ()
        with _opened(self.repository) as repository:
            commit = self._commit_in(repository)
            if commit is None or repository.file(commit, path) != self.files[path]:
                return ()
            return repository.blame(commit, path)

    def _commit_in(self, repository: ConfigRepository) -> CommitId | None:
        """Return the commit to hold the files against; a work tree is held against its HEAD, None if it has none."""
        if self.commit != NOT_COMMITTED:
            return self.commit
        try:
            return repository.resolve("HEAD")
        except UnreadableRepository:
            return None  # nothing is committed yet


def read_source(path: Path, revision: str | None) -> Source:
    """Return the configuration at *path*.

    That is the one of *revision* if given, else of HEAD of a bare repository, else as it lies in the directory. A
    site's directory stands for its ``config.git``. Raises InvalidConfiguration for a tree that can't be read safely, or
    has neither a document nor a snippet, GitupdError if there is no such revision.
    """
    source = _read(path, revision)
    nothing = absence(source.files, f"{path}" if revision is None else f"{path}, {revision}")
    if nothing is not None:
        raise InvalidConfiguration([nothing, *misplaced(source.files)])
    return source


def _read(path: Path, revision: str | None) -> Source:
    if (path / "config.git").is_dir():
        path = path / "config.git"
    bare = (path / "objects").is_dir() and (path / "HEAD").is_file()
    if revision is None and not bare:
        return Source(read_tree(path), NOT_COMMITTED, path if (path / ".git").exists() else None)
    if not bare and not (path / ".git").exists():
        raise GitupdError(
            f"{path} is no repository of its own, and --rev reads whole ones; leave it out to read the files as they"
            " lie there, or name the repository"
        )
    with _opened(path) as repository:
        commit = repository.resolve(revision or "HEAD")
        return Source(repository.files(commit), commit, path)


def _opened(path: Path) -> ConfigRepository:
    from gitupd.store.git.repository import ConfigRepository  # noqa: PLC0415 - a hook validates files, without dulwich

    return ConfigRepository(path, pushed_objects())
