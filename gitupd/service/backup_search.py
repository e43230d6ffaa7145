"""Finding a text in configurations: in the latest ones of all devices, and through their history.

What is hidden from somebody is not found for them, and neither a number nor an end tells them that it was there.
"""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gitupd.core.backup import lines_of
from gitupd.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitupd.core.device import Serial
    from gitupd.service.site import Site
    from gitupd.store.backup_index import Indexed

_LATEST_SECONDS = 20
_LONGEST_TEXT = 200
_READ_AT_ONCE = 2_000
_LINES_SHOWN = 3
_EARLIER = 60  # seconds that a search through history may take at the most, whatever is asked


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that holds a text, in the latest version of a device."""

    serial: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """A device that had a text in its configuration: ``count`` versions of those looked at hold it.

    ``first`` and ``last`` are the oldest and the newest of these; ``lines`` are some of the lines of the newest.
    """

    serial: Serial
    first: Indexed
    last: Indexed
    count: int
    lines: tuple[tuple[int, str], ...]


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


def latest(site: Site, text: str, shown: Callable[[bytes], str], limit: int) -> tuple[list[Hit], bool]:
    """Return *limit* of the lines that hold *text* in the latest versions, and whether that is all of them.

    Letter case does not matter. *shown* returns a line as the reader may see it. Raises SiteError if it takes too long.
    """
    wanted, hits = parse_text(text).lower(), []
    for path, number, line in _grep(site, text):
        seen = shown(line)
        if wanted not in seen.lower():
            continue
        if len(hits) >= limit:
            return hits, False
        hits.append(Hit(path.rpartition("/")[2].removesuffix(".txt"), number, seen))
    return hits, True


def _grep(site: Site, text: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield path, number and text of each line that holds *text*."""
    tip = site.backups.tip()
    if tip is None:
        return
    options = ["-i", "-n", "-z", "-F", "--text", "--no-color", "--full-name", "-e", text, tip]
    command = ["git", "--git-dir", str(site.backups.path), "grep", *options]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:  # noqa: S603 - fixed words, and -e before what was typed
            assert running.stdout is not None  # noqa: S101 - it was asked for
            late = threading.Timer(_LATEST_SECONDS, running.kill)
            late.start()
            try:
                yield from filter(None, map(_row, running.stdout))
                if not late.is_alive():
                    raise SiteError(f"the search was given up after {_LATEST_SECONDS} s; look for something rarer")
            finally:
                late.cancel()
                running.kill()
    except (OSError, ValueError) as error:
        raise SiteError(f"the search was given up: {error}") from error


def _row(said: bytes) -> tuple[str, int, bytes] | None:
    place, _, rest = said.removesuffix(b"\n").partition(b"\0")
    number, _, line = rest.partition(b"\0")
    if not number.isdigit():
        return None  # the rest of a line with a NUL in it
    return place.decode(errors="replace").partition(":")[2], int(number), line.removesuffix(b"\r")


@dataclass(slots=True)
class _Holder:
    first: Indexed
    last: Indexed
    count: int
    lines: tuple[tuple[int, str], ...]


def through_history(
    site: Site, text: str, shown: Callable[[bytes], str], *, before: int | None, seconds: float
) -> HistorySearch:
    """Look for *text* in all versions, the newest first, until *seconds* have passed.

    *before* is the number in the index from which to go on, None to begin. Letter case of ASCII does not matter.
    """
    wanted = parse_text(text)
    deadline = time.monotonic() + min(seconds, _EARLIER)
    holders: dict[Serial, _Holder] = {}
    looked_at, since, left = 0, None, before
    while True:
        versions = [(number, version) for number, version, _ in site.backup_index.newest(_READ_AT_ONCE, left)]
        if not versions:
            return HistorySearch(_held(holders), looked_at, since, None)
        for (number, version), content in zip(versions, _contents(site, versions), strict=True):
            _look(holders, version, content, wanted, shown)
            looked_at, since, left = looked_at + 1, version.received, number
            if time.monotonic() > deadline:
                return HistorySearch(_held(holders), looked_at, since, left if number > 1 else None)


def _contents(site: Site, versions: Sequence[tuple[int, Indexed]]) -> Iterator[bytes]:
    return site.backups.stream([version.blob for _, version in versions])


def _look(
    holders: dict[Serial, _Holder], version: Indexed, content: bytes, wanted: str, shown: Callable[[bytes], str]
) -> None:
    """Take *version* down among *holders* if it holds what is *wanted*, as far as the reader may see it."""
    if wanted.encode(errors="surrogateescape").lower() not in content.lower():
        return
    known = holders.get(version.serial)
    lines = tuple(_lines(content, wanted, shown, 1 if known else _LINES_SHOWN))
    if not lines:
        return
    if known is None:
        holders[version.serial] = _Holder(version, version, 1, lines)
    else:
        known.first, known.count = version, known.count + 1


def _lines(content: bytes, wanted: str, shown: Callable[[bytes], str], most: int) -> Iterator[tuple[int, str]]:
    coded, folded = wanted.encode(errors="surrogateescape").lower(), wanted.lower()
    for number, line in enumerate(lines_of(content), 1):
        if coded in line.lower() and folded in (seen := shown(line)).lower():
            yield number, seen
            most -= 1
            if not most:
                return


def _held(holders: dict[Serial, _Holder]) -> tuple[Held, ...]:
    return tuple(Held(serial, each.first, each.last, each.count, each.lines) for serial, each in holders.items())
