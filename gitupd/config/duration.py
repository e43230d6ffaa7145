"""Durations such as ``90s`` or ``1h30m``."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PARTS = re.compile(r"(\d+)([smhdw])", re.ASCII)


def seconds(duration: str) -> int:
    """Return the seconds in *duration*, which conforms to the schemas' pattern."""
    return sum(int(number) * _UNITS[unit] for number, unit in _PARTS.findall(duration))
