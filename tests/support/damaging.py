"""Damages a Git repository as failing disks do, and mends it again."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SPOILT = 24


def place_of(repository: Path, object_id: str) -> tuple[Path, int]:
    """Return the pack in which an object lies, and where in it."""
    for index in repository.glob("objects/pack/*.idx"):
        with index.open("rb") as opened:
            shown = subprocess.run(["git", "show-index"], stdin=opened, capture_output=True, check=True, timeout=60)
        for line in shown.stdout.decode().splitlines():
            offset, found, _ = line.split()
            if found == object_id:
                return index.with_suffix(".pack"), int(offset)
    raise LookupError(object_id)


def overwrite(path: Path, offset: int, content: bytes) -> bytes:
    """Write *content* into the middle of a file, which need not be writable; return what was there."""
    path.chmod(0o600)
    with path.open("r+b") as opened:
        opened.seek(offset)
        before = opened.read(len(content))
        opened.seek(offset)
        opened.write(content)
    return before


@contextmanager
def damaged(repository: Path, object_id: str) -> Iterator[None]:
    """Let an object be unreadable while the block runs."""
    pack, offset = place_of(repository, object_id)
    before = overwrite(pack, offset + 1, b"\xff" * _SPOILT)
    try:
        yield
    finally:
        if pack.exists():
            overwrite(pack, offset + 1, before)
