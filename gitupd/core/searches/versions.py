"""From which version to which, as searches write it: devices answer no builds, but ``13.2.1`` or ``13r3 sr1``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_RANGE = re.compile(r"(?P<than>[<>])(?P<only>[0-9].*)|(?P<least>[0-9].*?)\.\.(?P<most>[0-9].*)", re.DOTALL)
_PIECE = re.compile(r"[0-9]+|[^\W\d_]+", re.ASCII)

_Place = tuple[tuple[bool, int, str], ...]


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Versions after ``low`` and before ``high``, or with ``ends`` these, too; None is open.

    A version is a row of numbers and words with anything between them, and begins with a number. Of two, the first
    piece that differs says which is later: the greater number, the later word, a number rather than a word; or the
    longer one.
    """

    low: str | None
    high: str | None
    ends: bool

    def holds(self, value: str) -> bool:
        """Whether *value* begins with a number, and is a version from here to there; letter case does not matter."""
        if not value[:1].isdecimal() or not value[:1].isascii():
            return False
        place = _place(value)
        after = self.low is None or _end(self.low) < place or (self.ends and _end(self.low) == place)
        before = self.high is None or place < _end(self.high) or (self.ends and _end(self.high) == place)
        return after and before


def ends_of(match: re.Match[str]) -> tuple[str | None, str | None, bool]:
    """Return from where to where a range goes, and whether these are in it.

    The groups of *match* are ``than``, which is < or >, and ``only``, or else ``least`` and ``most``.
    """
    if match["than"] is None:
        return match["least"], match["most"], True
    return (match["only"], None, False) if match["than"] == ">" else (None, match["only"], False)


def version_range(value: str) -> VersionRange | None:
    """Return what ``>13.2``, ``<13.2`` or ``13.2..13.5`` stands for, None for anything else."""
    match = _RANGE.fullmatch(value)
    return None if match is None else VersionRange(*ends_of(match))


@lru_cache(maxsize=16)
def _end(version: str) -> _Place:
    """Return the same of an end of a range, which each answer is held against."""
    return _place(version)


def _place(version: str) -> _Place:
    """Return what puts versions in their order; numbers stay texts, for a device may answer one of any length."""
    pieces = _PIECE.findall(version.lower())
    numbers = (each.lstrip("0") if each[0].isdecimal() else None for each in pieces)
    return tuple(
        (number is not None, len(number or ""), each if number is None else number)
        for each, number in zip(pieces, numbers, strict=True)
    )
