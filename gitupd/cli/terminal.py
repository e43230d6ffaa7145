"""What commands print: times as they are read here, and texts that can't steer the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def local(at: datetime) -> str:
    """Return a time as people read it here."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def zoned(at: datetime) -> str:
    """Return a time as it is read here, with its distance to UTC: versions are named by UTC unless it is said."""
    return at.astimezone().isoformat(" ", "seconds")


def printable(text: str) -> str:
    """Return what a device says without what would steer the terminal; tabs do no harm."""
    return "".join(letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)
