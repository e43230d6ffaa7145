"""Opening a repository: whatever keeps the Git library from it is a repository that can't be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dulwich.errors import NotGitRepository
from dulwich.object_store import DiskObjectStore
from dulwich.repo import Repo

from gitupd.errors import UnreadableRepository

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def open_repository(path: Path, objects: Iterable[Path] = ()) -> Repo:
    """Open the repository at *path*, or the one that the folder *path* is in, which looks into *objects* as well.

    Those are more folders of objects, such as Git's quarantine for what is being pushed. Raises UnreadableRepository.
    """
    try:
        repo = Repo(str(path)) if (path / "objects").is_dir() else Repo.discover(str(path))
    except (NotGitRepository, OSError) as error:
        raise UnreadableRepository(f"{path} is no Git repository: {error}") from error
    except Exception as error:  # dulwich refuses extensions and odd settings by exceptions of many kinds
        raise UnreadableRepository(
            f"{path} is a Git repository that gitupd can't read: {type(error).__name__}: {error}; look at its file "
            "config, and what that says of extensions"
        ) from error
    repo.object_store.alternates.extend(DiskObjectStore(str(folder)) for folder in objects)
    return repo
