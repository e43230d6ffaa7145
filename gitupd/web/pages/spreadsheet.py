"""Devices as a table for spreadsheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.web.tables import MARK, defused, written
from gitupd.web.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from gitupd.core.device import Device
    from gitupd.core.search import Search
    from gitupd.service.fleet import Fleet

_AT_ONCE = 500
_COLUMNS: tuple[tuple[str, Callable[[Device], str | None]], ...] = (
    ("serial number", lambda device: str(device.serial)),
    ("name", lambda device: device.name),
    ("type", lambda device: device.model),
    ("hardware id", lambda device: device.hardware_id),
    ("address", lambda device: device.address),
    ("own address", lambda device: device.own_address),
    ("proxy", lambda device: device.proxy),
    ("phase", lambda device: device.phase),
    ("environments", lambda device: listed(device.environments, "")),
    ("unknown environments", lambda device: listed(device.unknown_environments, "")),
    ("classes", lambda device: listed(device.classes, "")),
    ("firmware", lambda device: device.firmware),
    ("firmware requested", lambda device: device.firmware_wanted),
    ("boot code", lambda device: device.bootcode),
    ("boot code requested", lambda device: device.bootcode_wanted),
    ("sent commit", lambda device: device.sent),
    ("sent (UTC)", lambda device: _utc(device.sent_at)),
    ("confirmed commit", lambda device: device.confirmed),
    ("confirmed (UTC)", lambda device: _utc(device.confirmed_at)),
    ("first seen (UTC)", lambda device: _utc(device.first_seen)),
    ("last seen (UTC)", lambda device: _utc(device.last_seen)),
    ("certificate", lambda device: device.certificate.stage.value if device.certificate else None),
    ("certificate ends (UTC)", lambda device: _utc(device.certificate.expires) if device.certificate else None),
)


def csv_lines(fleet: Fleet, search: Search) -> Iterator[str]:
    """Yield the table of all devices that *search* finds, some hundred lines at a time, its headings first."""
    yield MARK + written([["state", *(title for title, _ in _COLUMNS)]])
    rows: list[list[str]] = []
    for device in fleet.each(search):
        rows.append([fleet.state(device), *(defused(value(device) or "") for _, value in _COLUMNS)])
        if len(rows) == _AT_ONCE:
            yield written(rows)
            rows = []
    yield written(rows)


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%d %H:%M:%S")
