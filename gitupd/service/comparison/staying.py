"""What stays on the devices of a site after a rollback, found out while somebody waits for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gitupd.core.comparison.staying import staying_in
from gitupd.core.concealing import Veil
from gitupd.errors import GitupdError
from gitupd.service.comparison.kept import Plans, planned_now
from gitupd.service.deployments.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

_PATIENCE = 10.0


class _OutOfPatience(Exception):
    """Nobody wants to wait for the plan any longer."""


def lines_that_stay(
    site: Site, before: CommitId, after: CommitId, clock: Callable[[], datetime], patience: float = _PATIENCE
) -> list[tuple[str, int]] | None:
    """Return lines of *before* that *after* does not take back, without secrets, each with how many devices had it.

    None if that can't be found out, or not within so many seconds of *patience*.
    """
    end = time.monotonic() + patience

    def report(_done: int, _total: int) -> None:
        if time.monotonic() > end:
            raise _OutOfPatience

    try:
        planned_now(site, before, after, clock, report=report)
        comparison = Plans(site).comparison(before, after)
        snapshots = Snapshots(site)
        hide = Veil.over([snapshots.of(before), snapshots.of(after)])
    except (_OutOfPatience, GitupdError):
        return None
    if comparison is None or not all(group.is_whole for group in comparison.groups):
        return None
    told = []
    for line, devices in staying_in(comparison):
        only = f" (only {' '.join(line.options)})" if line.options else ""
        told.append((f"{hide.line(line.text)}{only}", devices))
    return told
