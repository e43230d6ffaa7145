"""Addresses that exceed the bounds of connections again and again: they are left alone for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_OFFENCES = 100
WITHIN_SECONDS = 10.0
BARRED_SECONDS = 10.0
_MOST_KEPT = 4096

_T = TypeVar("_T")


class Offenders:
    """Counts what comes from each address that nobody sends who means well.

    Each such connection costs as much as ten polls until it is closed, and whoever opens thousands of them a second
    makes all others wait behind them. So the next ones are closed before anything is read.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Measure time in seconds by *clock*."""
        self._clock = clock
        self._offences: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._barred: OrderedDict[str, float] = OrderedDict()

    def note(self, origin: str) -> bool:
        """Count an offence of *origin*, and return whether it is barred for some seconds from now on."""
        now = self._clock()
        since, count = self._offences.pop(origin, (now, 0))
        if now - since > WITHIN_SECONDS:
            since, count = now, 0
        if count + 1 >= MOST_OFFENCES:
            _keep(self._barred, origin, now + BARRED_SECONDS)
            return True
        _keep(self._offences, origin, (since, count + 1))
        return False

    def bars(self, origin: str) -> bool:
        """Whether *origin* is to be left alone now."""
        until = self._barred.get(origin)
        if until is None:
            return False
        if self._clock() < until:
            return True
        del self._barred[origin]
        return False


def _keep(kept: OrderedDict[str, _T], origin: str, value: _T) -> None:
    kept[origin] = value
    if len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
