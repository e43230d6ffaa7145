"""Files and their names, made to last: what is told to somebody afterwards is there after a power cut, too."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def sync_file(file: IO[bytes]) -> None:
    """Have on disk what was written into *file*; raises OSError."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in *folder* on disk: what is in a file may be, and the file still be gone; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(file: Path, target: Path) -> None:
    """Give *file*, which was synced, the name *target* in the same folder, whoever has that; raises OSError."""
    file.replace(target)
    sync_folder(target.parent)


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Give the block a file, readable by nobody else, which takes the place of *target* at its end, whole.

    If the block raises, everything stays as it was. Raises OSError.
    """
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:  # of mode 0600
        try:
            yield file
            sync_file(file)
            rename(Path(file.name), target)
        except BaseException:
            with suppress(OSError):
                Path(file.name).unlink()
            raise


def create(target: Path, content: bytes) -> None:
    """Make a file of *content*, readable by nobody else, as a whole or not at all; one that is there stays."""
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-") as file:  # of mode 0600
        file.write(content)
        sync_file(file)
        with suppress(FileExistsError):
            target.hardlink_to(file.name)
    sync_folder(target.parent)
