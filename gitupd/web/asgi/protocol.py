"""uvicorn's HTTP protocol with bounds on what a client may send, and how long it may take for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

LARGEST_HEAD = 32 * 1024
LAST_QUESTION_SECONDS = 1.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose request line and headers are too large or too slow.

    The server otherwise waits for ever and keeps all that it gets, so that a few clients could hold it up.
    """

    head_seconds = 15.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = True
        self._asked = False
        self._leaving = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head, and refuse one that is too large."""
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to count, and to wait if that was not begun before."""
        self._in_head = self._asked = True
        if self._deadline is None:
            self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop to wait; the application bounds the body."""
        self._in_head, self._head = False, 0
        self._stop_waiting()
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: who asks for a web socket is answered as if it had not."""

    def shutdown(self) -> None:
        """Leave in good order: who has connected just now may still ask its question, which is on its way."""
        if not self._asked and not self.transport.is_closing():
            self._leaving = True
            self._stop_waiting()
            self._deadline = self.loop.call_later(LAST_QUESTION_SECONDS, self._give_up)
        else:
            super().shutdown()

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(self.head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bounded(head_seconds: float) -> type[BoundedProtocol]:
    """Return the protocol that waits *head_seconds* for a request's head; uvicorn makes its own instances."""
    return type("Bounded", (BoundedProtocol,), {"head_seconds": head_seconds})
