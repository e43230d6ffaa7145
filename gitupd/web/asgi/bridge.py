"""From the event loop to a thread and back, one crossing at a time, with all that has come together meanwhile.

Each way costs a system call and a fight for the interpreter. With a crossing for each upload, the thread that writes
them had a quarter as many to write at once, and took half as much time again (``tests/bench/bench_backups_upload.py``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

_MOST_AT_ONCE = 200

Item = TypeVar("Item")
Result = TypeVar("Result")


class Bridge(Generic[Item, Result]):
    """Puts items where a thread takes them, and says what became of each; for one event loop."""

    def __init__(self, put: Callable[[Sequence[Item]], Future[Sequence[Result]]]) -> None:
        """Hand items over by *put*, whose future has a result for each."""
        self._put = put
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._crossing: asyncio.Task[None] | None = None

    async def across(self, item: Item) -> Result:
        """Return what becomes of *item*; raises what the future of those raises that it crosses with."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._crossing is None:
            self._crossing = asyncio.create_task(self._cross())
        return await result

    async def _cross(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
                try:
                    results = await asyncio.wrap_future(self._put([item for item, _ in batch]))
                except Exception as error:  # noqa: BLE001 - raised again for each of them
                    for result in (result for _, result in batch if not result.done()):
                        result.set_exception(error)
                else:
                    for (_, result), value in zip(batch, results, strict=True):
                        if not result.done():  # else who waited for it is gone
                            result.set_result(value)
        finally:
            self._crossing = None
