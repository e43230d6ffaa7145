"""What a connection goes through before HTTP begins: a state with a clock and a bound as the others are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitupd.web.asgi.protocol import LAST_QUESTION_SECONDS, file_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.server import ServerState

    from gitupd.web.asgi.conclusion import HandshakeEnd
    from gitupd.web.asgi.connections import Connections


@dataclass(frozen=True, slots=True)
class PreludeBounds:
    """How many seconds a prelude may take, among which connections it counts, and those that uvicorn shuts down.

    What becomes of a handshake is told to ``count``.
    """

    seconds: float
    connections: Connections
    state: ServerState
    count: Callable[[HandshakeEnd], None]


def peer_of(transport: asyncio.BaseTransport) -> str | None:
    """Return the address at the other end, None if it has gone already."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else None


class Prelude(asyncio.Protocol):
    """Waits for what comes before HTTP, and is counted as a connection meanwhile."""

    def __init__(self, bounds: PreludeBounds) -> None:
        self._bounds = bounds
        self._is_last = False
        self._clock: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> bool:
        """Start to wait; return False if there is no room for one more connection, which is closed then."""
        if not self._bounds.connections.admit(self, peer_of(transport), file_number(transport)):
            transport.abort()
            return False
        self._bounds.connections.spare(self)
        self._bounds.state.connections.add(self)  # type: ignore[arg-type] # all that uvicorn calls is shutdown()
        self._wait(self._bounds.seconds)
        return True

    def end(self) -> None:
        """Wait no longer; whoever goes on with the connection counts it."""
        self._bounds.connections.leave(self)
        self._bounds.state.connections.discard(self)
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def hand_over(self, protocol: Any, transport: Any) -> None:
        """Have *protocol* go on with *transport*, and tell it if the server is about to stop."""
        self.end()
        protocol.connection_made(transport)
        if self._is_last:
            protocol.shutdown()

    def shutdown(self) -> None:
        """Leave in good order: who has connected just now may still ask its question."""
        self._is_last = True
        self._wait(LAST_QUESTION_SECONDS)

    def is_late(self) -> None:
        """End what has taken too long."""
        self.drop()

    def drop(self) -> None:
        """End at once."""
        raise NotImplementedError

    def _wait(self, seconds: float) -> None:
        if self._clock is not None:
            self._clock.cancel()
        self._clock = asyncio.get_running_loop().call_later(seconds, self.is_late)
