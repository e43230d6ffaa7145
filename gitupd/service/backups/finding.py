"""Which of the latest configurations hold a text: counted exactly, with equal lines as one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.backups.crowds import crowd, numbers_in
from gitupd.core.caller import parse_serial
from gitupd.errors import SiteError
from gitupd.service.backups.search import parse_text
from gitupd.store.backups.texts import HeldLine, line_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitupd.core.caller import Serial
    from gitupd.service.backups.history import BackupHistory
    from gitupd.service.backups.search import TextQuery
    from gitupd.service.site import Site

_MOST_LINES = 200_000


@dataclass(frozen=True, slots=True)
class HoldersFound:
    """The ``lines`` that hold a text, those first that most devices have; ``numbered`` are the devices looked at.

    Of ``unread`` devices the latest configuration has yet to be read, and the one before was looked at, if any.
    """

    lines: tuple[HeldLine, ...]
    numbered: Mapping[int, Serial]
    unread: int = 0

    @property
    def holders(self) -> list[Serial]:
        """The devices that have the text, by serial number."""
        members = 0
        for line in self.lines:
            members |= line.members
        return self.of(members)

    @property
    def lacking(self) -> list[Serial]:
        """The devices that do not have it, by serial number."""
        holders = set(self.holders)
        return sorted(serial for serial in self.numbered.values() if serial not in holders)

    def of(self, members: int) -> list[Serial]:
        """Return those in a crowd, by serial number."""
        return sorted(self.numbered[number] for number in numbers_in(members))

    def line(self, number: int) -> HeldLine | None:
        """Return the line with that id, None if there is none."""
        return next((line for line in self.lines if line.id == number), None)

    def by_device(self) -> list[tuple[Serial, str]]:
        """Return each device with each of its lines, by serial number."""
        return sorted((self.numbered[number], line.text) for line in self.lines for number in numbers_in(line.members))


def find_holders(site: Site, query: TextQuery) -> HoldersFound:
    """Return what *query* finds, as far as everybody may see it; raises SiteError for what can't be looked for."""
    parse_text(query.text)
    texts = site.backup_texts
    numbered = {number: serial for number, serial in texts.members().items() if query.looks_at(serial)}
    among = crowd(numbered)
    cut = (HeldLine(line.id, line.text, line.members & among) for line in texts.lines(query.in_line))
    return HoldersFound(_ordered(line for line in cut if line.members), numbered, texts.unread())


def find_all_holders(history: BackupHistory, query: TextQuery) -> HoldersFound:
    """Return what *query* finds in the latest versions themselves, as whoever reads *history* may see it.

    Raises SiteError for what can't be looked for, or takes too long.
    """
    hits, complete = history.search(query, _MOST_LINES)
    if not complete:
        raise SiteError(f"more than {_MOST_LINES:,} lines have that; look for something rarer")
    latest = [version.serial for version in history.latest() if query.looks_at(version.serial)]
    numbers = {serial: number for number, serial in enumerate(latest)}
    members: dict[str, set[int]] = defaultdict(set)
    for hit in hits:
        if (number := numbers.get(parse_serial(hit.serial))) is not None:
            members[hit.text].add(number)
    lines = (HeldLine(line_id(text), text, crowd(of_it)) for text, of_it in members.items())
    return HoldersFound(_ordered(lines), dict(enumerate(latest)))


def _ordered(lines: Iterable[HeldLine]) -> tuple[HeldLine, ...]:
    return tuple(sorted(lines, key=lambda line: (-line.members.bit_count(), line.text)))
