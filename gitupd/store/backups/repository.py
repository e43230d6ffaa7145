"""The backup history: a bare Git repository with a commit for each version of each device.

Commits are written by ``git fast-import``, several at a time into one pack, which is several times faster than one by
one, and leaves the history as it was if it is killed (docs/decisions/0010-backup-history.md).
"""

from __future__ import annotations

import subprocess
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import Blob, ObjectID
from dulwich.pack import write_pack_objects
from dulwich.repo import Repo

from gitupd.core.backups.version import path_of
from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.store.backups.leftovers import STALE_SECONDS, left_behind, size_of
from gitupd.store.backups.objects import ask_for, kept_blob, names_in_a_file, next_object, recorded, stop
from gitupd.store.backups.signatures import signed
from gitupd.store.backups.stream import ATTRIBUTES, BRANCH, write_versions
from gitupd.store.durable import sync_folder
from gitupd.store.git.opening import open_repository
from gitupd.store.git.program import GitProgram, check_ended, shortened
from gitupd.store.git.references import OBJECT, named_below, reference
from gitupd.store.git.remote import parse_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gitupd.core.caller import Serial
    from gitupd.store.backups.objects import Kept, Recorded
    from gitupd.store.backups.stream import Version
    from gitupd.store.signing import SigningKey

_MIRRORED = "refs/gitupd/mirrored"
_REPLACED = "refs/gitupd/replaced"
_UNSIGNED = "refs/gitupd/unsigned"
_NOTHING = "0" * 40
_SECONDS = 600.0
_PUSH_SECONDS = 120.0
_PUSH_CLAIM = "mirror.claim"


@dataclass(frozen=True, slots=True)
class Committed:
    """Where a version is in the history."""

    commit: CommitId
    blob: str


