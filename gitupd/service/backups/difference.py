"""What differs between two versions of a configuration, line by line, and within lines word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitupd.core.differing import Effort, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_ROWS = 1_500
"""Rows of a difference that people and programs are shown at once."""

MOST_COMPARED = 350_000
"""Lines of a version: more, which no real device has, would keep the server busy for long."""

_LINE_TO_COMPARE = 2_000
_CELLS_FOR_WORDS, _CELLS_FOR_HEADS = 10_000, 100_000
_CELLS_IN_ALL = 3_000_000  # there may be thousands of lines to compare, or hundreds of stretches of hundreds of them
_WORDS_OF_A_HEAD = 3
_WORD = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A line of a version; ``number`` counts from 1, ``volatile`` lines don't count in comparisons.

    ``secret`` tells that something in ``text`` was replaced.
    """

    number: int
    text: str
    volatile: bool
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; ``changed`` if the other side has something else in its place."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of the older version beside its counterpart in the newer one, None where there is none.

    ``before`` and ``after`` are the lines in pieces. A secret that changed shows as changed, without its value.
    """

    left: VersionLine | None
    right: VersionLine | None
    changed: bool
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """So many lines that are not shown: equal ones, or with ``changed`` all that remain, because it is too much."""

    count: int
    changed: bool = False


Numbered = tuple[int, bytes]
Pair = tuple[int | None, int | None]


class Comparison:
    """Two versions side by side; only lines that count are compared. What is not asked for is not made."""

    def __init__(
        self,
        before: Sequence[Numbered],
        after: Sequence[Numbered],
        read: Callable[[int, bytes], VersionLine],
        beyond: int = 0,
    ) -> None:
        """Compare the lines *before* with those *after*, each with its number; *read* makes one ready to be shown.

        So many lines *beyond* these are not compared, because that would take too long.
        """
        self._before, self._after, self._read, self._beyond = before, after, read, beyond
        self._heads, self._words = Effort(_CELLS_IN_ALL), Effort(_CELLS_IN_ALL)

    @property
    def added(self) -> int:
        """How many lines of the newer version are new or changed."""
        return sum(changed and pair[1] is not None for pair, changed in self._pairs)

    @property
    def removed(self) -> int:
        """How many lines of the older version are gone or changed."""
        return sum(changed and pair[0] is not None for pair, changed in self._pairs)

    def rows(self) -> Iterator[DiffRow]:
        """Yield all rows, in order."""
        return (self._row(pair, changed=changed) for pair, changed in self._pairs)

    def folded(self, context: int | None, most: int) -> list[DiffRow | Fold]:
        """Return *most* rows: the changed ones with *context* equal ones around each, or with None all of them."""
        rows: list[DiffRow | Fold] = []
        skipped = 0
        for number, ((pair, changed), near) in enumerate(zip(self._pairs, self._near(context), strict=True)):
            if not near:
                skipped += 1
                continue
            if skipped:
                rows.append(Fold(skipped))
                skipped = 0
            if len(rows) >= most:
                return [*rows, Fold(len(self._pairs) - number + self._beyond, changed=True)]
            rows.append(self._row(pair, changed=changed))
        rows += [Fold(skipped)] if skipped else []
        return [*rows, Fold(self._beyond, changed=True)] if self._beyond else rows

    def _near(self, context: int | None) -> list[bool]:
        if context is None:
            return [True] * len(self._pairs)
        near = [False] * len(self._pairs)
        for number, (_, changed) in enumerate(self._pairs):
            if changed:
                start, end = max(0, number - context), min(len(near), number + context + 1)
                near[start:end] = [True] * (end - start)
        return near

    @cached_property
    def _pairs(self) -> list[tuple[Pair, bool]]:
        """The places of the lines of each row, and whether they differ."""
        pairs: list[tuple[Pair, bool]] = []
        before, after = [line for _, line in self._before], [line for _, line in self._after]
        for span in spans(before, after):
            ours, theirs = range(span.start, span.end), range(span.other_start, span.other_end)
            if span.same:
                pairs += [(both, False) for both in zip(ours, theirs, strict=True)]
            else:
                pairs += [(pair, True) for pair in _counterparts(before, after, ours, theirs, self._heads)]
        return pairs

    def _row(self, pair: Pair, *, changed: bool) -> DiffRow:
        left = None if pair[0] is None else self._read(*self._before[pair[0]])
        right = None if pair[1] is None else self._read(*self._after[pair[1]])
        if not changed:
            return DiffRow(left, right, changed=False)
        if left is None or right is None or pair[0] is None or pair[1] is None:
            return DiffRow(left, right, changed, tuple(_whole(left)), tuple(_whole(right)))
        both = pieces(left, right, self._before[pair[0]][1], self._after[pair[1]][1], self._words)
        return DiffRow(left, right, changed, *both)


def _counterparts(
    before: Sequence[bytes], after: Sequence[bytes], ours: range, theirs: range, effort: Effort
) -> Iterator[Pair]:
    """Yield lines that were exchanged as pairs: those that begin alike are the same line, with something else in it."""
    old, new = [_head(before[place]) for place in ours], [_head(after[place]) for place in theirs]
    for span in spans(old, new, _CELLS_FOR_HEADS, effort):
        gone, come = ours[span.start : span.end], theirs[span.other_start : span.other_end]
        if span.same:
            yield from zip(gone, come, strict=True)
        else:
            yield from ((place, None) for place in gone)
            yield from ((None, place) for place in come)


def _head(line: bytes) -> tuple[bytes, ...]:
    return tuple(line.split(b" ", _WORDS_OF_A_HEAD)[:_WORDS_OF_A_HEAD])


def pieces(
    left: VersionLine, right: VersionLine, before: bytes, after: bytes, effort: Effort | None = None
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return two lines in pieces, those marked that differ.

    *before* and *after* are the lines as they are: of a secret, which reads the same on both sides, they tell whether
    it is another one.
    """
    if max(len(left.text), len(right.text), len(before), len(after)) > _LINE_TO_COMPARE:
        return tuple(_whole(left)), tuple(_whole(right))
    words = _WORD.findall(left.text), _WORD.findall(right.text)
    old: list[Piece] = []
    new: list[Piece] = []
    for span in spans(_compared(words[0], before), _compared(words[1], after), _CELLS_FOR_WORDS, effort):
        if span.end > span.start:
            old.append(Piece("".join(words[0][span.start : span.end]), not span.same))
        if span.other_end > span.other_start:
            new.append(Piece("".join(words[1][span.other_start : span.other_end]), not span.same))
    return tuple(old), tuple(new)


def _compared(readable: Sequence[str], line: bytes) -> Sequence[str | tuple[str]]:
    """Return what stands for each word of a line when it is compared.

    A secret never equals a word that is shown: that would tell what it is.
    """
    words = _WORD.findall(line.decode(errors="replace"))
    if len(words) != len(readable):
        return readable
    return [word if word == seen else (word,) for word, seen in zip(words, readable, strict=True)]


def _whole(line: VersionLine | None) -> Iterator[Piece]:
    if line is not None:
        yield Piece(line.text, changed=True)
