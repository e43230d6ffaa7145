"""Which of the latest configurations hold a text: counted exactly, with equal lines as one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gitupd.core.backups.crowds import crowd, numbers_in, packed_crowd, united, unpacked_crowd
from gitupd.core.caller import Serial, parse_serial
from gitupd.errors import SiteError
from gitupd.service.backups.search import parse_text
from gitupd.store.backups.texts import HeldLine, line_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gitupd.service.backups.history import BackupHistory
    from gitupd.service.backups.search import TextQuery
    from gitupd.service.site import Site

_MOST_LINES = 200_000


@dataclass(frozen=True, slots=True)
class HoldersFound:
    """The ``lines`` that hold a text, those first that most devices have.

    ``numbered`` tells the digits of the serial numbers of a crowd by number, and of None those of all devices that were
    looked at. Of ``unread`` ones the latest configuration has yet to be read, and the one before was looked at, if any.
    """

    lines: tuple[HeldLine, ...]
    numbered: Callable[[int | None], Mapping[int, str]]
    unread: int = 0

    @property
    def count(self) -> int:
        """How many devices have the text."""
        return self._members.bit_count()

    @property
    def holders(self) -> list[Serial]:
        """The devices that have the text, by serial number."""
        return _ordered_serials(self.numbered(self._members))

    @property
    def lacking(self) -> list[Serial]:
        """The devices that do not have it, by serial number."""
        everybody, members = self.numbered(None), set(numbers_in(self._members))
        return _ordered_serials({number: each for number, each in everybody.items() if number not in members})

    def of(self, line: HeldLine) -> list[Serial]:
        """Return the devices that have a line, by serial number."""
        return _ordered_serials(self.numbered(unpacked_crowd(line.holders)))

    def alone(self, lines: Iterable[HeldLine]) -> dict[int, Serial]:
        """Return whose each of *lines* is that one device alone has, by its id."""
        single = [line for line in lines if line.devices == 1]
        named = self.numbered(united(line.holders for line in single))
        numbers = ((line.id, next(numbers_in(unpacked_crowd(line.holders)))) for line in single)
        return {line: Serial(named[number]) for line, number in numbers if number in named}

    def line(self, number: int) -> HeldLine | None:
        """Return the line with that id, None if there is none."""
        return next((line for line in self.lines if line.id == number), None)

    def by_device(self) -> list[tuple[Serial, str]]:
        """Return each device with each of its lines, by serial number."""
        return sorted((serial, line.text) for line in self.lines for serial in self.of(line))

    @property
    def _members(self) -> int:
        return united(line.holders for line in self.lines)


def find_holders(site: Site, query: TextQuery) -> HoldersFound:
    """Return what *query* finds, as far as everybody may see it; raises SiteError for what can't be looked for."""
    parse_text(query.text)
    texts = site.backup_texts
    lines = texts.lines(query.in_line)
    if query.among is None:
        return HoldersFound(_ordered(lines), texts.members, texts.unread())
    among = texts.numbered(query.among)
    return HoldersFound(_ordered(_cut(lines, crowd(among))), partial(_some_of, among), texts.unread())


def _some_of(numbered: Mapping[int, str], members: int | None) -> Mapping[int, str]:
    """Return those of *numbered* that are in a crowd, None for all."""
    return numbered if members is None else {number: numbered[number] for number in numbers_in(members)}


def _ordered_serials(numbered: Mapping[int, str]) -> list[Serial]:
    return [Serial(digits) for digits in sorted(numbered.values())]


def _cut(lines: Iterable[HeldLine], among: int) -> Iterator[HeldLine]:
    """Yield lines as those have them who are *among* some."""
    for line in lines:
        if members := unpacked_crowd(line.holders) & among:
            yield _line(line.text, members)


def _line(text: str, members: int) -> HeldLine:
    return HeldLine(line_id(text), text, members.bit_count(), packed_crowd(members))


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
    lines = (_line(text, crowd(of_it)) for text, of_it in members.items())
    numbered = {number: serial.digits for number, serial in enumerate(latest)}
    return HoldersFound(_ordered(lines), partial(_some_of, numbered))


def _ordered(lines: Iterable[HeldLine]) -> tuple[HeldLine, ...]:
    return tuple(sorted(lines, key=lambda line: (-line.devices, line.text)))
