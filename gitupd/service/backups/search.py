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

from gitupd.core.backups.text_in_line import TextInLine
from gitupd.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.service.site import Site
    from gitupd.store.backups.timeline import BackupTimeline

    Veiled = Callable[[bytes], str]
    """Returns a line as the reader may see it."""

_SECONDS = 20
LONGEST_TEXT = 200
_READERS = 2
_READ_AT_ONCE = 2_000
_MOST_LINES = 3
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
    first: BackupVersion
    last: BackupVersion
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


@dataclass(frozen=True, slots=True)
class TextQuery:
    """A ``text`` to be found in lines; letter case does not matter.

    With ``whole`` words are found, not parts of them: ``10.1.0.1`` is not in ``10.1.0.10``. ``among`` are the devices
    to be looked at, None for all.
    """

    text: str
    whole: bool = False
    among: frozenset[Serial] | None = None

    def is_in(self, line: str) -> bool:
        """Whether *line* holds the text."""
        return self.in_line.is_in(line)

    @property
    def in_line(self) -> TextInLine:
        """The same for any line, whosever it is."""
        return TextInLine(self.text, self.whole)

    def looks_at(self, serial: Serial) -> bool:
        """Whether a device is to be looked at."""
        return self.among is None or serial in self.among


def parse_text(text: str) -> str:
    """Return what to look for, as it was typed; raises SiteError if it can't be found in a line."""
    if not text.strip() or "\n" in text or "\r" in text or "\0" in text:
        raise SiteError("type what to look for, in one line")
    if len(text) > LONGEST_TEXT:
        raise SiteError(f"type no more than {LONGEST_TEXT} characters to look for")
    return text