class BackupRepository:
    """The Git repository of the backup history."""

    def __init__(self, path: Path) -> None:
        """Use the repository at *path*, which is opened with each use."""
        self.path = path
        self._git = GitProgram(path)
        self.claimed = self._git.claimed

    def create(self) -> None:
        """Create an empty repository, which must not exist; raises UnreadableRepository."""
        try:
            Repo.init_bare(str(self.path), mkdir=True, default_branch=BRANCH.rpartition("/")[2].encode()).close()
            # For who reads in the bare repository itself: there Git does not look at the file among the versions.
            (self.path / "info").mkdir(exist_ok=True)
            (self.path / "info" / "attributes").write_bytes(ATTRIBUTES)
        except OSError as error:
            raise UnreadableRepository(f"{self.path} can't be created: {error}") from error

    def tip(self) -> CommitId | None:
        """Return the latest commit, None if there is none, or the branch is broken; raises UnreadableRepository."""
        return reference(self.path, BRANCH)

    def point_at(self, commit: CommitId) -> None:
        """Let *commit* be the latest one, because the branch was lost; raises UnreadableRepository."""
        branch = self.path / BRANCH
        try:
            if branch.exists() and not OBJECT.fullmatch(branch.read_text("ascii", "replace").strip()):
                branch.unlink()
        except OSError as error:
            raise UnreadableRepository(f"{branch} can't be written: {error}") from error
        self._git.run("update-ref", BRANCH, commit, seconds=_SECONDS)
        self._sync()

    def set_aside(self, commit: CommitId) -> None:
        """Keep *commit* and all before it, though the branch has another history; raises UnreadableRepository."""
        self._git.run("update-ref", f"{_REPLACED}/{commit}", commit, seconds=_SECONDS)
        self._sync()

    def replaced(self) -> list[CommitId]:
        """Return the commits that were set aside; raises UnreadableRepository."""
        return named_below(self.path, _REPLACED)

    def reaches(self, tip: CommitId, commit: CommitId) -> bool:
        """Whether *commit* is *tip* or one of those before it."""
        return self._succeeds("merge-base", "--is-ancestor", commit, tip)

    def content(self, blob: str) -> bytes:
        """Return a version by the id of its blob; raises UnreadableRepository."""
        with self._opened() as repo:
            return _content(repo, blob)

    def contents(self, blobs: Iterable[str]) -> Mapping[str, bytes | None]:
        """Return several versions by the ids of their blobs, None for those that can't be read."""
        ids = sorted(set(blobs))
        contents: dict[str, bytes | None] = {}
        while len(contents) < len(ids):
            rest = ids[len(contents) :]
            with suppress(UnreadableRepository):
                contents.update(zip(rest, self.stream(rest), strict=True))
            if len(contents) < len(ids):
                contents[ids[len(contents)]] = None
        return contents

    def stream(self, blobs: Sequence[str]) -> Generator[bytes, None, None]:
        """Yield many versions by the ids of their blobs, in this order and one at a time, as quickly as Git reads them.

        Raises UnreadableRepository.
        """
        return self._objects(blobs, b"blob")

    def _objects(self, ids: Sequence[str], kind: bytes) -> Generator[bytes, None, None]:
        with (
            names_in_a_file(ids) as names_file,
            self._git.start(
                "cat-file", "--batch", "--buffer", stdin=names_file.fileno(), stdout=subprocess.PIPE
            ) as reading,
        ):
            assert reading.stdout is not None  # noqa: S101 - it was asked for
            try:
                for object_id in ids:
                    yield next_object(reading.stdout, object_id, kind)
            except UnreadableRepository:
                check_ended(reading, "git cat-file")
                raise
            finally:
                reading.kill()

    def append(
        self,
        versions: Iterable[Version],
        folder: Mapping[Serial, str] | None = None,
        key: SigningKey | None = None,
    ) -> list[Committed]:
        """Append a commit for each of *versions*, in their order; all of them are on disk then, or none is.

        They are read while the commits are written. *folder* has the blobs of all devices, if what lies in the
        latest commit can't be read and is to be made anew; None if it can. With a *key* the commits are signed. Raises
        UnreadableRepository if that can't be done, and whatever *versions* raise.
        """
        with self.claimed():
            tip = self.tip()
            if key is None:
                committed = self._import(versions, tip, folder, BRANCH)
            else:
                committed = self._sign(self._import(versions, tip, folder, _UNSIGNED), tip, key)
            self._sync()
        return committed

    def _import(
        self, versions: Iterable[Version], tip: CommitId | None, folder: Mapping[Serial, str] | None, branch: str
    ) -> list[Committed]:
        """Let *branch* have a commit for each of *versions* behind *tip*."""
        command = ["fast-import", "--quiet", "--done", "--date-format=raw", "--cat-blob-fd=1"]
        if folder is not None or branch != BRANCH:
            command.append("--force")  # it would look whether the old tip is before the new one
        with TemporaryFile() as written:
            with self._git.start(*command, stdin=subprocess.PIPE, stdout=written) as importing:
                assert importing.stdin is not None  # noqa: S101 - it was asked for
                try:
                    with suppress(BrokenPipeError):  # it ended early, and says why
                        write_versions(importing.stdin, versions, tip, folder, branch)
                        importing.stdin.close()
                except BaseException:
                    importing.kill()
                    importing.wait(_SECONDS)
                    self.tidy(STALE_SECONDS)
                    raise
                errors = importing.stderr.read() if importing.stderr else b""
                if importing.wait(_SECONDS):
                    self.tidy(STALE_SECONDS)
                    raise UnreadableRepository(f"{self.path} can't be written: {shortened(errors)}")
            written.seek(0)
            ids = written.read().decode("ascii").split()
        return [Committed(CommitId(commit), blob) for blob, commit in zip(ids[::2], ids[1::2], strict=True)]

    def _sign(self, unsigned: Sequence[Committed], tip: CommitId | None, key: SigningKey) -> list[Committed]:
        """Let the branch have commits like *unsigned* ones behind *tip*, but signed: Git's import can't do that.

        Those without a signature stay behind in their pack, without a name, until everything is packed anew.
        """
        with closing(self._objects([committed.commit for committed in unsigned], b"commit")) as contents:
            commits = signed(contents, key)
        with TemporaryFile() as pack, TemporaryFile() as moves:
            write_pack_objects(pack, commits, DEFAULT_OBJECT_FORMAT)
            pack.seek(0)
            self._git.run("index-pack", "--stdin", seconds=_SECONDS, stdin=pack)
            ids = [CommitId(commit.id.decode("ascii")) for commit in commits]
            moves.write(f"update {BRANCH} {ids[-1]} {tip or _NOTHING}\ndelete {_UNSIGNED}\n".encode("ascii"))
            moves.seek(0)
            self._git.run("update-ref", "--stdin", seconds=_SECONDS, stdin=moves)
        return [Committed(commit, committed.blob) for commit, committed in zip(ids, unsigned, strict=True)]

    def history(self, since: CommitId | None) -> tuple[list[Recorded], str | None]:
        """Return the commits behind *since*, None for all of them, the oldest first.

        Also why the oldest ones are missing, None if they are not: what lies behind a damaged commit can't be found.
        """
        history: list[Recorded] = []
        try:
            with closing(self.commits()) as commits:
                history.extend(recorded(*commit) for commit in takewhile(lambda commit: commit[0] != since, commits))
        except UnreadableRepository as error:
            return history[::-1], str(error)
        return history[::-1], None

    def commits(self) -> Generator[tuple[CommitId, bytes], None, None]:
        """Yield all commits with what Git has of them, the newest first; raises UnreadableRepository."""
        commit = self.tip()
        with self._git.start("cat-file", "--batch", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reading:
            try:
                while commit is not None:
                    content = ask_for(reading, commit)
                    yield commit, content
                    commit = recorded(commit, content).parent
            except UnreadableRepository:
                check_ended(reading, "git cat-file")
                raise
            finally:
                stop(reading)

    def locate(self, versions: Sequence[tuple[CommitId, Serial]]) -> list[Kept | None]:
        """Return where the versions lie that commits brought, each of one device; None for what can't be read."""
        return self.locate_blobs([f"{commit}:{path_of(serial)}" for commit, serial in versions])

    def locate_blobs(self, names: Sequence[str]) -> list[Kept | None]:
        """Return where the blobs lie that have these *names* for Git; None for what can't be read."""
        places: list[Kept | None] = []
        while len(places) < len(names):
            with names_in_a_file(names[len(places) :]) as names_file, TemporaryFile() as written:
                command = ("cat-file", "--batch-check", "--buffer")
                with self._git.start(*command, stdin=names_file.fileno(), stdout=written) as reading:
                    reading.communicate(timeout=_SECONDS)
                check_ended(reading, "git cat-file")
                written.seek(0)
                places += [kept_blob(line) for line in written]
            if len(places) < len(names):
                places.append(None)  # it ended at a damaged object
        return places

    def has(self, commit: CommitId) -> bool:
        """Whether *commit* can be read."""
        return self._succeeds("cat-file", "-e", f"{commit}^{{commit}}")

    def is_damaged(self) -> bool:
        """Whether commits can't be appended because something before them can't be read; the latest commit can be."""
        return not self._succeeds("ls-tree", "-r", "--name-only", BRANCH) or not self._succeeds("rev-list", BRANCH)

    def mirrored(self) -> CommitId | None:
        """Return the latest commit that the mirror has, None if it has none; raises UnreadableRepository."""
        return reference(self.path, _MIRRORED)

    def push(self, url: str, commit: CommitId, given_up: Callable[[], bool] = lambda: False) -> None:
        """Push the history up to *commit* to the repository at *url*, which must have nothing else.

        That may take long: a push is ended when nothing happens any more, or *given_up* says so. Raises
        UnreadableRepository if it can't be done, or one of a server that has ended is still under way.
        """
        remote = parse_remote(url)
        asks_nobody = ("-c", "core.askPass=true", "-c", "core.sshCommand=ssh -o BatchMode=yes")
        pushing = (*asks_nobody, *remote.options, "push", "--quiet", "--no-progress", "--no-verify")
        with self._git.claimed(0, _PUSH_CLAIM):
            self._git.run(
                *(*pushing, "--", remote.url, f"{commit}:{BRANCH}"),
                seconds=_PUSH_SECONDS,
                secrets=remote.secrets,
                given_up=given_up,
            )
            self._git.run("update-ref", _MIRRORED, commit, seconds=_SECONDS)

    def keep_up(self) -> None:
        """Make the repository small and quick to read, if it has become worth it; raises UnreadableRepository.

        Packs are rolled into larger ones so that there are never many, and what is already in a large one is seldom
        touched again. The commit-graph knows which commits changed which files, so that ``git log -- FILE`` is quick.
        """
        with self.claimed():
            self._git.run("repack", "--quiet", "-d", "--geometric=2", "--write-midx", seconds=_SECONDS)
            self._git.run("prune-packed", "--quiet", seconds=_SECONDS)
            self._git.run("commit-graph", "write", "--reachable", "--changed-paths", "--split", seconds=_SECONDS)

    def compact(self) -> None:
        """Pack everything anew, as small as it gets, and so that clones cost little; takes long.

        What has no name is left out. Raises UnreadableRepository.
        """
        small = ("--window=20", "--depth=50", "--threads=0", "--write-bitmap-index")
        with self.claimed():
            self._git.run("repack", "--quiet", "-a", "-d", *small, seconds=_SECONDS)
            self._git.run("commit-graph", "write", "--reachable", "--changed-paths", seconds=_SECONDS)

    def check(self) -> None:
        """Read every object; raises UnreadableRepository with what is damaged."""
        self._git.run("fsck", "--strict", "--no-dangling", "--no-progress", seconds=_SECONDS)

    def size(self) -> int:
        """Return how many bytes the repository takes on the disk."""
        return sum(size_of(path) for path in self.path.glob("objects/**/*"))

    def tidy(self, age: float = 0.0) -> list[str]:
        """Remove what a killed process left behind: unfinished packs, and locks; return their names.

        Locks are removed that are older than *age* in seconds, or than a minute if others than we may hold them. To be
        called by who has the claim.
        """
        removed = []
        for path in left_behind(self.path, age):
            with suppress(OSError):
                path.unlink()
                removed.append(path.name)
        return removed

    def pack_count(self) -> int:
        """Return how many packs there are: reading gets slower with each."""
        return sum(1 for _ in self.path.glob("objects/pack/*.pack"))

    def _succeeds(self, *arguments: str) -> bool:
        try:
            self._git.run(*arguments, seconds=_SECONDS)
        except UnreadableRepository:
            return False
        return True

    def _sync(self) -> None:
        """Have the names of new packs and of the branch on disk; Git syncs only what is in them."""
        for name in ("objects/pack", "objects", "refs/heads"):
            try:
                sync_folder(self.path / name)
            except OSError as error:
                raise UnreadableRepository(f"{self.path / name} can't be written: {error}") from error

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        repo = open_repository(self.path)
        try:
            yield repo
        except UnreadableRepository:
            raise
        except Exception as error:  # a damaged repository makes dulwich raise anything
            raise UnreadableRepository(f"{self.path} can't be read: {error!r}") from error
        finally:
            with suppress(BufferError):
                repo.close()


def _content(repo: Repo, blob: str) -> bytes:
    stored = repo.object_store[ObjectID(blob.encode())]
    if not isinstance(stored, Blob):
        raise UnreadableRepository(f"{blob} is no file's content")
    return stored.data
