"""The configuration repository: read by commit id out of the object store, never through a work tree."""

from __future__ import annotations

import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from dulwich.annotate import annotate_lines
from dulwich.errors import NotGitRepository
from dulwich.objects import Blob, Commit, Tree
from dulwich.objectspec import parse_commit
from dulwich.refs import Ref
from dulwich.repo import Repo

from gitupd.config.intake import Entry, Kind, admit
from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.store.git_size import object_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dulwich.objects import ObjectID

_LARGEST_FOLDER = 8 * 2**20
_STALE_LOCK = 60.0
"""Seconds after which a lock belongs to nobody: dulwich holds one for the time of writing a small file."""


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What a commit says of itself; ``at`` is the committer's time, aware."""

    id: CommitId
    author: str
    at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """Which commit a line of a file came with."""

    commit: CommitInfo


class ConfigRepository:
    """A Git repository with a configuration, bare or not."""

    def __init__(self, path: Path) -> None:
        """Open the repository at *path*; raises UnreadableRepository if there is none."""
        self.path = path
        try:
            self._repo = Repo.discover(str(path)) if not (path / "objects").is_dir() else Repo(str(path))
        except (NotGitRepository, OSError, ValueError) as error:
            raise UnreadableRepository(f"{path} is no Git repository: {error}") from error
        self._repo.object_store.fsync_object_files = True  # what is deployed must survive a power cut

    @classmethod
    def create(cls, path: Path, branch: str = "main") -> ConfigRepository:
        """Create an empty bare repository at *path*, which must not exist."""
        repo = Repo.init_bare(str(path), mkdir=True, default_branch=branch.encode())
        repo.close()
        return cls(path)

    def close(self) -> None:
        """Close the files that are open."""
        self._repo.close()

    def __enter__(self) -> Self:
        """Return the repository itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files that are open."""
        self.close()

    def resolve(self, revision: str) -> CommitId:
        """Return the commit that *revision* names: a branch, a tag, ``HEAD~2``, or an abbreviated id."""
        with self._readable(f"no commit {revision!r}"):
            return CommitId(parse_commit(self._repo, revision).id.decode())

    def describe(self, commit: CommitId) -> CommitInfo:
        """Return what *commit* says of itself."""
        with self._readable(f"no commit {commit!r}"):
            return _info(self._commit(commit))

    def files(self, commit: CommitId) -> Mapping[str, bytes]:
        """Return the configuration files of *commit*, by path.

        Raises InvalidConfiguration as :func:`admit` does, UnreadableRepository if an object is missing or corrupt.
        """
        with self._readable(f"can't read commit {commit}"):
            ids: dict[bytes, ObjectID] = {}
            paths = admit(self._entries(self._commit(commit).tree, b"", ids))
            return {path: self._content(ids[path.encode()]) for path in paths}

    def file(self, commit: CommitId, path: str) -> bytes | None:
        """Return one file of *commit*, None if it has no such file."""
        with self._readable(f"can't read {path} of commit {commit}"):
            tree = self._repo.object_store[self._commit(commit).tree]
            assert isinstance(tree, Tree)  # noqa: S101 - tells the type checker what a commit's tree is
            try:
                _, found = tree.lookup_path(self._repo.object_store.__getitem__, path.encode())
            except KeyError:
                return None
            return self._content(found)

    def blame(self, commit: CommitId, path: str) -> Sequence[LineOrigin]:
        """Return for each line of the file at *path* in *commit* where it is from."""
        with self._readable(f"can't read the history of {path}"):
            annotated = annotate_lines(self._repo.object_store, commit.encode(), path.encode())  # type: ignore[arg-type] # the commit's id is what it takes
            return [LineOrigin(_info(found)) for (found, _), _ in annotated]

    def commit_files(self, files: Mapping[str, bytes], message: str, author: str, branch: str = "main") -> CommitId:
        """Add a commit on *branch* that holds just *files*; return its id.

        *author* is ``Name <address>``. Raises UnreadableRepository if the branch moved meanwhile.
        """
        reference = Ref(b"refs/heads/" + branch.encode())
        blobs = {path: Blob.from_string(content) for path, content in files.items()}
        trees: list[Tree] = []
        root = _plant(_nested(blobs), trees)
        parent = self._repo.refs.as_dict().get(reference)
        commit = Commit()
        commit.tree, commit.parents = root.id, [parent] if parent else []
        commit.author = commit.committer = author.encode()
        commit.commit_time = commit.author_time = int(time.time())
        commit.commit_timezone = commit.author_timezone = 0
        commit.encoding, commit.message = b"UTF-8", message.encode()
        unique = {each.id: each for each in (*blobs.values(), *trees, commit)}
        self._repo.object_store.add_objects([(each, None) for each in unique.values()])
        moved = (
            self._repo.refs.set_if_equals(reference, parent, commit.id)
            if parent
            else self._repo.refs.add_if_new(reference, commit.id)
        )
        if not moved:
            raise UnreadableRepository(f"branch {branch} was changed by somebody else meanwhile; try again")
        return CommitId(commit.id.decode())

    def sweep_locks(self) -> list[str]:
        """Remove locks that a killed process left behind; return their names."""
        removed = []
        for lock in (*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")):
            if time.time() - lock.stat().st_mtime > _STALE_LOCK:
                lock.unlink(missing_ok=True)
                removed.append(lock.name)
        return removed

    def _commit(self, commit: CommitId) -> Commit:
        found = self._repo.object_store[commit.encode()]  # type: ignore[index] # an object's id is bytes
        if not isinstance(found, Commit):
            raise KeyError(commit)
        return found

    def _content(self, blob: ObjectID) -> bytes:
        return self._repo.object_store.get_raw(blob)[1]

    def _entries(self, folder: ObjectID, prefix: bytes, ids: dict[bytes, ObjectID]) -> Iterator[Entry]:
        if object_size(self._repo.object_store, folder) > _LARGEST_FOLDER:
            yield Entry(prefix or b".", Kind.OTHER, 0)
            return
        tree = self._repo.object_store[folder]
        assert isinstance(tree, Tree)  # noqa: S101 - tells the type checker what a folder is
        for name, mode, found in tree.iteritems():
            path = prefix + name
            if stat.S_ISDIR(mode):
                yield from self._entries(found, path + b"/", ids)
                continue
            ids[path] = found
            kind = {stat.S_IFREG: Kind.FILE, stat.S_IFLNK: Kind.LINK, 0o160000: Kind.SUBMODULE}.get(
                stat.S_IFMT(mode), Kind.OTHER
            )
            yield Entry(path, kind, object_size(self._repo.object_store, found) if kind is Kind.FILE else 0)

    @contextmanager
    def _readable(self, trouble: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, OSError, ValueError, AssertionError, RecursionError) as error:
            raise UnreadableRepository(f"{trouble} in {self.path}: {error}") from error
        except Exception as error:
            if type(error).__module__.split(".")[0] in ("dulwich", "zlib"):
                raise UnreadableRepository(f"{trouble} in {self.path}: {error}") from error
            raise


def _info(commit: Commit) -> CommitInfo:
    author = commit.author.decode(errors="replace")
    subject = commit.message.decode(errors="replace").strip().partition("\n")[0]
    return CommitInfo(CommitId(commit.id.decode()), author, datetime.fromtimestamp(commit.commit_time, UTC), subject)


def _nested(blobs: Mapping[str, Blob]) -> dict[str, object]:
    root: dict[str, object] = {}
    for path, blob in blobs.items():
        *folders, name = path.split("/")
        folder = root
        for each in folders:
            inner = folder.setdefault(each, {})
            assert isinstance(inner, dict)  # noqa: S101 - a path can't be a file and a folder
            folder = inner
        folder[name] = blob
    return root


def _plant(folder: Mapping[str, object], trees: list[Tree]) -> Tree:
    tree = Tree()
    for name, child in folder.items():
        if isinstance(child, Blob):
            tree.add(name.encode(), 0o100644, child.id)
        elif isinstance(child, dict):
            tree.add(name.encode(), 0o040000, _plant(child, trees).id)
    trees.append(tree)
    return tree
