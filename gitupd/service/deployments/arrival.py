"""When the commit that waits arrived: kept in the site, so that its grace goes on while the server restarts."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError

if TYPE_CHECKING:
    from pathlib import Path

ARRIVED = "arrived"


def arrival(site: Path, head: CommitId) -> datetime | None:
    """Return when *head* was first seen at the head of the branch of *site*, None if that was not yet."""
    with suppress(OSError, ValueError):
        commit, _, at = (site / ARRIVED).read_text("utf-8").strip().partition(" ")
        seen = datetime.fromisoformat(at)
        return seen if CommitId(commit) == head and seen.tzinfo is not None else None
    return None


def forget_arrival(site: Path) -> None:
    """Let what waits arrive anew: the clock was put forward or back, so that nobody knows how long it has waited."""
    with suppress(OSError):
        (site / ARRIVED).unlink(missing_ok=True)


def note_arrival(site: Path, head: CommitId, now: datetime) -> datetime:
    """Note that *head* is at the head of the branch *now*; return since when it is.

    What seems to have come in the future came while the clock was wrong, and counts from now on. Raises SiteError.
    """
    seen = arrival(site, head)
    if seen is not None and seen <= now:
        return seen
    new = site / f"{ARRIVED}.new"
    try:
        new.write_text(f"{head} {now.isoformat()}\n", "utf-8")
        new.replace(site / ARRIVED)
    except OSError as error:
        raise SiteError(f"{site / ARRIVED} can't be written: {error}") from error
    return now
