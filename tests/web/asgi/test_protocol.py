"""Each state of a connection has a clock and a bound (docs/explanation/connections.md)."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from support.serving import PATIENCE, Server, serving

from gitupd.web.asgi.offenders import MOST_OFFENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

SECONDS = 1.5
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
FORM = b"POST /healthz HTTP/1.1\r\nHost: x\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
LARGE_FILE = b"GET /fw/1/large.bin HTTP/1.1\r\nHost: x\r\n"
MANY = 2_000_000

STATES = {
    "nothing was sent": (b"", b""),
    "half a head": (b"", GET),
    "answered": (GET + b"\r\n", b""),
    "answered, and a blank line": (GET + b"\r\n", b"\r\n"),
    "answered, and half a head": (GET + b"\r\n", GET),
    "answered, and a body is owed": (FORM + b"Content-Length: 9999\r\n\r\n", b"x"),
    "answered, and half a chunk header": (FORM + CHUNKS, b"5;"),
    "answered, and half a chunk": (FORM + CHUNKS, b"5\r\nxx"),
    "answered, and half a trailer field": (FORM + CHUNKS, b"0\r\nx: y"),
    "answered, and no trailer field": (FORM + CHUNKS, b"0\r\n"),
    "refused, and a body is owed": (b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"x"),
    "refused by method": (b"DELETE /update.php HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", b"x"),
    "refused without log-in": (b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", b"x"),
    "asked to change the protocol": (GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"x"),
    "asked for a tunnel": (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", b"x"),
}
"""What is sent, and what is sent once that was answered."""

FLOODS = {
    "a request line": (b"", b"GET /" + b"a" * MANY),
    "header fields": (GET, b"x: y\r\n" * (MANY // 6)),
    "a header field's value": (GET + b"x: ", b"y" * MANY),
    "blank lines": (GET + b"\r\n", b"\r\n" * (MANY // 2)),
    "trailer fields": (FORM + CHUNKS + b"0\r\n", b"x: y\r\n" * (MANY // 6)),
    "a trailer field's value": (FORM + CHUNKS + b"0\r\nx: ", b"y" * MANY),
    "a chunk's extension": (FORM + CHUNKS + b"5;x=", b"y" * MANY),
    "a body that is owed": (FORM + b"Content-Length: 99999999\r\n\r\n", b"x" * MANY),
    "chunks that are owed": (FORM + CHUNKS, b"1\r\nx\r\n" * MANY),
    "requests": (b"", (GET + b"\r\n") * (MANY // 36)),
    "requests behind one that is under way": (LARGE_FILE + b"\r\n", (GET + b"\r\n") * (MANY // 36)),
    "large heads in a row": (b"", (GET + b"x: " + b"y" * 20_000 + b"\r\n\r\n") * 8),
    "the other protocol": (GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"x" * MANY),
}
"""The beginning of what is sent, and of what there is no end."""


@pytest.fixture(scope="module")
def hasty(site: Site) -> Iterator[Server]:
    """A server with short clocks, and with a file that fits into no buffer."""
    folder = site.path / "firmware" / "1"
    folder.mkdir(exist_ok=True)
    (folder / "large.bin").write_bytes(b"x" * 32 * 2**20)
    with serving(site.path, request_seconds=str(SECONDS)) as running:
        running.ready()
        yield running


@contextmanager
def connection(server: Server, room: int | None = None, address: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Connect from *address*; *room* is how many bytes the system takes for a client that does not read."""
    with socket.socket() as opened:
        if room is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        opened.settimeout(PATIENCE)
        opened.bind((address, 0))
        opened.connect(("127.0.0.1", server.port))
        yield opened


def seconds_until_closed(client: socket.socket, *, reading: bool = True) -> float:
    """Return after how long the server has closed; a client that isn't *reading* finds out by what it sends."""
    started = time.monotonic()
    try:
        if reading:
            while client.recv(65536):
                pass
        else:
            while time.monotonic() - started < PATIENCE:
                client.send(b"\r\n")
                time.sleep(0.1)
    except ConnectionError:
        pass
    return time.monotonic() - started


