"""Writing down many small things at once, before any of them is answered.

A commit costs a wait for the disk, whatever it holds. So whoever has something to write hands it over and waits; a
thread takes all that has come together in the meantime, writes it in one transaction, and lets everybody go on
(docs/explanation/architecture.md, Three ways to write).
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from gitupd.errors import GitupdError, SiteError
from gitupd.service.background import Recurring, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST_WAITING = 10_000
_LARGEST_BATCH = 500
_IDLE_SECONDS = 1.0
_TROUBLED_SECONDS = 10.0
"""How long a failure counts as a trouble: whether it is over shows with the next item, which may not come for long."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Writes items in the order in which they were added, several at a time, from one thread."""

    def __init__(
        self, name: str, write: Callable[[Sequence[Item]], Sequence[Result]], troubled: float = _TROUBLED_SECONDS
    ) -> None:
        """Write by *write*, which writes all items or, if it raises, none; *name* is what the log calls them.

        It returns what became of each of them, in their order. A failure is a trouble for *troubled* seconds.
        """
        self._name, self._write = name, write
        self._lock = threading.Lock()
        self._waiting: list[tuple[Item, Future[Result]]] = []
        self._stopping = False
        self._trouble = Trouble("can't be written", what=name)
        self._troubled, self._failed_at = troubled, -math.inf
        self._writing = Recurring(
            name, _IDLE_SECONDS, self._write_some, Trouble("can't be handed on", what=name), at_end=True
        )

    @property
    def trouble(self) -> str | None:
        """Why the last items could not be written, None if they could, or if that was a while ago."""
        return self._trouble.text if time.monotonic() - self._failed_at < self._troubled else None

    def start(self) -> None:
        """Start to write in the background."""
        self._writing.start()

    def stop(self) -> None:
        """Write what waits, and stop."""
        with self._lock:
            self._stopping = True
        self._writing.stop()

    def put(self, item: Item) -> Future[Result]:
        """Have *item* written; the future says what became of it once it is on disk.

        It raises GitupdError if *item* can't be written.
        """
        future: Future[Result] = Future()
        with self._lock:
            if self._stopping or len(self._waiting) >= _MOST_WAITING:
                future.set_exception(SiteError(f"no more {self._name} can be written at the moment"))
            else:
                self._waiting.append((item, future))
                self._writing.nudge()
        return future

    def _write_some(self) -> bool:
        """Write what has come together; return whether there is more."""
        with self._lock:
            batch, self._waiting = self._waiting[:_LARGEST_BATCH], self._waiting[_LARGEST_BATCH:]
            has_more = bool(self._waiting)
        if claimed := [(item, future) for item, future in batch if future.set_running_or_notify_cancel()]:
            self._commit(claimed)
        return has_more

    def _commit(self, batch: Sequence[tuple[Item, Future[Result]]]) -> None:
        """Write *batch*, and let everybody go on, with what went wrong if anything did."""
        try:
            results = self._write([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            trouble, self._failed_at = self._trouble.note(error), time.monotonic()
            failure = error if isinstance(error, GitupdError) else SiteError(trouble)
            for _, future in batch:
                future.set_exception(failure)
            return
        self._trouble.over()
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
