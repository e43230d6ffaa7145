"""What goes on in the background: one kind of thread for all of it, and one treatment of failure.

A failure is logged once for as long as it stays the same, and ends nothing: the thread goes on for as long as its
process does, whatever a commit, a repository or a database holds.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from gitupd.errors import GitupdError, is_out_of_files

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 60.0
"""Seconds that the end of a process waits for work that is under way; the supervisor has less."""

_NICE = 10

log = structlog.get_logger()


def give_way() -> None:
    """Let those who answer devices go first, on a machine that is busy; programs that are started here inherit it."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class Trouble:
    """What is wrong with something that is tried again and again; ``text`` is None while nothing is."""

    def __init__(self, event: str, **context: str) -> None:
        """Log as *event*, with *context*, what is noted."""
        self._event, self._context = event, context
        self._logged = ""
        self.text: str | None = None

    def note(self, error: Exception) -> str:
        """Note *error*, log it if it is another one than before, and return what is to be told of it.

        That is the text of a GitupdError, or that no more files can be opened. Of a fault of the program only the log
        tells more than that there is one.
        """
        is_new, self._logged = self._logged != repr(error), repr(error)
        if isinstance(error, GitupdError) or is_out_of_files(error):
            self.text = str(error)
            if is_new:
                log.error(self._event, **self._context, error=self.text)
        else:
            self.text = f"{' '.join((*self._context.values(), self._event))}; the log says why"
            if is_new:
                log.error(self._event, **self._context, exc_info=error)
        return self.text

    def over(self) -> None:
        """Note that nothing is wrong any more."""
        self._logged, self.text = "", None


class Recurring:
    """Does the same work again and again, from a thread of its own."""

    def __init__(
        self,
        name: str,
        every: float,
        work: Callable[[], bool | None],
        trouble: Trouble,
        *,
        retry: Callable[[int], float] | None = None,
        cured: Callable[[], bool] = lambda: False,
        at_end: bool = False,
        patience: float = _PATIENCE,
    ) -> None:
        """Do *work* every so many seconds, and again at once if it returns True, for there is more to do.

        What it raises goes to *trouble*; after so many failures in a row it rests for as many seconds as *retry* says,
        None for as long as always, unless it is *cured* before, which is asked *every* so many seconds. With *at_end*
        all that is left is done when it is stopped, which waits *patience* seconds at the most.
        """
        self._name, self._every, self._work, self._retry, self._cured = name, every, work, retry, cured
        self._at_end, self._patience = at_end, patience
        self._failures = 0
        self._woken, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.trouble = trouble

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop, so that long work should be given up."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Start to work in the background."""
        self._thread.start()

    def nudge(self) -> None:
        """Have the work done now instead of in a while."""
        self._woken.set()

    def stop(self) -> None:
        """Finish what is under way, and stop; what was never started does what is left at once."""
        self._stopped.set()
        self._woken.set()
        if self._thread.ident is None:
            self._finish()
        else:
            self._thread.join(self._patience)
            if self._thread.is_alive():
                log.warning("work in the background did not end in time", name=self._name)

    def once(self) -> float:
        """Do the work once, whatever happens; return for how many seconds there is nothing to do."""
        try:
            has_more = self._work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noted, and the thread goes on
            self._failures += 1
            self.trouble.note(error)
            return self._every if self._retry is None else self._retry(self._failures)
        self._failures = 0
        self.trouble.over()
        return 0.0 if has_more else self._every

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._rest(self.once())
            self._woken.clear()
        self._finish()

    def _rest(self, seconds: float) -> None:
        """Wait for so long, until there is more to do, or until what failed may go well again."""
        until = time.monotonic() + seconds
        while not self._woken.wait(min(seconds, self._every)):
            seconds = until - time.monotonic()
            if seconds <= 0 or (self._failures and self._cured()):
                return

    def _finish(self) -> None:
        if self._at_end:
            while self.once() == 0.0:
                pass
