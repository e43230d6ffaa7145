"""Words that depend on a number, or on where in a sentence they stand."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return *number* with its noun: ``1 device``, ``1,250 devices``; *many* is the plural if it is no mere ``s``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """Return *text* with a capital at its beginning; the rest stays as it is."""
    return text[:1].upper() + text[1:]
