"""Room on the disk: what is kept for those who have to act (log in, roll back, forget), and what is there again."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MIB = 2**20
_LEAST, _MOST = 1024 * _MIB, 10 * 1024 * _MIB
_SHARE, _SHARE_OF_SMALL = 20, 4
_LOOK_SECONDS = 0.5
_WORTH_A_TRY = _MIB


def kept_free(total: int) -> int:
    """Return how many bytes of *total* are kept: a twentieth, at least 1 GiB, at most 10, but never above a quarter."""
    return min(max(_LEAST, min(total // _SHARE, _MOST)), total // _SHARE_OF_SMALL)


class Reserve:
    """Whether so little room is left that what strangers send is not taken in any more."""

    def __init__(self, path: Path, mebibytes: int | None = None) -> None:
        """Keep so many *mebibytes* free where *path* is.

        None leaves that to :func:`kept_free`.
        """
        self._path, self._wanted = path, None if mebibytes is None else mebibytes * _MIB
        self._looked = -_LOOK_SECONDS
        self._trouble: str | None = None

    def is_reached(self) -> bool:
        """Whether there is no more room than the reserve; looked up twice a second at the most."""
        return self.trouble is not None

    @property
    def trouble(self) -> str | None:
        """What that means, None if it is not reached."""
        at = time.monotonic()
        if at - self._looked >= _LOOK_SECONDS:
            self._looked, self._trouble = at, self._look()
        return self._trouble

    def _look(self) -> str | None:
        disk = shutil.disk_usage(self._path)
        reserve = kept_free(disk.total) if self._wanted is None else self._wanted
        if disk.free >= reserve:
            return None
        return (
            f"only {disk.free // _MIB:,} MiB are free on the disk of the site, and {reserve // _MIB:,} are kept for "
            "operators: uploads and new devices are refused"
        )


class Shortage:
    """Whether the disk has room again since something failed, perhaps for want of it."""

    def __init__(self, path: Path) -> None:
        """Look at the disk that *path* is on."""
        self._path = path
        self._least = shutil.disk_usage(path).free

    def note(self) -> None:
        """Note that something failed just now."""
        self._least = shutil.disk_usage(self._path).free

    def is_over(self) -> bool:
        """Whether there is more room than there was at some time since then."""
        free = shutil.disk_usage(self._path).free
        self._least = min(self._least, free)
        return free - self._least >= _WORTH_A_TRY
