"""The body of a request as it comes in, within limits."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.types import Receive

_PAUSES = 4
_SLOWEST = 2_000
"""Bytes in a second with which a body has to come once it has taken that many pauses: slower ones only keep us busy."""


class Refusal(Exception):
    """A request that is answered with a status other than 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Unavailable(Refusal):
    """A request that would be answered if it were not for a fault of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, reason)


async def chunks(receive: Receive, largest: int, pause: float) -> AsyncIterator[bytes]:
    """Yield a body as it comes, up to *largest* bytes; the client may pause for as many seconds as *pause*.

    Raises Refusal for more, for longer, for a body that is cut off, and for one that keeps coming all too slowly.
    """
    left, more = largest, True
    clock = asyncio.get_running_loop().time
    started = clock()
    while more:
        try:
            async with asyncio.timeout(pause):
                message = await receive()
        except TimeoutError:
            raise Refusal(408, "the upload took too long") from None
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the upload was cut off")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        left -= len(chunk)
        if left < 0:
            raise Refusal(413, "the upload is too large")
        if clock() - started > _PAUSES * pause + (largest - left) / _SLOWEST:
            raise Refusal(408, "the upload took too long")
        yield chunk


async def size(receive: Receive, largest: int, pause: float) -> int:
    """Read a body to its end and let it go; return how long it was."""
    return sum([len(chunk) async for chunk in chunks(receive, largest, pause)])


async def whole(receive: Receive, largest: int, seconds: float, take: Callable[[int], None]) -> bytes:
    """Return a whole body of up to *largest* bytes, which has to come within so many *seconds*.

    *take* is called with the length of each part. Raises Refusal as :func:`chunks` does.
    """
    parts = []
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks(receive, largest, seconds):
                take(len(chunk))
                parts.append(chunk)
    except TimeoutError:
        raise Refusal(408, "the upload took too long") from None
    return b"".join(parts)


class Room:
    """Memory for bodies that are held whole, bounded for all of them together.

    The beginning of each is free: connections are bounded, and whoever fills the room keeps nobody from logging in.
    """

    def __init__(self, most: int = 64 * 2**20, free: int = 16 * 2**10) -> None:
        """Hold *most* bytes, besides the first ones of each body, which are *free*."""
        self._most, self._free, self._held = most, free, 0

    @contextmanager
    def open(self) -> Iterator[Callable[[int], None]]:
        """Give the block a function that takes room for so many bytes, which the end of the block gives back.

        It raises Refusal if there is no more room.
        """
        taken, free = 0, self._free

        def take(length: int) -> None:
            nonlocal taken, free
            counted = max(length - free, 0)
            free -= length - counted
            taken += counted
            self._held += counted
            if counted and self._held > self._most:
                raise Refusal(503, "too many uploads at once")

        try:
            yield take
        finally:
            self._held -= taken
