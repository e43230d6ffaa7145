"""The time zone of a site: what the settings name, or that of the machine."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from datetime import tzinfo

_LOCAL_TIME = Path("/etc/localtime")


def read_zone(value: object) -> str:
    """Return the name of a time zone, empty for none; raises ValueError if there is no such zone."""
    try:
        return ZoneInfo(str(value)).key if value else ""
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone, such as Europe/Berlin") from error


def zone_named(name: str) -> tzinfo:
    """Return the time zone called *name*, that of the machine for none."""
    return ZoneInfo(name) if name else _zone_of_the_machine()


@cache
def _zone_of_the_machine() -> tzinfo:
    """Return the time zone of this machine, UTC if it names none."""
    try:
        with _LOCAL_TIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError):
        return UTC
