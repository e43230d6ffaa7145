"""Whether a file still has, or has again, what a rolled back commit had changed in it.

Compared by lines, hunk by hunk: that is cheap, holds for snippets and documents alike, and needs no fleet. Of a hunk
that adds lines, what counts is whether they are there; of one that only removes some, whether they are back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

_MOST_LINES = 5_000


@dataclass(frozen=True)
class _Hunk:
    """So many more of each line, or of a hunk that only removes lines so many fewer."""

    added: Counter[str]
    removed: Counter[str]


@dataclass(frozen=True)
class RolledBack:
    """A file that was rolled back from ``after`` to ``before``; None where there was none."""

    before: str | None
    after: str | None

    @cached_property
    def _lines(self) -> tuple[list[str], list[str]]:
        return _significant(self.before), _significant(self.after)

    @cached_property
    def _hunks(self) -> list[_Hunk]:
        old, new = self._lines
        if max(len(old), len(new)) > _MOST_LINES:
            return []
        more, fewer = Counter(new) - Counter(old), Counter(old) - Counter(new)
        hunks = []
        for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind != "equal":
                added = Counter({line: more[line] for line in new[new_start:new_end] if line in more})
                removed = Counter({line: fewer[line] for line in old[start:end] if line in fewer})
                hunks.append(_Hunk(added, removed))
        return [hunk for hunk in hunks if hunk.added or hunk.removed]

    @property
    def added(self) -> frozenset[str]:
        """The lines that were added; nothing in what was rolled back says anything without them."""
        return frozenset(line for hunk in self._hunks for line in hunk.added)

    def is_gone(self, now: str | None) -> bool:
        """Whether nothing of it is in the file that there is *now*."""
        if _same(now, self.before):
            return True
        if not self._hunks or _same(now, self.after):
            return False
        counts, old = Counter(_significant(now)), Counter(self._lines[0])
        return all(
            all(counts[line] <= old[line] for line in hunk.added)
            if hunk.added
            else all(counts[line] >= old[line] for line in hunk.removed)
            for hunk in self._hunks
        )

    def is_there(self, now: str | None) -> bool:
        """Whether all of it is in the file that there is *now*, or one whole hunk of it."""
        if _same(now, self.after):
            return True
        if not self._hunks or _same(now, self.before):
            return False
        counts, new = Counter(_significant(now)), Counter(self._lines[1])
        return any(
            all(counts[line] >= new[line] for line in hunk.added)
            if hunk.added
            else all(counts[line] <= new[line] for line in hunk.removed)
            for hunk in self._hunks
        )


def _same(one: str | None, other: str | None) -> bool:
    return _significant(one) == _significant(other) and (one is None) == (other is None)


def _significant(text: str | None) -> list[str]:
    """Return the lines of *text* that say something."""
    return [] if text is None else [line for line in map(str.strip, text.splitlines()) if line]
