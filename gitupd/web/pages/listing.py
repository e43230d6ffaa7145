"""Rows of the list of devices, as the page shows them: which columns, what stands in them, and what that finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

from flask import request

from gitupd.core.policy import Policy
from gitupd.core.search import STATES
from gitupd.service.listing.columns import USUAL, Listing, chosen, still_there, usual
from gitupd.web.access import person
from gitupd.web.context import served
from gitupd.web.language.texts import translated
from gitupd.web.pages.links import own_page
from gitupd.web.revisions import veil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitupd.core.device import Device
    from gitupd.core.search import Search
    from gitupd.core.standing import State
    from gitupd.service.fleet import Fleet
    from gitupd.service.listing.columns import Column, Value

_USUAL = ("state", "name", "sn", "type", "address", "phase", "env", "firmware", "commit", "certificate", "seen")
_MOST_FOR_LINKS = 90_000
"""How many characters links in the cells of one page may take. A long search stands in each of them."""
_OF_A_WORD = 50
"""How many characters a link takes apart from the search that it is within, roughly."""


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device as the list shows it; ``link`` leads to its own web page, None if it has none that is safe to follow.

    ``implied`` are those of its environments that come with others of them.
    """

    device: Device
    state: State
    warnings: tuple[str, ...]
    link: str | None
    cells: tuple[tuple[Column, Value], ...]
    implied: frozenset[str]


class Adding:
    """Addresses of the page within the search at hand."""

    def __init__(self, search: Search, cells: int) -> None:
        """Link so many *cells*; none are linked if all of it would make the page large."""
        self._search = search
        kept = {name: value for name, value in request.args.items() if name not in ("q", "page") and value}
        self._page = f"?{urlencode({**kept, 'q': ''})}"
        length = len(self._page) + len(quote_plus(search.text)) + _OF_A_WORD
        self._fits = cells * length <= _MOST_FOR_LINKS

    def __call__(self, word: str) -> str | None:
        """Return the address of the page with *word* added to the search; None for no link, as if it is there."""
        if not self._fits or word in self._search.words:
            return None
        text = self._search.toggled(word) if word in STATES else f"{self._search.text} {word}".strip()
        return f"{self._page}{quote_plus(text, safe=':*/')}"


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Which columns the list has: those that the address names, else those ``kept`` for whoever asks, else the usual.

    ``said`` is what the address says of them, empty if nothing; ``kept`` is empty for the usual ones.
    """

    columns: tuple[Column, ...]
    said: str
    kept: tuple[Column, ...]
    usual: tuple[Column, ...]

    @property
    def are_usual(self) -> bool:
        """Whether they are the usual ones."""
        return self.columns == self.usual

    @property
    def could_be_kept(self) -> bool:
        """Whether they are others than whoever asks sees where an address names none."""
        return self.columns != (self.kept or self.usual)

    @property
    def names(self) -> str:
        """What an address says to have them, whoever opens it."""
        return USUAL if self.are_usual else _names(self.columns)

    @property
    def of_tables(self) -> str:
        """What the address of a table says to have the same; empty if neither an address nor a person chose any."""
        return _names(self.columns) if self.said or self.kept else ""


def columns_shown(*, with_certificates: bool) -> ColumnChoice:
    """Return which columns the page at hand has; raises InvalidEntry for an address that names one that is none.

    There is always one that leads to the device.
    """
    said = ",".join(request.args.getlist("columns"))
    common, kept = usual_columns(with_certificates=with_certificates), kept_columns()
    if said == USUAL or (not said and not kept):
        return ColumnChoice(common, said, kept, common)
    return ColumnChoice(_leading(chosen(said, policy().queries) if said else kept), said, kept, common)


def usual_columns(*, with_certificates: bool) -> tuple[Column, ...]:
    """Return the columns that the list has unless somebody chooses others."""
    return usual(name for name in _USUAL if with_certificates or name != "certificate")


def kept_columns() -> tuple[Column, ...]:
    """Return the columns that are kept for whoever asks, as far as they are still there; none are the usual ones."""
    who = person()
    return still_there(who.device_columns, policy().queries) if who and who.device_columns else ()


def title_of(column: Column) -> str:
    """Return the title of *column* in the reader's language; those of queries are as the configuration has them."""
    return column.title if column.asked else translated(column.title)


def _leading(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return columns if {"name", "sn"} & {column.name for column in columns} else (*usual(("sn",)), *columns)


def _names(columns: Iterable[Column]) -> str:
    return ",".join(column.name for column in columns)


def policy() -> Policy:
    """Return the policy of what is deployed."""
    live = served().live
    return live.snapshot.policy if live else Policy()


def listing_of(fleet: Fleet, columns: Sequence[Column]) -> Listing:
    """Return a list of *columns* for who asks."""
    return Listing(served().site, fleet, columns, policy().queries, veil())


def rows_of(fleet: Fleet, columns: Sequence[Column], devices: Sequence[Device]) -> Iterator[DeviceRow]:
    """Yield *devices* as rows."""
    live, rules = served().live, policy()
    for device, values in zip(devices, listing_of(fleet, columns).rows(devices), strict=True):
        yield DeviceRow(
            device,
            fleet.state(device),
            fleet.warnings(device),
            own_page(device.address, live),
            tuple(zip(columns, values, strict=True)),
            _implied(rules, device),
        )


def _implied(rules: Policy, device: Device) -> frozenset[str]:
    known = [rules.environments[name] for name in device.environments if name in rules.environments]
    return frozenset(implied for each in known for implied in each.implies)


def alike(devices: Sequence[Device]) -> bool:
    """Whether several *devices* are all in the same phase, so that it tells nothing of one."""
    return len(devices) > 1 and len({device.phase for device in devices}) == 1
