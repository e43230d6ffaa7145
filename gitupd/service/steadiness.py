"""Whether the clock can be trusted to tell how long ago something was: it may have been put forward or back."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SETTLED_SECONDS = 3600.0
_JUMP = timedelta(minutes=1)


class Steadiness:
    """Holds the clock against one that nobody puts forward or back, with each look.

    What expires by the clock is left alone until it has run on like the other for an hour: by then, whoever is there
    has called, and was noted with the new time. So it is after a start, for the clock may have been wrong before.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        """Start to look; *steady* tells seconds since any moment."""
        self._steady = steady
        self._since = steady()
        self._last: tuple[datetime, float] | None = None

    def look(self, now: datetime) -> bool:
        """Note that the clock says *now*; return whether it has jumped since the last look."""
        moment = self._steady()
        last, self._last = self._last, (now, moment)
        if last is None or abs(now - last[0] - timedelta(seconds=moment - last[1])) < _JUMP:
            return False
        self._since = moment
        return True

    @property
    def is_settled(self) -> bool:
        """Whether the clock has not jumped for an hour."""
        return self._steady() - self._since >= SETTLED_SECONDS
