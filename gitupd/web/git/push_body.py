"""The body of a push: on its way to Git it is put into a file, and measured before anything is unpacked."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from gitupd.web.asgi.body import Refusal, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive

LARGEST_PUSH = 256 * 2**20
MOST_OBJECTS = 200_000
MOST_REFS = 1_000
_LENGTH = 4
_FLUSH = b"0000"
_PACK_HEAD = struct.Struct(">4sLL")
_OPTIONS = b"push-options"


@contextmanager
def push_file(folder: Path) -> Iterator[IO[bytes]]:
    """Give the block a file in *folder* without a name, so that nothing is left of it whatever happens."""
    with TemporaryFile(dir=folder) as file:
        yield file


async def fill(file: IO[bytes], receive: Receive, pause: float) -> None:
    """Write the body of a push into *file*, and go back to its beginning.

    The client may pause for so many seconds. Raises Refusal for one that is too large in any way: in bytes, references
    or objects; OSError if there is no room for it.
    """
    async for chunk in chunks(receive, LARGEST_PUSH, pause):
        file.write(chunk)
    file.seek(0)
    _measure(file)
    file.seek(0)


def _measure(file: IO[bytes]) -> None:
    """Look at the beginning of a push: the references that it moves, its options, and how many objects are packed."""
    has_options = False
    for number, line in enumerate(_lines(file)):
        if number >= MOST_REFS:
            raise Refusal(413, f"more than {MOST_REFS:,} references in one push; push fewer at once")
        has_options |= not number and _OPTIONS in line.partition(b"\0")[2].split()
    if has_options:
        for number, _ in enumerate(_lines(file)):
            if number >= MOST_REFS:
                raise Refusal(413, "a push with that many options")
    head = file.read(_PACK_HEAD.size)
    if not head:
        return  # references are only deleted
    if len(head) < _PACK_HEAD.size or not head.startswith(b"PACK"):
        raise Refusal(400, "that is no push of Git")
    objects = _PACK_HEAD.unpack(head)[2]
    if objects > MOST_OBJECTS:
        raise Refusal(413, f"{objects:,} objects in one push, and {MOST_OBJECTS:,} are taken; push less at once")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines in the format of Git's protocol up to the one that ends them; raises Refusal for anything else."""
    while (length := file.read(_LENGTH)) != _FLUSH:
        try:
            size = int(length, 16) if length.isalnum() else 0
        except ValueError:
            size = 0
        line = file.read(max(size - _LENGTH, 0))
        if size <= _LENGTH or len(line) < size - _LENGTH:
            raise Refusal(400, "that is no push of Git")
        yield line
