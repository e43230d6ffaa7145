"""Real servers that answer well, badly, slowly, or for ever."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, Request

import pytest
from support.ports import free_port

from gitupd.service.elsewhere import EncryptedMailing, Mailing, Unanswered, ask, deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 60.0
DIRECT = ProxyHandler({})


@contextmanager
def saying(first: bytes, endlessly: bytes = b"", *, asked: bool = True) -> Iterator[int]:
    """Yield the port of a server that says something once it is *asked*, and then goes on a byte at a time."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not over.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    if asked:
                        connection.recv(65_536)  # else what is said is lost with what nobody read
                    connection.sendall(first)
                    while endlessly and not over.wait(0.02):
                        connection.sendall(endlessly)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def asked(port: int, seconds: float = LONG, most: int = 100, scheme: str = "http") -> tuple[int, str, bytes]:
    answer = ask(Request(f"{scheme}://127.0.0.1:{port}/x"), seconds, most, DIRECT)  # noqa: S310 - this machine
    return answer.status, answer.reason, answer.content


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"HTTP/1.0 200 Fine\r\n\r\nyes", (200, "Fine", b"yes")),
        (b"HTTP/1.0 404 Gone away\r\n\r\nno", (404, "Gone away", b"no")),
        (b"HTTP/1.0 302 There\r\nLocation: http://127.0.0.1:1/\r\n\r\nthere", (302, "There", b"there")),
        (b"HTTP/1.0 200 Fine\r\n\r\n" + 200 * b"x", (200, "Fine", 100 * b"x")),
    ],
)
def test_any_answer_is_returned_as_it_was_and_nobody_is_followed(said: bytes, answer: tuple[int, str, bytes]) -> None:
    with saying(said) as port:
        assert asked(port) == answer


@pytest.mark.parametrize("said", [b"", b"220 mail.example\r\n", b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nx"])
def test_what_is_no_answer_or_is_broken_off_is_none(said: bytes) -> None:
    with saying(said) as port, pytest.raises(Unanswered):
        asked(port)


def test_where_nobody_listens_the_reason_is_told() -> None:
    with pytest.raises(Unanswered, match="Connection refused"):
        asked(free_port())


@pytest.mark.parametrize(
    ("said", "endlessly", "scheme"),
    [
        (b"", b"H", "http"),
        (b"HTTP/1.1 200 x\r\nX: ", b"x", "http"),
        (b"HTTP/1.1 404 x\r\nContent-Length: 99999\r\n\r\n", b"x", "http"),
        (b"HTTP/1.1 200 x\r\n\r\n", b"x", "http"),
        (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"x", "https"),
    ],
)
def test_who_answers_a_byte_at_a_time_does_not_hold_us_up(said: bytes, endlessly: bytes, scheme: str) -> None:
    """Each read has its byte long before any time-out of the socket."""
    with saying(said, endlessly) as port, pytest.raises(Unanswered, match=r"it took more than 0\.7 seconds"):
        asked(port, 0.7, 10**6, scheme)


def test_nor_does_a_mail_server() -> None:
    with saying(b"220 ", b"x", asked=False) as port, deadline(0.7) as ending:
        with pytest.raises(smtplib.SMTPServerDisconnected), Mailing(ending, "127.0.0.1", port, LONG) as server:
            server.helo()
        assert ending.said == "it took more than 0.7 seconds"
    with saying(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"x") as port, deadline(0.7) as ending:
        with pytest.raises(OSError, match=r"EOF|closed"):
            EncryptedMailing(ending, "127.0.0.1", port, LONG, ssl.create_default_context())
        assert ending.said


def test_a_connection_that_comes_too_late_is_ended_at_once() -> None:
    with saying(b"220 ", b"x", asked=False) as port, deadline(0.01) as ending:
        while not ending.said:
            time.sleep(0.01)
        with pytest.raises(smtplib.SMTPServerDisconnected), Mailing(ending, "127.0.0.1", port, LONG) as server:
            server.helo()


def test_nothing_is_said_of_time_that_was_enough() -> None:
    with deadline(LONG) as ending:
        assert not ending.said