@dataclass(frozen=True, slots=True)
class _Needle:
    """What is looked for, also in small letters as bytes."""

    coded: bytes
    query: TextQuery
    veiled: Veiled

    @classmethod
    def of(cls, query: TextQuery, veiled: Veiled) -> _Needle:
        return cls(parse_text(query.text).encode(errors="replace").lower(), query, veiled)

    def lines(self, content: bytes) -> Iterator[tuple[int, str]]:
        """Yield number and text of the lines that hold it, as far as the reader may see that.

        How long that takes must not tell what is hidden: so lines are looked at only where the text is, and one of
        them even if it is nowhere.
        """
        # Numbers and addresses, which are looked for most, have no letter case.
        looked_in = content.lower() if self.coded.upper() != self.coded else content
        at = looked_in.find(self.coded)
        if at < 0:
            self.veiled(content[slice(*_line_around(content, len(content) // 2, 0))])
        number, counted, end = 1, 0, 0
        while at >= 0:
            start, end = _line_around(content, at, end)
            if self.query.is_in(seen := self.veiled(content[start:end])):
                number += len(content[counted:start].splitlines())
                counted = start
                yield number, seen
            at = looked_in.find(self.coded, end)


def _line_around(content: bytes, at: int, least: int) -> tuple[int, int]:
    """Return where the line starts and ends that *at* is in; it starts at *least* or behind that."""
    end = _LINE_END.search(content, at)
    start = max(content.rfind(b"\n", least, at), content.rfind(b"\r", least, at), least - 1) + 1
    return start, end.start() if end else len(content)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where a search ends: after ``limit`` lines and one more, ``per_device`` lines of a device, or a time."""

    limit: int
    per_device: int
    deadline: float


def latest(
    site: Site, query: TextQuery, veiled: Veiled, limit: int, per_device: int | None = None
) -> tuple[list[Hit], bool]:
    """Return *limit* of the lines that *query* finds in the latest versions, and whether that is all of them.

    Of each device so many are looked for at the most, None for all. They come by serial number. Letter case of ASCII
    does not matter. Raises SiteError if it takes too long.
    """
    needle = _Needle.of(query, veiled)
    bounds = _Bounds(limit, limit + 1 if per_device is None else per_device, time.monotonic() + _SECONDS)
    versions = site.backup_timeline.latest(query.among)
    with ThreadPoolExecutor(_READERS) as readers:
        parts = readers.map(lambda part: _latest_of(site, part, needle, bounds), _halves(versions))
        hits = sorted((hit for some in parts for hit in some), key=lambda hit: (hit.serial, hit.number))
    return hits[:limit], len(hits) <= limit


def _halves(versions: Sequence[tuple[Serial, str]]) -> Iterator[Sequence[tuple[Serial, str]]]:
    size = -(-len(versions) // _READERS) or 1
    return (versions[first : first + size] for first in range(0, len(versions), size))


def _latest_of(site: Site, versions: Sequence[tuple[Serial, str]], needle: _Needle, bounds: _Bounds) -> list[Hit]:
    """Return what some devices hold, within *bounds*."""
    hits: list[Hit] = []
    with closing(site.backups.stream([blob for _, blob in versions])) as contents:
        for (serial, _), content in zip(versions, contents, strict=True):
            rest = min(bounds.per_device, bounds.limit + 1 - len(hits))
            hits += [Hit(str(serial), *line) for line in islice(needle.lines(content), rest)]
            if len(hits) > bounds.limit:
                return hits
            if time.monotonic() > bounds.deadline:
                raise SiteError(f"the search was given up after {_SECONDS} s; look for something rarer")
    return hits


@dataclass(slots=True)
class _Holder:
    """What is known so far of a device that holds a text: the numbers of its oldest and newest version that do."""

    first: int
    last: int
    count: int
    lines: tuple[Hit, ...]


def through_history(
    site: Site, query: TextQuery, veiled: Veiled, *, before: int | None, seconds: float
) -> HistorySearch:
    """Look for what *query* finds in all versions, the newest first, until *seconds* have passed.

    With large versions it may take twice that.

    *before* is the number in the index from which to go on, None to begin. Letter case of ASCII does not matter.
    """
    needle, deadline = _Needle.of(query, veiled), time.monotonic() + seconds
    timeline = site.backup_timeline
    holders: dict[Serial, _Holder] = {}
    looked_at, left = 0, before
    while versions := timeline.blobs(_READ_AT_ONCE, left):
        with closing(site.backups.stream([blob for _, _, blob in versions])) as contents:
            for (number, serial, _), content in zip(versions, contents, strict=True):
                if query.looks_at(serial):
                    _note(holders, number, serial, needle, content)
                looked_at, left = looked_at + 1, number
                if time.monotonic() > deadline + seconds:
                    return _history_search(timeline, holders, looked_at, left, ended=False)
        # How far it comes in a time would tell what it has to look at, if it were known more precisely.
        if time.monotonic() > deadline:
            return _history_search(timeline, holders, looked_at, left, ended=False)
    return _history_search(timeline, holders, looked_at, left, ended=True)


def _note(holders: dict[Serial, _Holder], number: int, serial: Serial, needle: _Needle, content: bytes) -> None:
    """Take a version down if it holds what is wanted."""
    holder = holders.get(serial)
    lines = tuple(Hit(str(serial), *line) for line in islice(needle.lines(content), 1 if holder else _MOST_LINES))
    if not lines:
        return
    if holder is None:
        holders[serial] = _Holder(number, number, 1, lines)
    else:
        holder.first, holder.count = number, holder.count + 1


def _history_search(
    timeline: BackupTimeline, holders: dict[Serial, _Holder], looked_at: int, left: int | None, *, ended: bool
) -> HistorySearch:
    numbers = {number for holder in holders.values() for number in (holder.first, holder.last)}
    versions = timeline.numbered([*numbers, *([left] if left is not None and looked_at else [])])
    held = tuple(
        Held(
            serial,
            versions[holder.last].name,
            versions[holder.first].version,
            versions[holder.last].version,
            holder.count,
            holder.lines,
        )
        for serial, holder in holders.items()
    )
    since = versions[left].version.received if left is not None and looked_at else None
    return HistorySearch(held, looked_at, since, None if ended else left)
