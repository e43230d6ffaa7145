"""Durations such as ``90s`` or ``1h30m``."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PARTS = re.compile(r"(\d+)([smhdw])", re.ASCII)
_LONGEST = 36_525 * 86400
_MOST_DIGITS = 12


def seconds(duration: str) -> int:
    """Return the seconds in *duration*, which conforms to the schemas' pattern.

    More than a century counts as a century: it means "for ever", and a calendar can't reach much further.
    """
    return min(sum(_part(number) * _UNITS[unit] for number, unit in _PARTS.findall(duration)), _LONGEST)


def _part(number: str) -> int:
    digits = number.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else _LONGEST
