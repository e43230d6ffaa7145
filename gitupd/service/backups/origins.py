"""Since when each line of a version has been there, found by going back through the versions of its device."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.backups.change import lines_of
from gitupd.core.differing import spans
from gitupd.errors import UnreadableRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitupd.core.backups.change import Volatile
    from gitupd.core.backups.version import BackupVersion
    from gitupd.service.backups.difference import VersionLine
    from gitupd.service.site import Site

    Numbered = Sequence[tuple[int, bytes]]
    """Lines that count, each with its number."""


@dataclass(frozen=True, slots=True)
class LineSource:
    """A line, and the version that brought it; ``version`` is None for volatile and blank lines.

    With ``is_older`` the line may have come earlier than that: how things were before was not looked at.
    """

    line: VersionLine
    version: BackupVersion | None
    is_older: bool = False


@dataclass(frozen=True, slots=True)
class LineSources:
    """Which version brought the line of each number, and of which that is not known for sure."""

    versions: dict[int, BackupVersion]
    unsure: frozenset[int]


def origins(site: Site, versions: Sequence[BackupVersion], volatile: Volatile, seconds: float) -> LineSources:
    """Return which of *versions* brought the lines of the first of them; they are of one device, the newest first.

    A line that was taken out and came back is as old as its return, and one that moved as its move. After so many
    *seconds*, or where a version can't be read, what is not found yet is left unsure.
    """
    deadline = time.monotonic() + seconds
    brought: dict[int, BackupVersion] = {}
    current: Numbered = ()
    still: dict[int, int] = {}  # where a line of the first version is in the current one, by its place there
    reached = versions[0]
    for version, lines in _read(site, versions, volatile):
        if version is versions[0]:
            current, still = lines, {place: number for place, (number, _) in enumerate(lines)}
            continue
        places = _places_before(lines, current, still)
        gone = still.keys() - places.values()
        brought |= {still[place]: reached for place in gone}
        still = {place: still[newer] for place, newer in places.items()}
        current, reached = lines, version
        if not still or time.monotonic() > deadline:
            break
    unsure = frozenset(still.values()) if reached is not versions[-1] else frozenset()
    return LineSources(brought | dict.fromkeys(still.values(), reached), unsure)


def _places_before(older: Numbered, newer: Numbered, places: Iterable[int]) -> dict[int, int]:
    """Return where the *places* of *newer* are in *older*, those that are there, by the place in *older*."""
    sought = frozenset(places)
    before: dict[int, int] = {}
    for span in spans([line for _, line in older], [line for _, line in newer]):
        if span.same:
            both = zip(range(span.start, span.end), range(span.other_start, span.other_end), strict=True)
            before |= {place: other for place, other in both if other in sought}
    return before


def _read(
    site: Site, versions: Sequence[BackupVersion], volatile: Volatile
) -> Iterator[tuple[BackupVersion, Numbered]]:
    """Yield *versions* with their lines that count, as far as they can be read."""
    with closing(site.backups.stream([version.blob for version in versions])) as contents:
        for number, version in enumerate(versions):
            try:
                content = next(contents)
            except UnreadableRepository:
                if number == 0:
                    raise
                return
            numbered = enumerate(lines_of(content), 1)
            yield version, [(at, line) for at, line in numbered if line.strip() and line not in volatile]
