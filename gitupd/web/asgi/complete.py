"""Requests of people and programs, handed on once their bodies are here.

Pages are made by a few threads, and a thread that waits for a body would be one less for everybody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.web.asgi.body import Room, whole
from gitupd.web.asgi.request import header

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_FORM = 1024 * 1024


class Complete:
    """An ASGI application whose requests have come in whole, and within a bounded time."""

    def __init__(self, application: ASGIApp, seconds: float) -> None:
        """Hand requests on to *application* whose bodies come within so many *seconds*."""
        self._application, self._seconds = application, seconds
        self._room = Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises Refusal for a body that is cut off, slow, or in chunks that are too large.

        One that says that it is too large is not read: the application sees that as well, and refuses it.
        """
        with self._room.open() as take:
            large = int(header(scope, b"content-length") or 0) > LARGEST_FORM
            body = b"" if large else await whole(receive, LARGEST_FORM, self._seconds, take)

            async def again() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            await self._application(scope, again, send)
