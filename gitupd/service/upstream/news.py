"""Word that there is news at the upstream: from whoever hears of it to the process that fetches, by the age of a file.

However often that is said, there is one fetch for it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitupd.errors import SiteError

if TYPE_CHECKING:
    from pathlib import Path

NEWS = "upstream.news"


def spread_news(site: Path) -> None:
    """Have the keeper of *site* fetch soon; raises SiteError."""
    try:
        (site / NEWS).write_bytes(b"\n")
    except OSError as error:
        raise SiteError(f"{site / NEWS} can't be written: {error}") from error


def latest_news(site: Path) -> int:
    """Return a number that is another one whenever there was news again."""
    with suppress(OSError):
        return (site / NEWS).stat().st_mtime_ns
    return 0
