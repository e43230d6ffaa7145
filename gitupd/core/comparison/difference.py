"""What a device would get else: lines that go, lines that come, and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.comparison.consequences import consequences, gets_all
from gitupd.core.comparison.staying import staying
from gitupd.core.differing import spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitupd.core.comparison.consequences import Consequence, FindFirmware
    from gitupd.core.comparison.rendering import ComparedLine, Rendering
    from gitupd.core.comparison.staying import StayingLine


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines at one place of a script; ``path`` is the snippet that they are from, None if they are from none."""

    removed: tuple[str, ...]
    added: tuple[str, ...]
    path: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptDifference:
    """What changes for a device; all may be empty if what changes is nothing that a device, or a reader, notices.

    ``staying`` are lines that go, and whose effect stays on a device that has executed them.
    """

    hunks: tuple[Hunk, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    staying: tuple[StayingLine, ...] = ()

    @property
    def removed(self) -> int:
        """How many lines go."""
        return sum(len(hunk.removed) for hunk in self.hunks)

    @property
    def added(self) -> int:
        """How many lines come."""
        return sum(len(hunk.added) for hunk in self.hunks)


def compare(
    base: Rendering,
    head: Rendering,
    *,
    hide: Callable[[str], str] = str,
    firmware: FindFirmware | None = None,
) -> ScriptDifference | None:
    """Return what changes for a device that gets *head* rather than *base*, None if it gets the same.

    The name of the commit is the same. *hide* takes secrets out of a line; *firmware* tells whether a file is on the
    server, None where nobody knows.
    """
    same = base.lines == head.lines and base.onward == head.onward and base.check == head.check
    if same and base.is_executed == head.is_executed:
        return None
    hunks = tuple(_hunks(base.lines, head.lines, hide))
    left = staying(base.lines, head.lines, hide) if gets_all(head) else ()  # else the rest of its lines is yet to come
    return ScriptDifference(hunks, consequences(base, head, firmware), left)


def _hunks(
    before: tuple[ComparedLine, ...], after: tuple[ComparedLine, ...], hide: Callable[[str], str]
) -> Iterator[Hunk]:
    texts, others = [line.text for line in before], [line.text for line in after]
    for span in spans(texts, others):
        if not span.same:
            gone, come = before[span.start : span.end], after[span.other_start : span.other_end]
            path = next((line.path for line in (*come, *gone) if line.path is not None), None)
            yield Hunk(_readable(gone, hide), _readable(come, hide), path)


def _readable(lines: tuple[ComparedLine, ...], hide: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(hide((line.text if line.shown is None else line.shown).decode(errors="replace")) for line in lines)
