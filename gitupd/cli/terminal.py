"""What commands print: times as they are read here, and texts that can't steer the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def local(at: datetime) -> str:
    """Return a time as people read it here."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def zoned(at: datetime) -> str:
    """Return a time as it is read here, with its distance to UTC: it names a version, for which UTC is the default."""
    return at.astimezone().isoformat(" ", "seconds")


def printable(text: str) -> str:
    """Return what a device says without what would steer the terminal; tabs do no harm."""
    return "".join(letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def harmless(text: str) -> str:
    """Return *text* as it goes to standard output: as it is to a file or a program, to a terminal without steering it.

    Line ends stay: they are of those who print.
    """
    return "\n".join(map(printable, text.split("\n"))) if sys.stdout.isatty() else text
