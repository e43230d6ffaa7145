"""The backup history: a bare Git repository with a commit for each version of each device.

Commits are written by ``git fast-import``, several at a time into one pack, which is several times faster than one by
one, and leaves the history as it was if it is killed (docs/decisions/0010-backup-history.md).
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, TYPE_CHECKING

from dulwich.errors import NotGitRepository
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.store.git_size import object_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitupd.core.device import Serial

BRANCH = "refs/heads/main"
_SETTINGS = ("core.fsync=all", "gc.auto=0", "fastimport.unpackLimit=20", "repack.writeBitmaps=false")
_VERB = re.compile(r"[a-z]+(-[a-z]+)*")
_MIRRORED = "refs/gitupd/mirrored"
_SECONDS = 600.0
_PUSH_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Version:
    """A version that is to become a commit.

    ``author`` names the device, ``message`` has the trailers. ``content`` is what was uploaded, byte for byte, or an
    open file with it.
    """

    serial: Serial
    at: datetime
    author: str
    message: str
    content: bytes | IO[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Committed:
    """Where a version is in the history."""

    commit: CommitId
    blob: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A version in the history: the id of its blob, its ``length`` in bytes, and when it was received."""

    blob: str
    length: int
    at: datetime


def path_of(serial: Serial) -> str:
    """Return the path of a device's file.

    The last two digits of the serial number are folders, so that however many devices there are no folder is large:
    Git writes each folder above a file anew with each commit.
    """
    return f"devices/{serial.digits[-2]}/{serial.digits[-1]}/{serial}.txt"


