"""Configuration files in a directory."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from gitupd.config.intake import EntryKind, TreeEntry, admit, is_entered
from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def read_tree(root: Path) -> Mapping[str, bytes]:
    """Return the configuration files below the directory *root*, by path with ``/``.

    Folders and files whose name starts with a dot are passed over at the top. Raises InvalidConfiguration as
    :func:`admit` does, GitupdError if something can't be read.
    """
    try:
        return {path: (root / path).read_bytes() for path in admit(_entries(os.fsencode(root), b""))}
    except OSError as error:
        raise GitupdError(f"can't read {os.fsdecode(error.filename)}: {error.strerror}") from error


def _entries(folder: bytes, prefix: bytes) -> Iterator[TreeEntry]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if not prefix and entry.name.startswith(b"."):
            continue
        status = entry.stat(follow_symlinks=False)
        path = prefix + entry.name
        if stat.S_ISDIR(status.st_mode):
            inner = TreeEntry(path, EntryKind.FOLDER, 0)
            yield inner
            if is_entered(inner):
                yield from _entries(entry.path, path + b"/")
        elif stat.S_ISREG(status.st_mode):
            yield TreeEntry(path, EntryKind.FILE, status.st_size)
        else:
            yield TreeEntry(path, EntryKind.LINK if stat.S_ISLNK(status.st_mode) else EntryKind.OTHER, 0)
