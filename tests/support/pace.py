"""How slow this machine is now, so that bounds on processor time hold on any."""

from __future__ import annotations

import sys
import time

_ADDITIONS = 2_000_000
_ELSEWHERE = 0.12
"""Seconds that they take where the bounds of tests were found."""

_TRACED = 3
"""How much longer the code under test takes where somebody looks which lines run."""


def slowness() -> float:
    """Return how many times as long as there the processor takes for the same work, at least once."""
    started, total = time.process_time(), 0
    for number in range(_ADDITIONS):
        total += number
    took = time.process_time() - started
    return max(1.0, took / _ELSEWHERE) * (1 if sys.gettrace() is None else _TRACED)
