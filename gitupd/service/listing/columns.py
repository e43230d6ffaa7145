"""The columns of lists of devices, the same on pages, in tables for spreadsheets, for programs and in a terminal.

docs/reference/columns.md is for those who choose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from gitupd.errors import InvalidEntry
from gitupd.service.answers import shown_answers
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.core.policy import Query
    from gitupd.service.fleet import Fleet, Sort
    from gitupd.service.site import Site

_AT_ONCE = 500

Value = str | datetime | tuple[str, ...] | None
"""What stands in a cell; None for what was never said."""

USUAL = "usual"
"""What an address says for the usual columns of the page; no column is called so."""

LONGEST = 500
MOST = 40
_SHOWN = 60
_BETWEEN_WORDS = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called in addresses and commands, its title on pages, and what of a device stands in it.

    ``sort`` is what lists are sorted by, None if by no such thing; ``key`` is what finds devices by a value of it,
    None if no key does. ``asked`` are the id of a query and the title of the value that it shows; then ``value``
    returns nothing. ``written`` is the heading of tables, if that is not the title.
    """

    name: str
    title: str
    value: Callable[[Fleet, Device], Value]
    sort: Sort | None = None
    key: str | None = None
    written: str = ""
    asked: tuple[str, str] | None = None

    @property
    def heading(self) -> str:
        """The heading of tables and terminals."""
        return self.written or self.title.lower()


def _of(name: str) -> Callable[[Fleet, Device], Value]:
    """Return what reads the field *name* of a device; an empty text says nothing."""

    def value(_: Fleet, device: Device) -> Value:
        read: Value = getattr(device, name)
        return read or None

    return value


OWN: tuple[Column, ...] = (
    Column("state", "State", lambda fleet, device: fleet.state(device).value, "state", "state"),
    Column("name", "Name", _of("name"), "name", "name"),
    Column("sn", "Serial number", lambda _, device: str(device.serial), "serial"),
    Column("type", "Type", _of("model"), "model", "type"),
    Column("hwid", "Hardware id", _of("hardware_id"), None, "hwid"),
    Column("address", "Address", _of("address"), "address", "address"),
    Column("own-address", "Own address", _of("own_address"), None, "address"),
    Column("proxy", "Proxy", _of("proxy"), None, "address"),
    Column("phase", "Phase", _of("phase"), "phase", "phase"),
    Column("env", "Environments", _of("environments"), None, "env"),
    Column("unknown-env", "Unknown environments", _of("unknown_environments"), None, "env"),
    Column("class", "Classes", _of("classes"), None, "class"),
    Column("firmware", "Firmware", _of("firmware"), "firmware", "firmware"),
    Column("firmware-requested", "Firmware requested", _of("firmware_wanted"), None, "target"),
    Column("bootcode", "Boot code", _of("bootcode"), None, "bootcode"),
    Column("bootcode-requested", "Boot code requested", _of("bootcode_wanted")),
    Column("sent", "Sent commit", _of("sent"), None, "sent"),
    Column("sent-at", "Sent", _of("sent_at"), written="sent (UTC)"),
    Column("commit", "Commit", _of("confirmed"), "confirmed", "commit", "confirmed commit"),
    Column("commit-at", "Confirmed", _of("confirmed_at"), "confirmed", written="confirmed (UTC)"),
    Column("first-seen", "First seen", _of("first_seen"), written="first seen (UTC)"),
    Column("seen", "Last seen", _of("last_seen"), "last_seen", written="last seen (UTC)"),
    Column(
        "certificate",
        "Certificate",
        lambda _, device: device.certificate.stage.value if device.certificate else None,
        "certificate",
        "certificate",
    ),
    Column(
        "certificate-ends",
        "Certificate ends",
        lambda _, device: device.certificate.expires if device.certificate else None,
        "certificate",
        written="certificate ends (UTC)",
    ),
    Column("admission", "Admission", lambda _, device: device.admission.value if device.admission else None),
    Column("warnings", "Warnings", lambda fleet, device: fleet.warnings(device)),
)
"""The columns that every site has, in the order in which they are offered."""

