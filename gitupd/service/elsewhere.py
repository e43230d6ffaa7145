"""Conversations with servers elsewhere: with the address that somebody named, no other, and for a bounded time.

The time-outs of sockets are for each read alone: who answers a byte at a time never exceeds them.
"""

from __future__ import annotations

import smtplib
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, build_opener

from gitupd.errors import GitupdError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from http.client import HTTPResponse
    from urllib.request import BaseHandler, Request


class ConversationDeadline:
    """Ends connections that are still open when their time is over, from another thread, whatever they wait for."""

    def __init__(self, seconds: float) -> None:
        """Let connections last *seconds* from now."""
        self._seconds, self._connections = seconds, list[socket.socket]()
        self._lock = threading.Lock()
        self._is_over = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.name, self._timer.daemon = "deadline", True
        self._timer.start()

    def watch(self, connection: socket.socket) -> None:
        """End *connection* in time, under whatever encryption it is used later."""
        twin = connection.dup()  # once there is TLS, the first object is of no use any more
        with self._lock:
            self._connections.append(twin)
        if self._is_over:
            self._end()

    @property
    def said(self) -> str:
        """What to say of a connection that has failed: that the time is over, empty if that is not why."""
        return f"it took more than {self._seconds:g} seconds" if self._is_over else ""

    def lift(self) -> None:
        """Let go of all connections."""
        self._timer.cancel()
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            for connection in self._connections:
                with suppress(OSError):  # it has ended by itself
                    connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def deadline(seconds: float) -> Iterator[ConversationDeadline]:
    """Have what is watched within the block end when *seconds* are over."""
    ending = ConversationDeadline(seconds)
    try:
        yield ending
    finally:
        ending.lift()


# The web


class Unanswered(GitupdError):
    """A server elsewhere can't be reached, breaks off, says what is no HTTP, or takes too long; the text says which."""


@dataclass(frozen=True, slots=True)
class AnswerFromElsewhere:
    """What a server said: the ``status``, what it calls that, and the first bytes of its ``content``."""

    status: int
    reason: str
    content: bytes

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked for; redirections are not followed, and are no success."""
        return 200 <= self.status < 300  # noqa: PLR2004 - as HTTP has them


def ask(request: Request, seconds: float, most: int, *handlers: BaseHandler) -> AnswerFromElsewhere:
    """Return the answer to *request* with up to *most* bytes, whatever its status; raises Unanswered.

    The conversation lasts *seconds* at the most. *handlers* are used besides the usual ones: without any, a proxy
    that the environment names is asked.
    """
    with deadline(seconds) as ending:
        opener = build_opener(_NoRedirects(), _Plain(ending), _Encrypted(ending), *handlers)
        try:
            with opener.open(request, timeout=seconds) as answer:
                content = answer.read(most)
                if answer.length and len(content) < most:
                    raise Unanswered(ending.said or f"it broke off, with {answer.length} bytes to come")
        except HTTPError as error:
            answer, content = error, b""
            with error, suppress(HTTPException, OSError):  # the status says enough
                content = error.read(most)
        except (URLError, HTTPException, OSError, ValueError, OverflowError) as error:  # or there is no such address
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise Unanswered(ending.said or str(reason)) from error
        if ending.said:  # what was read is cut off
            raise Unanswered(ending.said)
        return AnswerFromElsewhere(answer.status or 0, getattr(answer, "reason", "") or answer.msg, content)


class _NoRedirects(HTTPRedirectHandler):
    """Follows nobody: what is sent, such as a token, is for the host that it was made for."""

    def redirect_request(self, *_arguments: object, **_named: object) -> None:
        """Leave the answer as it is, an error."""


class _WatchedConnection(HTTPConnection):
    _ending: ConversationDeadline

    def connect(self) -> None:
        super().connect()
        self._ending.watch(self.sock)


class _PlainConnection(_WatchedConnection):
    def __init__(self, ending: ConversationDeadline, host: str, **named: Any) -> None:
        self._ending = ending
        super().__init__(host, **named)


class _EncryptedConnection(HTTPSConnection, _WatchedConnection):
    """Is watched before its handshake, for that is how the one connects by the other."""

    def __init__(self, ending: ConversationDeadline, host: str, **named: Any) -> None:
        self._ending = ending
        super().__init__(host, **named)


class _Plain(HTTPHandler):
    def __init__(self, ending: ConversationDeadline) -> None:
        super().__init__()
        self._ending = ending

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(_PlainConnection, self._ending), req)


class _Encrypted(HTTPSHandler):
    def __init__(self, ending: ConversationDeadline) -> None:
        super().__init__()
        self._ending = ending

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(_EncryptedConnection, self._ending), req)


# Mail


class _WatchedMailing(smtplib.SMTP):
    _ending: ConversationDeadline

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._ending.watch(connection)
        return connection


class Mailing(_WatchedMailing):
    """A conversation with a mail server that lasts as long as a deadline says, from its greeting on."""

    def __init__(self, ending: ConversationDeadline, host: str, port: int, timeout: float) -> None:
        """Connect to *port* of *host*, where each read may take *timeout* seconds; raises OSError or SMTPException."""
        self._ending = ending
        super().__init__(host, port, timeout=timeout)


class EncryptedMailing(smtplib.SMTP_SSL, _WatchedMailing):
    """The same with TLS from the beginning; the handshake is watched, too."""

    def __init__(
        self, ending: ConversationDeadline, host: str, port: int, timeout: float, context: ssl.SSLContext
    ) -> None:
        """Connect likewise, and trust as *context* does."""
        self._ending = ending
        super().__init__(host, port, timeout=timeout, context=context)
