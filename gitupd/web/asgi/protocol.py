"""uvicorn's HTTP protocol, each of whose states has a clock and a bound (docs/explanation/connections.md).

It knows nothing of the transport below it but that it can be written to, closed and aborted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, assert_never

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    import socket

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from gitupd.listeners import Listener
    from gitupd.web.asgi.connections import Connections

LISTENER, CERTIFICATES = "gitupd.listener", "gitupd.certificates"
"""Where the scope of a request has the listener that it came by, and the certificates, in DER, that its client has
shown in the handshake, its own first; the transport is asked for these by the same name."""

LARGEST_HEAD = 32 * 1024
LARGEST_OWED = 1024 * 1024
MOST_AHEAD = 8
MOST_TRAILER_FIELDS = 64
LAST_QUESTION_SECONDS = 1.0
SECONDS_TO_BEGIN = 600.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


_SHOWN_BYTES = 300

log = structlog.get_logger()


class ConnectionState(Enum):
    """What a connection waits for."""

    WAITING = auto()  # for the first byte of a request
    HEAD = auto()  # for the rest of its head
    ANSWERING = auto()  # for the application, which asks for the body as it needs it
    SENDING = auto()  # for the client to read
    OWED = auto()  # for the rest of a body that nobody reads any more
    LEAVING = auto()  # for the client to read the last of it: it is closed


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds that clients may take.

    ``head`` for a request's head; ``idle`` between requests, and for what is still owed of a body; ``reading`` to make
    room in a full buffer, or to take what is left when the connection is closed.
    """

    head: float = 15.0
    idle: float = 15.0
    reading: float = 30.0


class TooMuch(Exception):
    """More than a client may send in a state; raised inside of the parser, which it ends."""


