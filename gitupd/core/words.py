"""Words that depend on a number."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return *number* with its noun: ``1 device``, ``1,250 devices``; *many* is the plural if it is no mere ``s``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
