"""Plans that somebody wants are made in the background: a thread of the keeper looks, and a process of its own works.

So neither polls nor the keeper wait for a plan, and what a plan takes of memory is given back in the end.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import structlog

from gitupd.errors import GitupdError
from gitupd.service.background import Recurring, Trouble
from gitupd.service.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.service.site import Site

_LOOK_SECONDS = 0.1
_WATCH_SECONDS = 0.2
_MOST_SECONDS = 900.0
_IDLE_SECONDS = 3600.0
_PROGRAM = "gitupd.service.comparison.planner_child"

log = structlog.get_logger()


class PlannerFailed(GitupdError):
    """The process that makes plans has ended before it was done."""


class Planner:
    """Has the plans of one site made that somebody wants; one process does one after the other."""

    def __init__(self, site: Site, clock: Callable[[], datetime] = now, most_seconds: float = _MOST_SECONDS) -> None:
        """Make plans for *site*; a process that takes longer than so many seconds for one is killed."""
        self._site, self._now, self._most_seconds = site, clock, most_seconds
        self._looking = Recurring("plans", _LOOK_SECONDS, self.look, Trouble("plans can't be made"), retry=_pause)
        self._child: subprocess.Popen[bytes] | None = None
        self._used = time.monotonic()

    def start(self) -> None:
        """Start to look for wishes in the background."""
        self._looking.start()

    def stop(self) -> None:
        """Stop, and give up what is under way: who still wants it will ask again."""
        self._looking.stop()
        self._end()

    def look(self) -> None:
        """Have the plans made that somebody wants.

        If the process ends meanwhile, the plan that it was at is noted as one that can't be made. Raises PlannerFailed
        if it was at none, or can't go on.
        """
        if not self._site.plans.wishes(1):
            if self._child is not None and time.monotonic() - self._used > _IDLE_SECONDS:
                self._end()
            return
        child = self._running()
        assert child.stdin is not None  # noqa: S101 - it has pipes
        try:
            child.stdin.write(b"\n")
            trouble = self._waited_for(child)
        except OSError as error:
            trouble = f"its process can't be reached: {error}"
        self._used = time.monotonic()
        if trouble is not None:
            self._end()
            self._give_up(trouble)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = subprocess.Popen(  # noqa: S603 - a program of ours
                [sys.executable, "-P", "-m", _PROGRAM, self._site.path],  # -P: nothing is imported from where we stand
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self._child

    def _waited_for(self, child: subprocess.Popen[bytes]) -> str | None:
        """Wait until *child* is done with a round; return what went wrong, None if nothing did."""
        assert child.stdout is not None  # noqa: S101 - it has pipes
        until = time.monotonic() + self._most_seconds
        while time.monotonic() < until and not self._looking.stopping:
            if select.select([child.stdout], [], [], _WATCH_SECONDS)[0]:
                return self._answer(child, os.read(child.stdout.fileno(), 1))
        if self._looking.stopping:
            self._end()
            return None
        return f"it took longer than {self._most_seconds:g} s"

    def _answer(self, child: subprocess.Popen[bytes], said: bytes) -> str | None:
        """Return what is wrong if *child* has *said* that, None if nothing is."""
        if said == b"!":
            raise PlannerFailed("the process that makes plans can't go on; its database can't be used")
        return None if said else f"its process ended with {child.wait()}"

    def _give_up(self, trouble: str) -> None:
        """Note that the plan which was being made can't be, lest it is begun again and again."""
        for wish in self._site.plans.wishes():
            if wish.begun is not None:
                log.error("a plan was given up", base=wish.base, head=wish.head, error=trouble)
                self._site.plans.fail(wish.base, wish.head, "", trouble, self._now())
                return
        raise PlannerFailed(trouble)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _pause(failures: int) -> float:
    """Return for how many seconds nothing is tried after so many failures in a row."""
    return min(60.0, 0.5 * 2.0 ** min(failures, 10))
