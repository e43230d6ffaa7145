"""Finding a text in configurations: in the latest ones of all devices, and through their history.

What is hidden from somebody is not found for them, and neither a number nor an end tells them that it was there.
Versions are read in the order in which they were written, which is how they lie in the repository: Git takes several
times as long for the same in the order of paths.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.store.backup_timeline import BackupTimeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.device import Serial
    from gitupd.service.site import Site
    from gitupd.store.backup_index import Indexed

    Shown = Callable[[bytes], str]
    """Returns a line as the reader may see it."""

_SECONDS = 20
_LONGEST_TEXT = 200
_READERS = 2
_READ_AT_ONCE = 2_000
_LINES_TOLD = 3
_LINE_END = re.compile(rb"[\r\n]")


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that holds a text, in the latest version of a device."""

    serial: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """A device that had a text in its configuration: ``count`` versions of those looked at hold it.

    ``first`` and ``last`` are the oldest and the newest of these; ``lines`` are some of the lines of the newest one.
    """

    serial: Serial
    name: str | None
    first: Indexed
    last: Indexed
    count: int
    lines: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class HistorySearch:
    """What a search through history found, by device, those first whose version is the newest.

    ``looked_at`` versions were read, back to the time ``since``, None if there were none. ``left`` is where to go on,
    None if that was all.
    """

    held: tuple[Held, ...]
    looked_at: int
    since: datetime | None
    left: int | None


def parse_text(text: str) -> str:
    """Return what to look for, as it was typed; raises SiteError if it can't be found in a line."""
    if not text.strip() or "\n" in text or "\r" in text or "\0" in text:
        raise SiteError("type what to look for, in one line")
    if len(text) > _LONGEST_TEXT:
        raise SiteError(f"type no more than {_LONGEST_TEXT} characters to look for")
    return text


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked for, in small letters as bytes and as text."""

    coded: bytes
    text: str
    shown: Shown

    @classmethod
    def of(cls, text: str, shown: Shown) -> _Wanted:
        text = parse_text(text)
        return cls(text.encode(errors="replace").lower(), text.lower(), shown)

    def lines(self, content: bytes) -> Iterator[tuple[int, str]]:
        """Yield number and text of the lines that hold it, as far as the reader may see that.

        How long that takes must not tell what is hidden: so lines are looked at only where the text is, and one of
        them even if it is nowhere.
        """
        # Numbers and addresses, which are looked for most, have no letter case.
        looked_in = content.lower() if self.coded.upper() != self.coded else content
        at = looked_in.find(self.coded)
        if at < 0:
            self.shown(content[slice(*_line_around(content, len(content) // 2, 0))])
        number, counted, end = 1, 0, 0
        while at >= 0:
            start, end = _line_around(content, at, end)
            if self.text in (seen := self.shown(content[start:end])).lower():
                number += len(content[counted:start].splitlines())
                counted = start
                yield number, seen
            at = looked_in.find(self.coded, end)


def _line_around(content: bytes, at: int, least: int) -> tuple[int, int]:
    """Return where the line starts and ends that *at* is in; it starts at *least* or behind that."""
    end = _LINE_END.search(content, at)
    start = max(content.rfind(b"\n", least, at), content.rfind(b"\r", least, at), least - 1) + 1
    return start, end.start() if end else len(content)


def latest(site: Site, text: str, shown: Shown, limit: int) -> tuple[list[Hit], bool]:
    """Return *limit* of the lines that hold *text* in the latest versions, and whether that is all of them.

    They come by serial number. Letter case of ASCII does not matter. Raises SiteError if it takes too long.
    """
    wanted, deadline = _Wanted.of(text, shown), time.monotonic() + _SECONDS
    versions = BackupTimeline(site.database).latest()
    with ThreadPoolExecutor(_READERS) as readers:
        found = readers.map(lambda part: _latest_of(site, part, wanted, limit, deadline), _halves(versions))
        hits = sorted((hit for some in found for hit in some), key=lambda hit: (hit.serial, hit.number))
    return hits[:limit], len(hits) <= limit


def _halves(versions: Sequence[tuple[Serial, str]]) -> Iterator[Sequence[tuple[Serial, str]]]:
    size = -(-len(versions) // _READERS) or 1
    return (versions[first : first + size] for first in range(0, len(versions), size))


def _latest_of(
    site: Site, versions: Sequence[tuple[Serial, str]], wanted: _Wanted, limit: int, deadline: float
) -> list[Hit]:
    """Return what some devices hold, one line more than *limit* at the most."""
    hits: list[Hit] = []
    with closing(site.backups.stream([blob for _, blob in versions])) as contents:
        for (serial, _), content in zip(versions, contents, strict=True):
            hits += [Hit(str(serial), *line) for line in islice(wanted.lines(content), limit + 1 - len(hits))]
            if len(hits) > limit:
                return hits
            if time.monotonic() > deadline:
                raise SiteError(f"the search was given up after {_SECONDS} s; look for something rarer")
    return hits


@dataclass(slots=True)
class _Holder:
    """What is known so far of a device that holds a text: the numbers of its oldest and newest version that do."""

    first: int
    last: int
    count: int
    lines: tuple[Hit, ...]


def through_history(site: Site, text: str, shown: Shown, *, before: int | None, seconds: float) -> HistorySearch:
    """Look for *text* in all versions, the newest first, until *seconds* have passed, or twice that with large ones.

    *before* is the number in the index from which to go on, None to begin. Letter case of ASCII does not matter.
    """
    wanted, deadline = _Wanted.of(text, shown), time.monotonic() + seconds
    timeline = BackupTimeline(site.database)
    holders: dict[Serial, _Holder] = {}
    looked_at, left = 0, before
    while versions := timeline.blobs(_READ_AT_ONCE, left):
        with closing(site.backups.stream([blob for _, _, blob in versions])) as contents:
            for (number, serial, _), content in zip(versions, contents, strict=True):
                _note(holders, number, serial, wanted, content)
                looked_at, left = looked_at + 1, number
                if time.monotonic() > deadline + seconds:
                    return _told(timeline, holders, looked_at, left, ended=False)
        # How far it comes in a time would tell what it has to look at, if it were known more precisely.
        if time.monotonic() > deadline:
            return _told(timeline, holders, looked_at, left, ended=False)
    return _told(timeline, holders, looked_at, left, ended=True)


def _note(holders: dict[Serial, _Holder], number: int, serial: Serial, wanted: _Wanted, content: bytes) -> None:
    """Take a version down if it holds what is wanted."""
    known = holders.get(serial)
    lines = tuple(Hit(str(serial), *line) for line in islice(wanted.lines(content), 1 if known else _LINES_TOLD))
    if not lines:
        return
    if known is None:
        holders[serial] = _Holder(number, number, 1, lines)
    else:
        known.first, known.count = number, known.count + 1


def _told(
    timeline: BackupTimeline, holders: dict[Serial, _Holder], looked_at: int, left: int | None, *, ended: bool
) -> HistorySearch:
    numbers = {number for each in holders.values() for number in (each.first, each.last)}
    known = timeline.numbered([*numbers, *([left] if left is not None and looked_at else [])])
    held = tuple(
        Held(serial, known[each.last].name, known[each.first].version, known[each.last].version, each.count, each.lines)
        for serial, each in holders.items()
    )
    since = known[left].version.received if left is not None and looked_at else None
    return HistorySearch(held, looked_at, since, None if ended else left)
