"""What crosses from the event loop to a thread, and comes back."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import SiteError
from gitupd.web.asgi.bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import Sequence


class Shore:
    """Keeps what crossed until the test lets it come back."""

    def __init__(self) -> None:
        self.crossings: list[tuple[list[int], Future[Sequence[str]]]] = []

    def put(self, items: Sequence[int]) -> Future[Sequence[str]]:
        future: Future[Sequence[str]] = Future()
        self.crossings.append((list(items), future))
        return future

    async def crossed(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.crossings) < count:  # noqa: ASYNC110 - what crosses sets no event
                await asyncio.sleep(0)

    def answer(self) -> None:
        items, future = self.crossings[-1]
        future.set_result([f"{item} kept" for item in items])


def test_what_comes_meanwhile_crosses_together_and_each_hears_of_its_own() -> None:
    shore = Shore()

    async def cross() -> list[str]:
        bridge = Bridge(shore.put)
        first = asyncio.create_task(bridge.across(0))
        await shore.crossed(1)
        more = [asyncio.create_task(bridge.across(number)) for number in range(1, 250)]
        gone = asyncio.create_task(bridge.across(250))
        await asyncio.sleep(0)
        gone.cancel()
        for crossing in (2, 3):
            shore.answer()
            await shore.crossed(crossing)
        shore.answer()
        return await asyncio.gather(first, *more)

    assert asyncio.run(cross()) == [f"{number} kept" for number in range(250)]
    assert [len(items) for items, _ in shore.crossings] == [1, 200, 50], "one that is gone crosses all the same"


def test_a_failure_reaches_all_that_crossed_and_the_next_ones_cross() -> None:
    shore = Shore()

    async def cross() -> str:
        bridge = Bridge(shore.put)
        some = [asyncio.create_task(bridge.across(number)) for number in range(2)]
        await shore.crossed(1)
        shore.crossings[0][1].set_exception(SiteError("no room left"))
        for task in some:
            with pytest.raises(SiteError, match="no room left"):
                await task
        last = asyncio.create_task(bridge.across(2))
        await shore.crossed(2)
        shore.answer()
        return await last

    assert asyncio.run(cross()) == "2 kept"
