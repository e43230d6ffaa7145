"""Restraint in what anybody on the network can have written down."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_PERIOD = timedelta(minutes=1)
_MOST = 600


class Restraint:
    """Lets the same through once a minute, and no more than so much in all; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._let_through: set[object] = set()

    def allows(self, key: object, now: datetime) -> bool:
        """Whether *key* may pass at the time *now*."""
        with self._lock:
            if self._since is None or not timedelta(0) <= now - self._since < _PERIOD:
                self._since = now
                self._let_through.clear()
            if key in self._let_through or len(self._let_through) >= _MOST:
                return False
            self._let_through.add(key)
            return True
