"""Objects of the backup history as ``git cat-file`` writes them."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Recorded:
    """A commit of the history as it tells of itself; ``parent`` is None for the first one."""

    commit: CommitId
    parent: CommitId | None
    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a version lies: the id of its blob, and its ``length`` in bytes."""

    blob: str
    length: int


def next_object(stream: IO[bytes], object_id: str, kind: bytes) -> bytes:
    """Return the next object that ``git cat-file --batch`` writes, which has to be this one.

    Raises UnreadableRepository if it is not.
    """
    header = stream.readline().split()
    if len(header) != 3 or header[0] != object_id.encode() or header[1] != kind:  # noqa: PLR2004 - id, type and size
        raise UnreadableRepository(f"{kind.decode()} {object_id} can't be read")
    content = stream.read(int(header[2]) + 1)
    if len(content) != int(header[2]) + 1:
        raise UnreadableRepository(f"{kind.decode()} {object_id} can't be read to its end")
    return content[:-1]


def ask_for(reading: subprocess.Popen[bytes], commit: CommitId) -> bytes:
    """Ask ``git cat-file --batch`` for a commit, and return it; raises UnreadableRepository."""
    assert reading.stdin is not None  # noqa: S101 - it was asked for
    assert reading.stdout is not None  # noqa: S101 - it was asked for
    with suppress(BrokenPipeError):
        reading.stdin.write(f"{commit}\n".encode("ascii"))
        reading.stdin.flush()
    return next_object(reading.stdout, commit, b"commit")


def stop(reading: subprocess.Popen[bytes]) -> None:
    """End a program that is asked for more and more, or has ended by itself."""
    reading.kill()
    if reading.stdin is not None:
        with suppress(BrokenPipeError):  # what it was asked last, it did not read
            reading.stdin.close()


def recorded(commit: CommitId, content: bytes) -> Recorded:
    """Return what a commit tells of itself, from what Git has of it."""
    head, _, message = content.decode(errors="replace").partition("\n\n")
    fields = dict(line.split(" ", 1) for line in reversed(head.split("\n")) if " " in line)
    seconds = int(fields["author"].rsplit(" ", 2)[1])
    parent = CommitId(fields["parent"]) if "parent" in fields else None
    return Recorded(commit, parent, datetime.fromtimestamp(seconds, UTC), message)


def kept_blob(line: bytes) -> Kept | None:
    """Return what a line of ``git cat-file --batch-check`` tells, None if there is no such blob."""
    words = line.decode("ascii", "replace").split()
    return Kept(words[0], int(words[2])) if words[1:2] == ["blob"] else None


@contextmanager
def names_in_a_file(names: Sequence[str]) -> Iterator[IO[bytes]]:
    """Give the block a file with a line for each of *names*."""
    with TemporaryFile() as names_file:
        names_file.write("".join(f"{name}\n" for name in names).encode("ascii"))
        names_file.seek(0)
        yield names_file
