"""Requests of people and programs, handed on once their bodies are here; answers, sent on once they are whole.

Pages are made by a few threads, and a thread that waits for a client would be one less for everybody else.
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Self

from gitupd.web.asgi.body import Room, whole
from gitupd.web.asgi.request import header

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_FORM = 1024 * 1024
_IN_MEMORY = 256 * 1024
_AT_ONCE = 64 * 1024


class Complete:
    """An ASGI application whose requests have come in whole, and within a bounded time; its answers are collected."""

    def __init__(self, application: ASGIApp, seconds: float) -> None:
        """Hand requests on to *application* whose bodies come within so many *seconds*."""
        self._application, self._seconds = application, seconds
        self._room = Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises Refusal for a body that is cut off, slow, or in chunks that are too large.

        One that says that it is too large is not read: the application sees that as well, and refuses it.
        """
        with Collected() as answer:
            await self._answer(scope, receive, answer)
            await answer.send_on(send)

    async def _answer(self, scope: Scope, receive: Receive, answer: Collected) -> None:
        """Collect the answer; nothing of the request is held any more while the client takes its time to read that."""
        with self._room.open() as take:
            large = int(header(scope, b"content-length") or 0) > LARGEST_FORM
            body = b"" if large else await whole(receive, LARGEST_FORM, self._seconds, take)

            async def again() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            await self._application(scope, again, answer.take)


class Collected:
    """An answer that is kept until it is whole: in memory while it is small, in a temporary file once it is not."""

    def __init__(self) -> None:
        self._start: Message | None = None
        self._body = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed at the end of our own block

    def __enter__(self) -> Self:
        """Return the answer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give its room back."""
        self._body.close()

    async def take(self, message: Message) -> None:
        """Take what an application sends; raises OSError if there is no room for it."""
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._body.write(message.get("body", b""))

    async def send_on(self, send: Send) -> None:
        """Send what was taken by parts, each as soon as the client has made room for it."""
        if self._start is None:
            return
        await send(self._start)
        left = self._body.tell()
        self._body.seek(0)
        while left > 0:
            part = self._body.read(_AT_ONCE)
            left -= len(part)
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
