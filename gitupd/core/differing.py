"""What two sequences of lines have in common, found in bounded time however long and however odd they are."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

_MOST_CELLS = 1_000_000
"""How much work is put into places where no line occurs just once; what remains then counts as exchanged."""

_ROUNDS = 8
"""How often all lines may be looked through for those that occur once; between these, others may occur once, too."""


class Effort:
    """How much work several comparisons may cause together, in lines that are compared with each other."""

    def __init__(self, cells: int) -> None:
        """Allow so many *cells*."""
        self._left = cells

    def afford(self, cells: int) -> bool:
        """Take so many *cells* from what is left; return False, and take none, if that is less."""
        affordable = cells <= self._left
        self._left -= cells if affordable else 0
        return affordable


@dataclass(frozen=True, slots=True)
class Span:
    """Lines ``start`` to ``end`` of one sequence, and their counterparts in the other one; ``same`` if they are equal.

    Where they are not, either side may be empty.
    """

    start: int
    end: int
    other_start: int
    other_end: int
    same: bool


def spans(
    before: Sequence[Hashable], after: Sequence[Hashable], most_cells: int = _MOST_CELLS, effort: Effort | None = None
) -> Iterator[Span]:
    """Yield equal and differing stretches of two sequences by turns, in order, so that all lines are in one.

    Lines that occur once on either side are matched first, in the longest order that both have; what lies between
    them is compared in full, each line with each, up to *most_cells* such comparisons; of several sequences, no more
    than *effort* allows.
    """
    at = other = 0
    for start, other_start, count in _joined(_matching(before, after, most_cells, effort).pairs()):
        if at < start or other < other_start:
            yield Span(at, start, other, other_start, same=False)
        at, other = start + count, other_start + count
        yield Span(start, at, other_start, other, same=True)
    if at < len(before) or other < len(after):
        yield Span(at, len(before), other, len(after), same=False)


def _joined(pairs: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield pairs that follow each other as one: where it starts on both sides, and how many there are."""
    start = other = count = 0
    for one, two in pairs:
        if count and (one, two) == (start + count, other + count):
            count += 1
            continue
        if count:
            yield start, other, count
        start, other, count = one, two, 1
    if count:
        yield start, other, count


def _matching(
    before: Sequence[Hashable], after: Sequence[Hashable], most_cells: int, effort: Effort | None
) -> _Matching:
    lines = Effort(_ROUNDS * (len(before) + len(after)))
    return _Matching(before, after, lines, Effort(most_cells), effort or Effort(most_cells))


@dataclass(frozen=True, slots=True)
class _Matching:
    before: Sequence[Hashable]
    after: Sequence[Hashable]
    lines: Effort
    cells: Effort
    all_cells: Effort

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the places of lines that stay, in order."""
        # A stack in place of recursion, which hostile lines could drive too deep.
        waiting: list[tuple[int, int, int, int]] = [(0, len(self.before), 0, len(self.after))]
        while waiting:
            a, b, c, d = waiting.pop()
            while a < b and c < d and self.before[a] == self.after[c]:
                yield a, c
                a, c = a + 1, c + 1
            tail = 0
            while a < b - tail and c < d - tail and self.before[b - tail - 1] == self.after[d - tail - 1]:
                tail += 1
            if tail:
                waiting.append((b - tail, b, d - tail, d))
            b, d = b - tail, d - tail
            if a == b or c == d:
                continue
            if anchors := self._anchors(a, b, c, d):
                bounds = [(a, c), *anchors, (b, d)]
                parts = [(*one, *two) for one, two in pairwise(bounds)]
                waiting += [(start, end, other, last) for start, other, end, last in reversed(parts)]
            else:
                yield from self._in_full(a, b, c, d)

    def _anchors(self, a: int, b: int, c: int, d: int) -> list[tuple[int, int]]:
        """Return the places of lines that occur once on either side, as many as come in the same order.

        Returns none any more once all lines have been looked through several times.
        """
        if not self.lines.afford(b - a + d - c):
            return []
        ours, theirs = Counter(self.before[a:b]), Counter(self.after[c:d])
        there = {line: place for place, line in enumerate(self.after[c:d], c) if theirs[line] == 1}
        common = [
            (place, there[line]) for place, line in enumerate(self.before[a:b], a) if ours[line] == 1 and line in there
        ]
        return _longest_rising(common)

    def _in_full(self, a: int, b: int, c: int, d: int) -> Iterator[tuple[int, int]]:
        """Yield the places of the longest common subsequence, unless that takes too long."""
        height, width = b - a, d - c
        if not (self.cells.afford(height * width) and self.all_cells.afford(height * width)):
            return
        lengths = [[0] * (width + 1)]
        for line in self.before[a:b][::-1]:
            below, row = lengths[-1], [0]
            for place, other in enumerate(self.after[c:d][::-1]):
                row.append(below[place] + 1 if line == other else max(row[place], below[place + 1]))
            lengths.append(row)
        while a < b and c < d:
            if self.before[a] == self.after[c]:
                yield a, c
                a, c = a + 1, c + 1
            elif lengths[b - a - 1][d - c] >= lengths[b - a][d - c - 1]:
                a += 1
            else:
                c += 1


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of *pairs*, which rise in their first places, that rises in their second ones, too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(place)
            last.append(number)
        else:
            ends[length], last[length] = place, number
    rising: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        rising.append(pairs[number])
        number = before[number]
    return rising[::-1]
