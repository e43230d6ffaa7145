"""How many versions are kept within a time: of each device, and from each address."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from gitupd.core.policy import Rate

_MOST_KEYS = 20_000


class Pace:
    """Buckets that fill by time, and give one for each version; for one thread.

    The last 20,000 keys are remembered, and who is not has a full bucket. After a start, all have.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        """Begin with full buckets; *steady* tells seconds since any moment."""
        self._steady = steady
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def allows(self, rates: Mapping[Hashable, Rate | None]) -> bool:
        """Whether one more is within the rates of all keys, and if so, count it for each of them."""
        at = self._steady()
        levels = {key: self._level(key, rate, at) for key, rate in rates.items() if rate is not None}
        if any(level < 1 for level in levels.values()):
            return False
        for key, level in levels.items():
            self._buckets[key] = (level - 1, at)
            self._buckets.move_to_end(key)
        while len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        return True

    def _level(self, key: Hashable, rate: Rate, at: float) -> float:
        level, since = self._buckets.get(key, (float(rate.count), at))
        return min(level + (at - since) * rate.count / rate.seconds, float(rate.count))
