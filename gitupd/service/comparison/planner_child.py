"""The process that makes plans: for each line of its input it makes those that somebody wants, and answers with a dot.

An exclamation mark says that it could not go on, for the database is away. It ends with whoever has started it.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.service.comparison.kept import planned_now
from gitupd.service.comparison.planning import Planning
from gitupd.service.site import Site

if TYPE_CHECKING:
    from gitupd.store.comparison.plans import PlanRow

_TOLD_EVERY_SECONDS = 0.5
_NICE = 10


def main() -> None:
    """Make plans for the site that the first argument names."""
    os.nice(_NICE)  # polls come first
    site = Site(Path(sys.argv[1]))
    planning, lines = Planning(site), _lines()
    while True:
        lines.get()
        sys.stdout.write("!" if make_wanted(site, planning) else ".")
        sys.stdout.flush()


def make_wanted(site: Site, planning: Planning) -> str | None:
    """Make all plans that somebody wants now, the latest wish first; return why it can't go on, None if it is done."""
    try:
        for wish in site.plans.wishes():
            _make(site, planning, wish)
    except GitupdError as error:
        return str(error)
    return None


def _make(site: Site, planning: Planning, wish: PlanRow) -> None:
    begun = told = now()
    site.plans.progress(wish.base, wish.head, begun, 0, 0)

    def report(done: int, total: int) -> None:
        nonlocal told
        if (moment := now()).timestamp() - told.timestamp() >= _TOLD_EVERY_SECONDS:
            told = moment
            site.plans.progress(wish.base, wish.head, begun, done, total)

    planned_now(site, wish.base, wish.head, now, planning=planning, report=report)


def _lines() -> SimpleQueue[bytes]:
    """Return a queue of the lines of the input, which a thread reads: at the end of it, this process ends at once."""
    lines: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return lines


if __name__ == "__main__":
    main()
