"""The configuration repository: read by commit id out of the object store, never through a work tree."""

from __future__ import annotations

import stat
import time
import traceback
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dulwich.object_store import commit_tree_changes
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from gitupd.config.intake import EntryKind, TreeEntry, admit, is_entered
from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.store.git import history
from gitupd.store.git.blame import blame
from gitupd.store.git.commits import commit_content, read_commit
from gitupd.store.git.history import Bounds, blob_content
from gitupd.store.git.opening import open_repository
from gitupd.store.git.planting import planted
from gitupd.store.git.revisions import branch_head, commit_of
from gitupd.store.git.size import object_size
from gitupd.store.git.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitupd.core.deployments.commit import CommitInfo, CommitText, FileChange
    from gitupd.store.ages import Ages
    from gitupd.store.git.commits import StoredCommit

_DEPLOYED = "refs/gitupd/deployed"
_SETTINGS = (
    ("receive", "fsckObjects", "true"),
    ("receive", "maxInputSize", "256m"),
    ("receive", "advertisePushOptions", "true"),
    ("transfer", "hideRefs", "refs/gitupd"),
    ("uploadpack", "allowFilter", "true"),
)
"""What Git is to do for those who push and fetch: look at objects, bound them, and leave our references to us."""

_REGULAR = stat.S_IFREG | 0o644
_STALE_LOCK = 50.0
"""Seconds after which a lock belongs to nobody: dulwich holds one for the time of writing a small file."""

_MOST_BRANCHES_TOLD = 5


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """Which commit a line of a file came with."""

    commit: CommitInfo


