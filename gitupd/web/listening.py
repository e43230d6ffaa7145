"""The sockets of a server: the supervisor binds them, so that a worker that dies loses no connection that waits."""

from __future__ import annotations

import errno
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.web.tls.chains import SharedChains
from gitupd.web.tls.contexts import session_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from OpenSSL.SSL import Context

    from gitupd.listeners import Address, Listener

BACKLOG = 2048
_FREE_SECONDS = 3.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Listening:
    """A socket of one worker, and the listener that it is for.

    ``sessions`` are resumed by any worker: they hold the keys for that, and are None without TLS; ``chains`` hold what
    is not in them.
    """

    listener: Listener
    socket: socket.socket
    chains: SharedChains
    sessions: Context | None = None


def listen_at(listeners: Sequence[Listener], workers: int) -> Sequence[Sequence[Listening]]:
    """Return for each worker a socket at each of *listeners*; raises SiteError if that can't be done."""
    columns: list[list[Listening]] = []
    chains = SharedChains()
    for listener in listeners:
        sockets = listen(listener.address, workers)
        bound = listener.at(sockets[0].getsockname()[1])
        sessions = session_context() if listener.tls else None
        columns.append([Listening(bound, each, chains, sessions) for each in sockets])
    return list(zip(*columns, strict=True))


def listen(address: Address, count: int) -> list[socket.socket]:
    """Return *count* sockets that listen at the same *address*; the kernel spreads connections over them.

    Raises SiteError if that can't be done.
    """
    sockets: list[socket.socket] = []
    try:
        _wait_until_free(address)
        for _ in range(count):
            each = _socket_for(address)
            sockets.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            port = address.port or (sockets[0].getsockname()[1] if len(sockets) > 1 else 0)
            each.bind((address.host, port))
            each.listen(BACKLOG)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        for each in sockets:
            each.close()
        raise SiteError(f"can't listen at {address}: {error.strerror or error}") from error
    return sockets


def _wait_until_free(address: Address) -> None:
    """Wait until nobody listens at *address*: the processes of a server that was killed take a moment to end.

    Raises OSError if somebody goes on there. Our own sockets share the address, so they would not notice.
    """
    deadline = time.monotonic() + _FREE_SECONDS
    while True:
        with _socket_for(address) as alone:
            try:
                alone.bind((address.host, address.port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise
            else:
                return
        time.sleep(_LOOK_SECONDS)


def _socket_for(address: Address) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return found