class BackupRepository:
    """The Git repository of the backup history."""

    def __init__(self, path: Path) -> None:
        """Use the repository at *path*, which is opened with each use."""
        self.path = path

    def tip(self) -> CommitId | None:
        """Return the latest commit, None if there is none; raises UnreadableRepository."""
        with self._opened() as repo:
            try:
                return CommitId(repo.refs[Ref(BRANCH.encode())].decode())
            except KeyError:
                return None

    def content(self, blob: str) -> bytes:
        """Return a version by the id of its blob; raises UnreadableRepository."""
        with self._opened() as repo:
            return _content(repo, blob)

    def contents(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Return several versions by the ids of their blobs; raises UnreadableRepository."""
        with self._opened() as repo:
            return {blob: _content(repo, blob) for blob in set(blobs)}

    def stream(self, blobs: Sequence[str]) -> Iterator[bytes]:
        """Yield many versions by the ids of their blobs, in this order and one at a time, as quickly as Git reads them.

        Raises UnreadableRepository.
        """
        with TemporaryFile() as asked:
            asked.write("".join(f"{blob}\n" for blob in blobs).encode("ascii"))
            asked.seek(0)
            with self._git("cat-file", "--batch", "--buffer", stdin=asked.fileno(), stdout=subprocess.PIPE) as reading:
                assert reading.stdout is not None  # noqa: S101 - it was asked for
                try:
                    for blob in blobs:
                        yield _next_content(reading.stdout, blob)
                finally:
                    reading.kill()

    def append(self, versions: Sequence[Version]) -> list[Committed]:
        """Append a commit for each of *versions*, in their order; all of them are on disk then, or none is.

        Raises UnreadableRepository if that can't be done.
        """
        tip = self.tip()
        with TemporaryDirectory(prefix="gitupd-") as folder:
            marks = Path(folder) / "marks"
            command = ["fast-import", "--quiet", "--done", "--date-format=raw", f"--export-marks={marks}"]
            with self._git(*command, stdin=subprocess.PIPE) as importing:
                try:
                    assert importing.stdin is not None  # noqa: S101 - it was asked for
                    _write(importing.stdin, versions, tip)
                    importing.stdin.close()
                except OSError:
                    pass  # it ended early, and says why
                said = importing.stderr.read() if importing.stderr else b""
                if importing.wait(_SECONDS):
                    raise UnreadableRepository(f"{self.path} can't be written: {_shortened(said)}")
            found = dict(line.split() for line in marks.read_text("ascii").splitlines())
        return [Committed(CommitId(found[f":{n * 2 + 2}"]), found[f":{n * 2 + 1}"]) for n in range(len(versions))]

    def entry(self, commit: CommitId, serial: Serial) -> Kept:
        """Return where the version of *serial* that *commit* brought lies; raises UnreadableRepository."""
        with self._opened() as repo:
            found = _commit(repo, commit)
            tree = repo.object_store[found.tree]
            assert isinstance(tree, Tree)  # noqa: S101 - tells the type checker what a commit's tree is
            _, blob = tree.lookup_path(repo.object_store.__getitem__, path_of(serial).encode())
            at = datetime.fromtimestamp(found.author_time, UTC)
            return Kept(blob.decode(), object_size(repo.object_store, blob), at)

    def parent(self, commit: CommitId) -> CommitId | None:
        """Return the commit before *commit*, None if it is the first; raises UnreadableRepository."""
        with self._opened() as repo:
            parents = _commit(repo, commit).parents
            return CommitId(parents[0].decode()) if parents else None

    def since(self, commit: CommitId | None) -> list[tuple[CommitId, str]]:
        """Return the commits behind *commit*, None for all of them, with their messages, the oldest first."""
        with self._opened() as repo:
            found: list[tuple[CommitId, str]] = []
            tip = self.tip()
            while tip is not None and tip != commit:
                each = _commit(repo, tip)
                found.append((tip, each.message.decode(errors="replace")))
                tip = CommitId(each.parents[0].decode()) if each.parents else None
            return found[::-1]

    def mirrored(self) -> CommitId | None:
        """Return the latest commit that the mirror has, None if it has none; raises UnreadableRepository."""
        with self._opened() as repo:
            try:
                return CommitId(repo.refs[Ref(_MIRRORED.encode())].decode())
            except KeyError:
                return None

    def push(self, url: str, commit: CommitId) -> None:
        """Push the history up to *commit* to the repository at *url*, which must have nothing else.

        Raises UnreadableRepository if that can't be done, or takes too long.
        """
        asks_nobody = ("-c", "core.askPass=true", "-c", "core.sshCommand=ssh -o BatchMode=yes")
        target = ("--", url, f"{commit}:{BRANCH}")
        self._run(*asks_nobody, "push", "--quiet", "--no-progress", *target, seconds=_PUSH_SECONDS)
        self._run("update-ref", _MIRRORED, commit)

    def keep_up(self) -> None:
        """Make the repository small and quick to read, if it has become worth it; raises UnreadableRepository.

        Packs are rolled into larger ones so that there are never many, and what is already in a large one is seldom
        touched again. The commit-graph knows which commits changed which files, so that ``git log -- FILE`` is quick.
        """
        self._run("repack", "--quiet", "-d", "--geometric=2", "--write-midx")
        self._run("prune-packed", "--quiet")
        self._run("commit-graph", "write", "--reachable", "--changed-paths", "--split")

    def compact(self) -> None:
        """Pack everything anew, as small as it gets; takes long. Raises UnreadableRepository."""
        self._run("repack", "--quiet", "-a", "-d", "--window=20", "--depth=50")
        self._run("commit-graph", "write", "--reachable", "--changed-paths")

    def check(self) -> None:
        """Read every object; raises UnreadableRepository with what is damaged."""
        self._run("fsck", "--strict", "--no-dangling", "--no-progress")

    def size(self) -> int:
        """Return how many bytes the repository takes on the disk."""
        return sum(path.stat().st_size for path in self.path.glob("objects/**/*") if path.is_file())

    def tidy(self) -> list[str]:
        """Remove what a killed process left behind: locks and unfinished packs; return their names."""
        removed = []
        for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*", "fast_import_crash_*"):
            for path in self.path.glob(pattern):
                with suppress(OSError):
                    path.unlink()
                    removed.append(path.name)
        return removed

    def pack_count(self) -> int:
        """Return how many packs there are: reading gets slower with each."""
        return sum(1 for _ in self.path.glob("objects/pack/*.pack"))

    def _run(self, *arguments: str, seconds: float = _SECONDS) -> None:
        verb = next(word for word in arguments if _VERB.fullmatch(word))
        with self._git(*arguments, stdin=subprocess.DEVNULL) as running:
            try:
                _, said = running.communicate(timeout=seconds)
            except subprocess.TimeoutExpired as error:
                running.kill()
                raise UnreadableRepository(f"git {verb} in {self.path} took longer than {seconds:g} s") from error
            if running.returncode:
                raise UnreadableRepository(f"git {verb} failed in {self.path}: {_shortened(said)}")

    def _git(self, *arguments: str, stdin: int, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        command = ["git", "--git-dir", str(self.path), *settings, *arguments]
        try:
            return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)  # noqa: S603 - fixed words and our own path
        except OSError as error:
            raise UnreadableRepository(f"git can't be run: {error}") from error

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        try:
            repo = Repo(str(self.path))
        except (NotGitRepository, OSError, ValueError) as error:
            raise UnreadableRepository(f"{self.path} is no Git repository: {error}") from error
        try:
            yield repo
        except UnreadableRepository:
            raise
        except Exception as error:  # a damaged repository makes dulwich raise anything
            raise UnreadableRepository(f"{self.path} can't be read: {error!r}") from error
        finally:
            with suppress(BufferError):
                repo.close()


def _commit(repo: Repo, commit: CommitId) -> Commit:
    found = repo.object_store[ObjectID(commit.encode())]
    if not isinstance(found, Commit):
        raise UnreadableRepository(f"{commit} is no commit")
    return found


def _content(repo: Repo, blob: str) -> bytes:
    found = repo.object_store[ObjectID(blob.encode())]
    if not isinstance(found, Blob):
        raise UnreadableRepository(f"{blob} is no file's content")
    return found.data


def _next_content(stream: IO[bytes], blob: str) -> bytes:
    """Return the next object that ``git cat-file --batch`` writes, and expect it to be *blob*."""
    said = stream.readline().split()
    if len(said) != 3 or said[0] != blob.encode() or said[1] != b"blob":  # noqa: PLR2004 - id, type and size
        raise UnreadableRepository(f"version {blob} can't be read")
    content = stream.read(int(said[2]) + 1)
    if len(content) != int(said[2]) + 1:
        raise UnreadableRepository(f"version {blob} can't be read to its end")
    return content[:-1]


def _write(stream: IO[bytes], versions: Sequence[Version], tip: CommitId | None) -> None:
    """Write *versions* as the input of ``git fast-import``: blobs are marked with odd numbers, commits with even."""
    for number, version in enumerate(versions):
        seconds = int(version.at.timestamp())
        message = version.message.encode(errors="replace")
        stream.write(b"blob\nmark :%d\n" % (number * 2 + 1))
        _write_content(stream, version.content)
        author = f"{_name(version.author)} <{version.serial}@devices.invalid> {seconds} +0000\n"
        stream.write(b"commit %s\nmark :%d\n" % (BRANCH.encode(), number * 2 + 2))
        stream.write(f"author {author}committer gitupd <gitupd@localhost> {seconds} +0000\n".encode())
        stream.write(b"data %d\n%s\n" % (len(message), message))
        if number == 0 and tip is not None:
            stream.write(f"from {tip}\n".encode())
        stream.write(f"M 100644 :{number * 2 + 1} {path_of(version.serial)}\n\n".encode())
    stream.write(b"done\n")


def _write_content(stream: IO[bytes], content: bytes | IO[bytes]) -> None:
    if isinstance(content, bytes):
        stream.write(b"data %d\n" % len(content))
        stream.write(content)
    else:
        stream.write(b"data %d\n" % os.fstat(content.fileno()).st_size)
        copyfileobj(content, stream, 2**20)
    stream.write(b"\n")


def _name(text: str) -> str:
    """Return *text* as the name of an author: without what Git gives a meaning to."""
    return "".join(" " if letter in "<>" or not letter.isprintable() else letter for letter in text).strip() or "device"


def _shortened(said: bytes) -> str:
    return said.decode(errors="replace").strip()[-500:] or "it does not say why"