class ConfigRepository:
    """A Git repository with a configuration, bare or not."""

    def __init__(self, path: Path, objects: Iterable[Path] = ()) -> None:
        """Open the repository at *path*, which looks for objects in the folders *objects*, too.

        Raises UnreadableRepository if there is none, or the Git library can't read it.
        """
        self.path, self._objects = path, tuple(objects)
        self._repo = open_repository(path, self._objects)
        if self._repo.object_store.object_format.name != "sha1":
            self._repo.close()
            raise UnreadableRepository(f"{path} names its objects by SHA-256; gitupd reads repositories that use SHA-1")
        self._repo.object_store.fsync_object_files = True  # what is deployed must survive a power cut

    @classmethod
    def create(cls, path: Path, branch: str = "main") -> ConfigRepository:
        """Create an empty bare repository at *path*, which must not exist."""
        repo = Repo.init_bare(str(path), mkdir=True, default_branch=branch.encode())
        config = repo.get_config()
        for section, name, value in _SETTINGS:
            config.set(section, name, value)
        config.write_to_path()
        repo.close()
        return cls(path)

    def close(self) -> None:
        """Close the files that are open."""
        # A damaged pack that was read in vain is still held by the error; it is closed when that is forgotten.
        with suppress(BufferError):
            self._repo.close()

    def __enter__(self) -> Self:
        """Return the repository itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files that are open."""
        self.close()

    def resolve(self, revision: str) -> CommitId:
        """Return the commit that *revision* names: an id or its beginning, a branch, a tag, or ``HEAD~2`` and the like.

        What could be an id is taken for one first, and branches win against tags.
        """
        with self._readable(f"no commit {revision!r}"):
            try:
                return CommitId(commit_of(self._repo.refs, self._repo.object_store, revision).decode())
            except KeyError as error:
                name = _missing(error)
                if not revision.startswith(name):
                    raise
                nothing = f"no commit {revision!r} in {self.path}: there is no {name}"
                raise UnreadableRepository(f"{nothing}{self._there_are()}") from error

    def head(self, branch: str) -> CommitId:
        """Return the commit that *branch* is at, whatever else has its name; raises UnreadableRepository."""
        with self._readable(f"no branch {branch!r}"):
            try:
                return CommitId(branch_head(self._repo.refs, self._repo.object_store, branch).decode())
            except KeyError as error:
                raise UnreadableRepository(f"no branch {branch!r} in {self.path}{self._there_are()}") from error

    def _there_are(self) -> str:
        """Return the end of a sentence that says which branches there are, whatever was looked for in vain."""
        names = list(self.branches(_MOST_BRANCHES_TOLD + 1))
        more = ", …" if len(names) > _MOST_BRANCHES_TOLD else ""
        told = ", ".join(names[:_MOST_BRANCHES_TOLD])
        return f"; its branches are {told}{more}" if names else ", which has no branch at all"

    def default_branch(self) -> str | None:
        """Return the branch that HEAD names, which need not exist yet; None if HEAD names a commit."""
        with self._readable("can't read HEAD"):
            content = self._repo.refs.read_ref(Ref(b"HEAD")) or b""
            return content.removeprefix(b"ref:").strip().partition(b"refs/heads/")[2].decode(errors="replace") or None

    def describe(self, commit: CommitId) -> CommitInfo:
        """Return what *commit* says of itself."""
        with self._readable(f"no commit {commit!r}"):
            return self._commit(commit).text.info

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
            blob = history.file_entry(self._repo.object_store, self._commit(commit).tree, path.encode())
            return None if blob is None else self._content(blob)

    def size(self, commit: CommitId, path: str) -> int | None:
        """Return the size in bytes of the file at *path* in *commit*, None if it has no such file."""
        with self._readable(f"can't read {path} of commit {commit}"):
            blob = history.file_entry(self._repo.object_store, self._commit(commit).tree, path.encode())
            return None if blob is None else object_size(self._repo.object_store, blob)

    def text(self, commit: CommitId) -> CommitText:
        """Return all that *commit* says of itself."""
        with self._readable(f"no commit {commit!r}"):
            return self._commit(commit).text

    def content(self, commit: CommitId) -> bytes:
        """Return what Git has of *commit*: all that its id stands for."""
        with self._readable(f"can't read commit {commit}"):
            return commit_content(self._repo.object_store, ObjectID(commit.encode()))

    def branches(self, most: int = 100) -> Mapping[str, CommitId]:
        """Return the heads of branches by name; at most *most* of them, the first by name."""
        with self._readable("can't read the branches"):
            heads = sorted(self._repo.refs.as_dict(Ref(b"refs/heads")).items())
            return {name.decode(errors="replace"): CommitId(head.decode()) for name, head in heads[:most]}

    def moved_at(self, branch: str) -> datetime | None:
        """Return when *branch* was last moved, None if that can't be told: Git notes it only as the age of a file."""
        folder = self.path / "refs" / "heads"
        try:
            file = (folder / branch).resolve()
            inside = file.is_relative_to(folder.resolve()) and file.is_file()
            return datetime.fromtimestamp(file.stat().st_mtime, UTC) if inside else None
        except (OSError, ValueError):
            return None

    def between(self, base: CommitId | None, head: CommitId, most: int) -> list[CommitInfo]:
        """Return the commits that *head* comes with and *base* does not, newest first; *most* of them at the most."""
        with self._readable(f"can't read the history of {head}"):
            behind = None if base is None else ObjectID(base.encode())
            ahead = self._walk().between(behind, ObjectID(head.encode()), most)
            return [commit.text.info for commit in ahead]

    def has(self, commit: CommitId) -> bool:
        """Whether *commit* can be read."""
        try:
            self.describe(commit)
        except UnreadableRepository:
            return False
        return True

    def are_related(self, one: CommitId, other: CommitId) -> bool:
        """Whether the histories of two commits have any commit in common."""
        with self._readable(f"can't read the histories of {one} and {other}"):
            return self._walk().are_related(ObjectID(one.encode()), ObjectID(other.encode()))

    def changes(self, base: CommitId | None, head: CommitId, most: int, bounds: Bounds = Bounds()) -> list[FileChange]:  # noqa: B008 - it is frozen
        """Return the files that differ between two commits by path, *most* of them at the most; None: no files."""
        with self._readable(f"can't compare {base} and {head}"):
            before = None if base is None else self._commit(base).tree
            return list(islice(history.changes(self._repo.object_store, before, self._commit(head).tree, bounds), most))

    def last_changes(self, commit: CommitId, paths: Iterable[str], most: int = 200) -> Mapping[str, CommitInfo]:
        """Return by path the commit that last changed a file of *commit*, if it is no more than *most* commits back."""
        with self._readable(f"can't read the history of {commit}"):
            start = self._commit(commit)
            store, folders = self._repo.object_store, history.Folders()
            commits = {path: history.last_change(store, start, path.encode(), most, folders) for path in paths}
            return {path: changed.text.info for path, changed in commits.items() if changed is not None}

    def blame(self, commit: CommitId, path: str) -> Sequence[LineOrigin]:
        """Return for each line of the file at *path* in *commit* where it is from."""
        with self._readable(f"can't read the history of {path}"):
            lines = blame(Path(self._repo.controldir()), self._objects, commit, path)
            origins = {commit: LineOrigin(self.describe(commit)) for commit in set(lines)}
            return [origins[commit] for commit in lines]

    def commit_files(self, files: Mapping[str, bytes], message: str, author: str, branch: str = "main") -> CommitId:
        """Add a commit on *branch* that holds just *files*; return its id.

        *author* is ``Name <address>``. Raises UnreadableRepository if the branch moved meanwhile.
        """
        reference = Ref(b"refs/heads/" + branch.encode())
        blobs = {path: Blob.from_string(content) for path, content in files.items()}
        trees: list[Tree] = []
        root = planted(blobs, trees)
        self._repo.object_store.add_objects([(item, None) for item in {*blobs.values(), *trees}])
        return self._commit_tree(root.id, self._repo.refs.as_dict().get(reference), message, author, branch)

    def commit_changes(
        self, changes: Mapping[str, bytes | None], parent: CommitId, message: str, author: str, branch: str
    ) -> CommitId:
        """Add a commit on *branch*, which is at *parent*, that differs from that by *changes*; return its id.

        None removes a file; all else stays. *author* is as in :meth:`commit_files`. Raises UnreadableRepository if the
        branch has moved.
        """
        with self._readable(f"can't change commit {parent}"):
            blobs = {path: Blob.from_string(content) for path, content in changes.items() if content is not None}
            self._repo.object_store.add_objects([(blob, None) for blob in blobs.values()])
            entries: list[tuple[bytes, int | None, ObjectID | None]] = [
                (path.encode(), _REGULAR, blobs[path].id) if path in blobs else (path.encode(), None, None)
                for path in changes
            ]
            tree = commit_tree_changes(self._repo.object_store, self._commit(parent).tree, entries)
            return self._commit_tree(tree, ObjectID(parent.encode()), message, author, branch)

    def _commit_tree(self, tree: ObjectID, parent: ObjectID | None, message: str, author: str, branch: str) -> CommitId:
        """Add a commit with a *tree* that is there behind *parent*, which *branch* must be at; return its id."""
        reference = Ref(b"refs/heads/" + branch.encode())
        commit = Commit()
        commit.tree, commit.parents = tree, [parent] if parent else []
        commit.author = commit.committer = author.encode()
        commit.commit_time = commit.author_time = int(time.time())
        commit.commit_timezone = commit.author_timezone = 0
        commit.encoding, commit.message = b"UTF-8", message.encode()
        self._repo.object_store.add_object(commit)
        moved = (
            self._repo.refs.set_if_equals(reference, parent, commit.id)
            if parent
            else self._repo.refs.add_if_new(reference, commit.id)
        )
        if not moved:
            raise UnreadableRepository(f"branch {branch} was changed by somebody else meanwhile; try again")
        return CommitId(commit.id.decode())

    def move(self, branch: str, old: CommitId | None, new: CommitId) -> None:
        """Move *branch* from *old*, None for one that is new; raises UnreadableRepository if it is elsewhere by now."""
        name = Ref(b"refs/heads/" + branch.encode())
        with self._readable(f"can't move branch {branch}"):
            before = None if old is None else ObjectID(old.encode())
            after = ObjectID(new.encode())
            moved = (
                self._repo.refs.set_if_equals(name, before, after)
                if before
                else self._repo.refs.add_if_new(name, after)
            )
        if not moved:
            raise UnreadableRepository(f"branch {branch} was changed by somebody else meanwhile; try again")

    def keep(self, commits: Iterable[CommitId]) -> None:
        """Have references of ours to *commits*, as far as they are there: Git removes what nothing names.

        Branches are deleted once they are merged, and what was deployed must be there to go back to.
        """
        with self._readable("can't keep commits"):
            referenced = self._repo.refs.as_dict(Ref(_DEPLOYED.encode()))
            for commit in map(str.encode, commits):
                if commit not in referenced and ObjectID(commit) in self._repo.object_store:
                    self._repo.refs.add_if_new(Ref(_DEPLOYED.encode() + b"/" + commit), ObjectID(commit))

    def latest_kept(self, head: CommitId, most: int = 1_000) -> CommitId | None:
        """Return the first of the commits that are kept among *head* and what it builds on, newest first.

        None if it is none of the *most* latest ones, or there is none.
        """
        with self._readable(f"can't read the history of {head}"):
            kept = self._repo.refs.as_dict(Ref(_DEPLOYED.encode()))
            ahead = self._walk().between(None, ObjectID(head.encode()), most) if kept else []
            return next((commit.text.info.id for commit in ahead if commit.text.info.id.encode() in kept), None)

    def sweep_locks(self, ages: Ages) -> list[str]:
        """Remove locks that a killed process left behind, as they are old by *ages*; return their names."""
        locks = ages.older((*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")), _STALE_LOCK)
        for lock in locks:
            lock.unlink(missing_ok=True)
        return [lock.name for lock in locks]

    def _walk(self) -> Walk:
        return Walk(self._repo.object_store, self._repo.get_shallow())

    def _commit(self, commit: CommitId) -> StoredCommit:
        return read_commit(self._repo.object_store, ObjectID(commit.encode()))

    def _content(self, blob: ObjectID) -> bytes:
        return blob_content(self._repo.object_store, blob)

    def _entries(self, folder: ObjectID, prefix: bytes, ids: dict[bytes, ObjectID]) -> Iterator[TreeEntry]:
        itself = TreeEntry(prefix.removesuffix(b"/"), EntryKind.FOLDER, object_size(self._repo.object_store, folder))
        if prefix or not is_entered(itself):
            yield itself
        if not is_entered(itself):
            return
        for name, mode, object_id in history.listed(self._repo.object_store, folder):
            path = prefix + name
            if stat.S_ISDIR(mode):
                yield from self._entries(object_id, path + b"/", ids)
                continue
            ids[path] = object_id
            kind = {stat.S_IFREG: EntryKind.FILE, stat.S_IFLNK: EntryKind.LINK, 0o160000: EntryKind.SUBMODULE}.get(
                stat.S_IFMT(mode), EntryKind.OTHER
            )
            kind = EntryKind.OTHER if b"/" in name else kind  # which no work tree can have, so nobody has seen it
            yield TreeEntry(
                path, kind, object_size(self._repo.object_store, object_id) if kind is EntryKind.FILE else 0
            )

    @contextmanager
    def _readable(self, trouble: str) -> Iterator[None]:
        try:
            yield
        except KeyError as error:
            raise UnreadableRepository(f"{trouble} in {self.path}: there is no {_missing(error)}") from error
        except (LookupError, OSError, ValueError, ArithmeticError, EOFError, AssertionError, RecursionError) as error:
            raise UnreadableRepository(f"{trouble} in {self.path}: {error}") from error
        except Exception as error:
            if isinstance(error, zlib.error) or _is_from_dulwich(error):
                raise UnreadableRepository(f"{trouble} in {self.path}: {error}") from error
            raise


def _is_from_dulwich(error: Exception) -> bool:
    """Whether *error* came up within dulwich, which meets damage with whatever its parsers run into."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith("dulwich.") for frame, _ in frames)


def _missing(error: KeyError) -> str:
    names = (part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in error.args)
    return " ".join(" ".join(names).split()) or "object without a name"