_NAMED = {column.name: column for column in OWN}
_IN_A_TABLE = tuple(column.name for column in OWN if column.name not in ("admission", "warnings"))


def columns_for(queries: Iterable[Query]) -> dict[str, Column]:
    """Return all columns by their names: those that every site has, and the values that *queries* show."""
    asked: dict[str, Column] = {}
    for query in queries:
        for show in query.show:
            name = column_name(query.id, show.title)
            title = f"{query.title}: {show.title}"
            asked.setdefault(name, Column(name, title, _nothing, written=title, asked=(query.id, show.title)))
    return _NAMED | asked


def _nothing(fleet: Fleet, device: Device) -> Value:  # noqa: ARG001 - what answers say is not in the device
    return None


def column_name(query: str, title: str) -> str:
    """Return what the column is called of the value with a *title* that a *query* shows, as ``admin.name``."""
    return f"{query}.{_BETWEEN_WORDS.sub('-', title).strip('-') or 'value'}".lower()


def usual(names: Iterable[str]) -> tuple[Column, ...]:
    """Return columns of :data:`OWN` by their names."""
    return tuple(_NAMED[name] for name in names)


IN_A_TABLE = usual(_IN_A_TABLE)
"""What tables for spreadsheets have unless others are chosen."""


def chosen(text: str, queries: Iterable[Query]) -> tuple[Column, ...]:
    """Return the columns that *text* names, with commas between them, each once; raises InvalidEntry."""
    known = columns_for(queries)
    names = [name.strip().lower() for name in text.split(",")] if len(text) <= LONGEST else []
    names = list(dict.fromkeys(name for name in names if name))
    if not 0 < len(names) <= MOST:
        raise InvalidEntry(f"name 1 to {MOST} columns, with commas between them, in {LONGEST} characters")
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise InvalidEntry(f"{unknown[:_SHOWN]!r} is no column; columns are {', '.join(known)}")
    return tuple(known[name] for name in names)


def still_there(text: str, queries: Iterable[Query]) -> tuple[Column, ...]:
    """Return the columns that *text* names, without those that are none any more."""
    known = columns_for(queries)
    return tuple(known[name] for name in dict.fromkeys(text.split(",")) if name in known)


class Listing:
    """Some columns of devices, as they are told to somebody; *hide* hides secrets in what devices answered."""

    def __init__(
        self, site: Site, fleet: Fleet, columns: Sequence[Column], queries: Sequence[Query], hide: Veil
    ) -> None:
        """List *columns*, of which some may be of *queries*."""
        self.columns = tuple(columns)
        self._site, self._fleet, self._hide = site, fleet, hide
        asked = {column.asked[0] for column in columns if column.asked}
        self._queries = tuple(_shows(query, columns) for query in queries if query.id in asked)

    def rows(self, devices: Sequence[Device]) -> Iterator[tuple[Value, ...]]:
        """Yield what stands in the columns of each of *devices*; answers are read for all of them at once."""
        said = self._site.answers.of_many(device.serial for device in devices) if self._queries else {}
        for device in devices:
            answered = {
                (answer.query, title): self._hide.variable(title, text) or None
                for answer in shown_answers(self._queries, said.get(device.serial, ()))
                for title, text in answer.values
            }
            yield tuple(
                answered.get(column.asked) if column.asked else column.value(self._fleet, device)
                for column in self.columns
            )

    def each(self, devices: Iterable[Device]) -> Iterator[tuple[Value, ...]]:
        """Yield the same for any number of devices, of which some hundred are looked at together."""
        rest = iter(devices)
        while some := list(islice(rest, _AT_ONCE)):
            yield from self.rows(some)

    def facts(self, devices: Sequence[Device]) -> Iterator[dict[str, Any]]:
        """Yield the same as values of JSON, by the names of the columns."""
        names = [column.name for column in self.columns]
        for row in self.rows(devices):
            yield dict(zip(names, map(plain, row), strict=True))


def _shows(query: Query, columns: Iterable[Column]) -> Query:
    """Return *query* with those values alone that *columns* have."""
    return replace(
        query, show=tuple(show for show in query.show if any(c.asked == (query.id, show.title) for c in columns))
    )
