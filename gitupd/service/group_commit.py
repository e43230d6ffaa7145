"""Writing down many small things at once, before any of them is answered.

A commit costs a wait for the disk, whatever it holds. So whoever has something to write hands it over and waits; a
thread takes all that has come together in the meantime, writes it in one transaction, and lets everybody go on.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from gitupd.errors import GitupdError, SiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST_WAITING = 10_000
_LARGEST_BATCH = 500

Item = TypeVar("Item")

log = structlog.get_logger()


class GroupCommit(Generic[Item]):
    """Writes items in the order in which they were added, several at a time, from one thread."""

    def __init__(self, name: str, write: Callable[[Sequence[Item]], None]) -> None:
        """Write by *write*, which writes all items or, if it raises, none; *name* is what the log calls them."""
        self._name, self._write = name, write
        self._changed = threading.Condition()
        self._waiting: list[tuple[Item, Future[None]]] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.trouble: str | None = None

    def start(self) -> None:
        """Start to write in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and stop."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, item: Item) -> Future[None]:
        """Have *item* written; the future is done when it is on disk, and raises GitupdError if it can't be."""
        future: Future[None] = Future()
        with self._changed:
            if self._stopping or len(self._waiting) >= _MOST_WAITING:
                future.set_exception(SiteError(f"no more {self._name} can be written at the moment"))
            else:
                self._waiting.append((item, future))
                self._changed.notify()
        return future

    def _run(self) -> None:
        while batch := self._next():
            self._commit(batch)

    def _next(self) -> list[tuple[Item, Future[None]]]:
        """Return what is to be written next, nothing once there is nothing left and never will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            batch, self._waiting = self._waiting[:_LARGEST_BATCH], self._waiting[_LARGEST_BATCH:]
            return batch

    def _commit(self, batch: Sequence[tuple[Item, Future[None]]]) -> None:
        """Write *batch*, and survive whatever happens: this thread has to go on for as long as the server does."""
        wanted = [(item, future) for item, future in batch if future.set_running_or_notify_cancel()]
        failure: GitupdError | None = None
        try:
            if wanted:
                self._write([item for item, _ in wanted])
        except GitupdError as error:
            failure = error
            if self.trouble != str(error):
                log.error("can't be written", what=self._name, error=str(error))
        except Exception:
            log.exception("can't be written", what=self._name)
            failure = SiteError(f"{self._name} can't be written; the log says why")
        self.trouble = None if failure is None else str(failure)
        for _, future in wanted:
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)
