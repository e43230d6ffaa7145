"""For how long files have been as they are, whatever the clock says, which may be put forward or back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_State = tuple[int, int, int]


class Ages:
    """Watches files from look to look; a file is as old as the time for which it was seen unchanged.

    So none is old at the first look: times of files are those of a clock that may have been wrong then, or is now.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        """Measure by *steady*, which counts seconds as nobody puts them forward or back."""
        self._steady = steady
        self._since: dict[Path, tuple[_State, float]] = {}

    def older(self, paths: Iterable[Path], seconds: float) -> list[Path]:
        """Return those of *paths* that have been as they are for more than so many *seconds*; forget all others."""
        moment, seen = self._steady(), {}
        for path in paths:
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # its owner was faster
            state = (status.st_ino, status.st_mtime_ns, status.st_size)
            before = self._since.get(path)
            seen[path] = before if before is not None and before[0] == state else (state, moment)
        self._since = seen
        return [path for path, (_, since) in seen.items() if moment - since > seconds]
