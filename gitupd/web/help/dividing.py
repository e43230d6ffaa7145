"""A document of the documentation, divided at its headings, and put together again as parts of a readable length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_PART = 4_000
"""Characters of a part, if it can be divided at a heading: about three screens."""

_HEADING = re.compile(r"(#{1,4}) +(.+)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r" *```")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_RULE = re.compile(r"^\|[-|: ]+$|^ *```.*$", re.MULTILINE)
_MARKS = str.maketrans("|#", "  ", "`*")


@dataclass(frozen=True, slots=True)
class HelpSection:
    """A heading with what stands below it up to the next heading; ``text`` is Markdown and begins with the heading.

    ``level`` is 1 for the title of the document, 4 at the most; ``part`` counts from 1.
    """

    level: int
    title: str
    anchor: str
    text: str
    part: int

    @property
    def words(self) -> str:
        """What it says below its heading, without marks, in one line."""
        return _plain(self.text.partition("\n")[2])


@dataclass(frozen=True)
class Manual:
    """One document: ``name`` is its path below ``docs/`` without ``.md``."""

    name: str
    pieces: tuple[HelpSection, ...]

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.pieces[0].title

    @property
    def parts(self) -> int:
        """How many parts it has."""
        return self.pieces[-1].part

    @cached_property
    def part_of(self) -> dict[str, int]:
        """The part in which each anchor is."""
        return {piece.anchor: piece.part for piece in self.pieces}

    def part(self, number: int) -> str:
        """Return the Markdown of one part, empty if there is none of that number."""
        return "".join(piece.text for piece in self.pieces if piece.part == number)


def divided(name: str, text: str) -> Manual:
    """Return the document in *text*, which begins with its title."""
    pieces = [piece for piece in _pieces(_COMMENT.sub("", text)) if piece.strip()]
    parts = accumulate(map(len, pieces), _filled, initial=(1, 0))
    next(parts)
    seen: dict[str, int] = {}
    return Manual(name, tuple(_piece(each, part, seen) for each, (part, _) in zip(pieces, parts, strict=True)))


def _plain(text: str) -> str:
    """Return what Markdown says, without its marks, in one line."""
    return " ".join(_LINK.sub(r"\1", _RULE.sub("", text)).translate(_MARKS).split())


def anchor_of(title: str) -> str:
    """Return the anchor of a heading, as Git hosts have it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def _filled(at: tuple[int, int], length: int) -> tuple[int, int]:
    """Return the part that a piece of some *length* comes into, and how much is in it then."""
    part, full = at
    return (part + 1, length) if full and full + length > LONGEST_PART else (part, full + length)


def _pieces(text: str) -> Iterator[str]:
    """Yield *text* from heading to heading; what looks like one in a block of code is none."""
    number, fenced = 0, False
    numbers = []
    lines = text.splitlines(keepends=True)
    for line in lines:
        fenced ^= bool(_FENCE.match(line))
        number += not fenced and _HEADING.match(line) is not None
        numbers.append(number)
    for _, group in groupby(zip(numbers, lines, strict=True), key=lambda pair: pair[0]):
        yield "".join(line for _, line in group)


def _piece(text: str, part: int, seen: dict[str, int]) -> HelpSection:
    match = _HEADING.match(text)
    marks, title = (match[1], match[2].strip()) if match else ("#", "")
    title = _plain(title)
    anchor = anchor_of(title)
    seen[anchor] = seen.get(anchor, -1) + 1
    return HelpSection(len(marks), title, f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor, text, part)
