"""Devices as a table for spreadsheets."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.web.tables import MARK, defused, written
from gitupd.web.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.device import Device
    from gitupd.service.listing.columns import Listing, Value

_AT_ONCE = 500


def csv_lines(listing: Listing, devices: Iterable[Device]) -> Iterator[str]:
    """Yield the table of *devices*, some hundred lines at a time, its headings first."""
    yield MARK + written([[defused(column.heading) for column in listing.columns]])
    rest = iter(devices)
    while some := list(islice(rest, _AT_ONCE)):
        yield written([list(map(_cell, row)) for row in listing.rows(some)])


def _cell(value: Value) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        case tuple():
            return defused(listed(value, ""))
        case _:
            return defused(value or "")
