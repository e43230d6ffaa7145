"""The body of a request as it comes in, within limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Receive = Callable[[], Awaitable[dict[str, Any]]]


class Refusal(Exception):
    """A request that is answered with a status other than 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


async def chunks(receive: Receive, largest: int, pause: float) -> AsyncIterator[bytes]:
    """Yield a body as it comes, up to *largest* bytes; the client may pause for as many seconds as *pause*.

    Raises Refusal for more, for longer, and for a body that is cut off.
    """
    left, more = largest, True
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
        yield chunk


async def size(receive: Receive, largest: int, pause: float) -> int:
    """Read a body to its end and let it go; return how long it was."""
    return sum([len(chunk) async for chunk in chunks(receive, largest, pause)])
