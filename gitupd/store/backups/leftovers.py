"""Files in a repository as files: what killed processes left behind, and how large something is."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STALE_SECONDS = 60.0
"""So old is a lock that nobody holds any more."""

_UNFINISHED = (
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/pack/*.keep",
    "objects/??/tmp_obj_*",
    "fast_import_crash_*",
)
_LOCKS = ("*.lock", "refs/**/*.lock", "objects/**/*.lock")


def left_behind(repository: Path, age: float) -> list[Path]:
    """Return unfinished packs and objects, and locks older than *age* in seconds.

    Of those that others than we may hold, only locks that are stale.
    """
    left = [path for pattern in _UNFINISHED for path in repository.glob(pattern)]
    left += [
        path
        for pattern in _LOCKS
        for path in repository.glob(pattern)
        if _age(path) >= (max(age, STALE_SECONDS) if "gitupd" in path.parent.name else age)
    ]
    return left


def size_of(path: Path) -> int:
    """Return the size of a file, nothing if it is gone meanwhile, or a folder."""
    with suppress(FileNotFoundError):
        return path.stat().st_size if path.is_file() else 0
    return 0


def _age(path: Path) -> float:
    """Return for how many seconds a file has been as it is, nothing if it is gone.

    One from the future is from before the clock was put back, however long ago that was.
    """
    with suppress(FileNotFoundError):
        return abs(time.time() - path.stat().st_mtime)
    return 0.0