class _Trailer(list[tuple[bytes, bytes]]):
    """Takes the fields behind a body, of which nobody ever hears."""

    def __init__(self) -> None:
        super().__init__()
        self._left = MOST_TRAILER_FIELDS

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Let a field go; raises TooMuch for one more than anybody sends."""
        self._left -= 1
        if self._left < 0:
            raise TooMuch


class BoundedProtocol(HttpToolsProtocol):
    """Answers requests one after the other, and ends connections that exceed the bound or the clock of their state.

    The server otherwise waits for ever and keeps all that it gets, so that a few clients could hold it up.
    """

    clocks = Clocks()
    open_connections: Connections
    listener: Listener | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begin = b""
        self._state = ConnectionState.WAITING
        self._in_head = self._in_message = self._asked = self._is_last = False
        self._unaccounted = self._heads_ahead = self._owed = 0
        self._under_way: RequestResponseCycle | None = None
        self._refusal: bytes | None = None
        self._due = self._timer_at = self._patient_until = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._certificates: tuple[bytes, ...] = ()

    # What the transport tells

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Start to wait for the first request, if there is room for one more connection."""
        super().connection_made(transport)
        self._certificates = transport.get_extra_info(CERTIFICATES, ())
        if self.open_connections.admit(self, self.client[0] if self.client else None, file_number(transport)):
            self._enter(ConnectionState.WAITING, self.clocks.head)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End all that is under way: uvicorn tells only the request that was parsed last."""
        self.open_connections.leave(self)
        self._stop_timer()
        for cycle in (self._under_way, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse *data*, unless what has come since the last part of a request that counts is too much."""
        if self._state is ConnectionState.WAITING:
            self._begin = data[:_SHOWN_BYTES]
        # By parts: what was read at once may be a quarter of a MiB, and takes long to parse if all of it is head.
        for start in range(0, len(data), LARGEST_HEAD):
            if self.transport.is_closing():
                return
            part = data if len(data) <= LARGEST_HEAD else data[start : start + LARGEST_HEAD]
            self._unaccounted += len(part)
            self._parse(part)
            if self._unaccounted > LARGEST_HEAD and not self.transport.is_closing():
                self.open_connections.offend(self)
                self._refuse(_TOO_LARGE if self._state is ConnectionState.HEAD else b"")

    def eof_received(self) -> None:
        """Wait for the client to read what was sent: the transport closes itself."""
        self._enter(ConnectionState.LEAVING, self.clocks.reading)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        if self._state is ConnectionState.ANSWERING:
            self._enter(ConnectionState.SENDING, self.clocks.reading)

    def resume_writing(self) -> None:
        """Go on to wait for the application."""
        super().resume_writing()
        if self._state is ConnectionState.SENDING:
            self._enter(ConnectionState.ANSWERING, self.clocks.reading)

    # What the parser tells

    def on_message_begin(self) -> None:
        """Begin with a head; raises TooMuch for a client that does not wait for its answers."""
        if len(self.pipeline) >= MOST_AHEAD:
            raise TooMuch
        self._in_head = self._in_message = self._asked = True
        if self._state is ConnectionState.WAITING:
            self._enter(ConnectionState.HEAD, self.clocks.head)
        super().on_message_begin()
        self.scope.update({LISTENER: self.listener, CERTIFICATES: self._certificates})  # type: ignore[misc] # keys of our own

    def on_headers_complete(self) -> None:
        """Hand the request on, or have it wait for those in front of it; raises TooMuch for a large head."""
        self._check_head()
        self._in_head, self._unaccounted, self._owed = False, 0, 0
        super().on_headers_complete()
        self.headers = _Trailer()
        if self._is_last:
            self.cycle.keep_alive = False
        if self._state is ConnectionState.HEAD:
            self._have_answered()

    def on_chunk_header(self) -> None:
        """Begin to count what belongs to the next chunk header, or to trailer fields."""
        self._unaccounted = 0

    def on_body(self, body: bytes) -> None:
        """Hand *body* on; raises TooMuch for more than a little of one that nobody reads."""
        self._unaccounted = 0
        if self.cycle.response_complete:
            self._owed += len(body)
            if self._owed > LARGEST_OWED:
                self._refusal = b""
                raise TooMuch
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next request, if this one was answered before it was read."""
        self._in_message = False
        super().on_message_complete()
        if self._state is ConnectionState.OWED:
            self._enter(ConnectionState.WAITING, self.clocks.idle)

    # What answers tell

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Begin with the next request, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._enter(ConnectionState.LEAVING, self.clocks.reading)
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._have_answered()
            self._start_asgi_task(*self.pipeline.pop())
        elif self._in_head:
            self._enter(ConnectionState.HEAD, self.clocks.head)
        elif self._in_message:
            self._enter(ConnectionState.OWED, self.clocks.idle)
        else:
            self._enter(ConnectionState.WAITING, self.clocks.idle)

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be parsed, and what is too much; in the middle of an answer there is no place for that."""
        if not self._may_be_told():
            self.drop()
        elif self._refusal is not None or not self._in_message or self._state is ConnectionState.OWED:
            self._refuse(self._refusal or b"")
        else:
            super().send_400_response(msg)
            self._enter(ConnectionState.LEAVING, self.clocks.reading)

    # What the server tells

    def shutdown(self) -> None:
        """Leave in good order: who has connected just now may still ask its question, which is on its way."""
        if not self._asked and not self.transport.is_closing():
            self._is_last = True
            self._enter(ConnectionState.WAITING, LAST_QUESTION_SECONDS)
        else:
            super().shutdown()
            if self.transport.is_closing():
                self._enter(ConnectionState.LEAVING, self.clocks.reading)

    def drop(self) -> None:
        """End at once."""
        self.transport.abort()

    # Clocks and bounds

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # who asks for a web socket is answered as if it had not
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, TooMuch):
                self.open_connections.offend(self)
            else:
                # Such as umlauts in an address that nobody has encoded: nothing else would tell who sends them.
                line = self._begin.partition(b"\r\n")[0].decode("ascii", errors="backslashreplace")
                log.warning("Invalid HTTP request", peer=self.client[0] if self.client else "", begins=line)
            self.send_400_response("Invalid HTTP request received.")

    def _enter(self, state: ConnectionState, seconds: float) -> None:
        """Wait as *state* says for so many *seconds*; there is one deadline, and it is always set."""
        if state is ConnectionState.ANSWERING:
            self.open_connections.keep(self)
        else:
            self.open_connections.spare(self)
        self._state = state
        self._due = self.loop.time() + seconds
        # The timer is not moved along for each request: when it fires, it looks how far off the deadline is.
        if self._due < self._timer_at:
            self._start_timer()

    def _have_answered(self) -> None:
        """Wait for the application, or first for the client to read what was answered before."""
        self._patient_until = self.loop.time() + SECONDS_TO_BEGIN
        self._enter(
            ConnectionState.SENDING if self.flow.write_paused else ConnectionState.ANSWERING, self.clocks.reading
        )

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer_at = self._due
        self._timer = self.loop.call_at(self._due, self._look)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, math.inf

    def _look(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self.loop.time() < self._due:
            self._start_timer()
        else:
            self._is_over()

    def _is_over(self) -> None:
        """End what has waited for too long, in a way that a client which goes on reading understands."""
        if self.transport.is_closing():
            self.drop()
            return
        match self._state:
            case ConnectionState.ANSWERING if self._goes_on():
                self._enter(ConnectionState.ANSWERING, self.clocks.reading)
            case ConnectionState.ANSWERING | ConnectionState.SENDING:
                self.drop()
            case ConnectionState.WAITING | ConnectionState.HEAD | ConnectionState.OWED | ConnectionState.LEAVING:
                self.transport.close()
                self._enter(ConnectionState.LEAVING, self.clocks.reading)
            case _:
                assert_never(self._state)

    def _goes_on(self) -> bool:
        """Whether the application answers: those that may take long have clocks of their own once they have begun."""
        begun = self._under_way is not None and self._under_way.response_started
        return begun or self.loop.time() < self._patient_until

    def _check_head(self) -> None:
        """Raise TooMuch if this head, with those of requests that wait for their turn, is too large."""
        waits = self.cycle is not None and not self.cycle.response_complete
        if not waits:
            self._heads_ahead = 0
            if self._unaccounted <= LARGEST_HEAD:
                return
        self._heads_ahead += len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if self._heads_ahead > LARGEST_HEAD:
            self._refusal = _TOO_LARGE
            raise TooMuch

    def _may_be_told(self) -> bool:
        """Whether an answer of our own is in order now; the application's, if it was to come, does not come then."""
        cycle = self._under_way
        if cycle is None or cycle.response_complete:
            return True
        if cycle is not self.cycle or cycle.response_started:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    def _refuse(self, answer: bytes) -> None:
        if not self._may_be_told():
            self.drop()
            return
        self.transport.write(answer)
        self.transport.close()
        self._enter(ConnectionState.LEAVING, self.clocks.reading)


def file_number(transport: asyncio.BaseTransport) -> int:
    """Return the number of the open file of *transport*; -1 if it has none of its own, or is closed."""
    opened: socket.socket | None = transport.get_extra_info("socket")
    return -1 if opened is None else opened.fileno()


def bounded(clocks: Clocks, connections: Connections, listener: Listener | None = None) -> type[BoundedProtocol]:
    """Return the protocol with these *clocks*, counted among *connections*, for those who come by *listener*.

    uvicorn makes its own instances.
    """
    bounds = {"clocks": clocks, "open_connections": connections, "listener": listener}
    return type("Bounded", (BoundedProtocol,), bounds)