def answer(client: socket.socket) -> bytes:
    """Ask, and return the beginning of the answer, empty if the connection is closed instead."""
    try:
        client.sendall(GET + b"\r\n")
        return client.recv(65536)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_clock(hasty: Server, state: str) -> None:
    request, more = STATES[state]
    with connection(hasty) as client:
        client.sendall(request)
        if request:
            client.recv(65536)
        client.sendall(more)
        assert seconds_until_closed(client) < 10 * SECONDS


@pytest.mark.parametrize("dripped", [b"\r\n", b"x"])
def test_no_clock_is_stopped_by_what_begins_no_request(hasty: Server, dripped: bytes) -> None:
    request = GET + b"\r\n" if dripped == b"\r\n" else FORM + b"Content-Length: 9999\r\n\r\n"
    with connection(hasty) as client:
        client.sendall(request)
        client.recv(65536)
        started = time.monotonic()
        client.settimeout(0.2)
        while time.monotonic() - started < PATIENCE:
            try:
                client.sendall(dripped)
                if not client.recv(1000):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert time.monotonic() - started < 10 * SECONDS


@pytest.mark.parametrize(
    "request_bytes",
    [
        LARGE_FILE + b"\r\n",
        LARGE_FILE + b"Connection: close\r\n\r\n",
        (LARGE_FILE + b"\r\n") * 3,
        b"GET /bootstrap/static/css/bootstrap.min.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=["a file", "a file and no more", "files in a row", "what fits into the buffer"],
)
def test_who_does_not_read_is_let_go(hasty: Server, request_bytes: bytes) -> None:
    with connection(hasty, room=2048) as client:
        client.sendall(request_bytes)
        assert seconds_until_closed(client, reading=False) < 10 * SECONDS


@pytest.mark.parametrize("flood", FLOODS)
def test_every_state_has_a_bound(hasty: Server, flood: str) -> None:
    begin, endless = FLOODS[flood]
    with connection(hasty) as client:
        client.sendall(begin)
        closed = False
        try:
            for _ in range(20):
                client.sendall(endless)
        except ConnectionError:
            closed = True
        assert closed or seconds_until_closed(client) < 10 * SECONDS
    assert hasty.get("/healthz")[0] == 200


@pytest.mark.parametrize("flood", ["requests", "a request line", "trailer fields"])
def test_who_sends_too_much_again_and_again_is_left_alone(site: Site, flood: str) -> None:
    begin, endless = FLOODS[flood]
    with serving(site.path) as server:
        server.ready()
        for _ in range(MOST_OFFENCES):
            with connection(server, address="127.0.0.3") as client, suppress(ConnectionError):
                client.sendall(begin + endless)
                seconds_until_closed(client)
        with connection(server, address="127.0.0.3") as client:
            assert answer(client) == b""
        assert server.get("/healthz")[0] == 200


def test_a_few_requests_in_a_row_are_answered_in_order(hasty: Server) -> None:
    with connection(hasty) as client:
        client.sendall((GET + b"\r\n") * 4 + GET + b"Connection: close\r\n\r\n")
        received = b""
        while part := client.recv(65536):
            received += part
    assert received.count(b"HTTP/1.1 200 OK") == 5


def test_who_goes_while_requests_wait_holds_no_page(site: Site) -> None:
    """With as many as there are threads for pages, in the middle of answers and in front of further ones."""
    page = (
        b"GET /bootstrap/static/css/bootstrap.min.css HTTP/1.1\r\nHost: x\r\n\r\nGET /login HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    with serving(site.path) as server:
        with ExitStack() as stack:
            for _ in range(24):
                stack.enter_context(connection(server, room=2048)).sendall(page * 4)
            assert server.get("/login")[0] == 200
        for _ in range(12):
            assert server.get("/login")[0] == 200


def test_who_holds_all_connections_keeps_nobody_out(site: Site) -> None:
    with (
        serving(site.path, connections="40", connections_per_address="20", request_seconds="600") as server,
        ExitStack() as stack,
    ):
        for _ in range(100):
            stack.enter_context(connection(server)).sendall(GET)
        for _ in range(10):
            assert server.get("/healthz")[0] == 200


def test_a_client_that_is_slow_and_goes_on_is_served_whole(hasty: Server) -> None:
    with connection(hasty, room=65536) as client:
        client.sendall(LARGE_FILE + b"Range: bytes=0-3000000\r\nConnection: close\r\n\r\n")
        received = 0
        while part := client.recv(20_000):
            received += len(part)
            time.sleep(0.02)
    assert received > 3_000_000
