"""Words that depend on a number, or on where in a sentence they stand."""

from __future__ import annotations

A_MOMENT = 0.05
"""Seconds that nobody notices."""
_MINUTE, _HOUR = 60, 60
_DAYS_FROM = 48


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return *number* with its noun: ``1 device``, ``1,250 devices``; *many* is the plural if it is no mere ``s``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """Return *text* with a capital at its beginning; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    """Return how long something takes: ``at once``, ``2.5 s``, ``45 s``, ``4 min``, ``3 h 20 min``, ``2 days``."""
    return " ".join(_measure(*part) for part in measured(seconds)) or "at once"


def _measure(number: float, unit: str) -> str:
    if unit == "day":
        return counted(int(number), unit)
    return f"{number:.1f} {unit}" if isinstance(number, float) else f"{number} {unit}"


def measured(seconds: float) -> tuple[tuple[float, str], ...]:
    """Return how long something takes as numbers of ``s``, ``min``, ``h`` or ``day``, the largest first.

    A moment has none of them. A number of seconds with tenths that say something is a float, any other an int.
    """
    if seconds < A_MOMENT:
        return ()
    if seconds < 10:  # noqa: PLR2004 - below, tenths of a second say something
        return ((float(seconds), "s"),)
    if round(seconds) < _MINUTE:
        return ((round(seconds), "s"),)
    minutes = round(seconds / _MINUTE)
    if minutes < _HOUR:
        return ((minutes, "min"),)
    hours, left = divmod(minutes, _HOUR)
    if hours < _DAYS_FROM:
        return ((hours, "h"), (left, "min")) if left else ((hours, "h"),)
    return ((round(hours / 24), "day"),)
