import asyncio
import itertools
import shutil
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.ports import free_port
from support.waiting import until

from gitupd.emulator.client import Network, Session, local_address, parse_target
from gitupd.emulator.exchange import Failure, Purpose, Request, Response

_PATIENCE = 30.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@dataclass
class Received:
    """One request, byte by byte."""

    connection: int
    head: str
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = True

    @property
    def first_line(self) -> str:
        return self.head.split("\r\n")[0]


class Wire(socketserver.ThreadingTCPServer):
    """A server that writes down what arrives, and answers with given bytes."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WireConversation)
        self.received: list[Received] = []
        self.answers: list[bytes] = []
        """One for each request, the last for all that follow; an empty one closes the connection."""
        self.numbers = itertools.count(1)
        self.answer_early = False
        self.answering_at_once = threading.Barrier(1)
        """So many requests must be there before any is answered."""
        self.silent = False
        self.ended = threading.Event()

    def url(self, path: str = "/u") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        until(lambda: len(self.received) >= count, lambda: self.received)

    def next_answer(self) -> bytes:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class WireConversation(socketserver.StreamRequestHandler):
    server: Wire

    def handle(self) -> None:
        number = next(self.server.numbers)
        while (received := self.read_request(number)) is not None:
            self.server.received.append(received)
            self.server.answering_at_once.wait(_PATIENCE)
            if self.server.silent:
                self.server.ended.wait()
                return
            answer = self.server.next_answer() if received.complete else b""
            self.wfile.write(answer)
            if not answer or b"\r\n\r\n" not in answer or b"Length" not in answer + b"chunked":
                return
            if b"Connection: close" in answer or (b"Length" not in answer and b"chunked" not in answer):
                return

    def read_request(self, number: int) -> Received | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return None
            head += line
        received = Received(number, head.decode())
        if b"chunked" in head and not self.server.answer_early:
            received.complete = self.read_chunks(received)
        return received

    def read_chunks(self, received: Received) -> bool:
        while line := self.rfile.readline():
            if not (size := int(line, 16)):
                return self.rfile.readline() == b"\r\n"
            received.chunks.append(self.rfile.read(size))
            assert self.rfile.readline() in (b"\r\n", b"")
        return False


@contextmanager
def running(server: Wire) -> Iterator[Wire]:
    server.answers = [OK]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as server, running(server):
        yield server


def ask(*requests: Request, timeout: float = _PATIENCE) -> list[Response | Failure]:
    """Make requests one after the other in one session."""

    async def run() -> list[Response | Failure]:
        session = Session(Network(time.monotonic, timeout=timeout, slow_delay=0.01))
        replies = [await session.ask(request) for request in requests]
        await session.close()
        return replies

    return asyncio.run(run())


def get(url: str, purpose: Purpose = Purpose.POLL, copies: int = 1) -> Request:
    return Request(purpose, "GET", url, copies=copies)


def put(url: str, chunks: Sequence[bytes], cut_after: int | None = None, *, slow: bool = False) -> Request:
    return Request(Purpose.UPLOAD, "PUT", url, tuple(chunks), cut_after, slow)


def test_requests_share_a_connection(wire: Wire) -> None:
    first, second = ask(get(wire.url("/a?x=1#y")), get(wire.url("?b")))
    assert first == second == Response(200, {"content-length": "2"}, b"hi", 2)
    assert [(one.connection, one.first_line) for one in wire.received] == [
        (1, "GET /a?x=1#y HTTP/1.1"),
        (1, "GET /?b HTTP/1.1"),
    ]
    assert f"Host: 127.0.0.1:{wire.server_address[1]}\r\n" in wire.received[0].head


def test_an_upload_arrives_in_the_chunks_it_was_cut_into(wire: Wire) -> None:
    text = "Büro".encode()
    (reply,) = ask(put(wire.url(), [text[:2], text[2:], b"", b"x" * 5000]))
    assert reply == Response(200, {"content-length": "2"}, b"hi", 2)
    (received,) = wire.received
    assert received.chunks == [b"B\xc3", b"\xbcro", b"x" * 5000]
    assert received.complete
    assert "Transfer-Encoding: chunked\r\n" in received.head
    assert "Content-Length" not in received.head


def test_an_empty_upload_is_complete(wire: Wire) -> None:
    ask(put(wire.url(), []))
    assert (wire.received[0].chunks, wire.received[0].complete) == ([], True)


def test_a_cut_upload_ends_in_the_middle(wire: Wire) -> None:
    cut, after = ask(put(wire.url(), [b"a", b"b", b"c"], cut_after=2), get(wire.url()))
    assert isinstance(cut, Failure)
    assert isinstance(after, Response)
    wire.wait_for(2)  # the device waits for no answer to what it cuts, so that this may be the last to arrive
    assert sorted((one.chunks, one.complete) for one in wire.received) == [([], True), ([b"a", b"b"], False)]
    assert len({one.connection for one in wire.received}) == 2


def test_slow_requests_arrive_whole(wire: Wire) -> None:
    ask(put(wire.url(), [b"abc" * 100], slow=True))
    assert wire.received[0].chunks == [b"abc" * 100]


def test_copies_overlap(wire: Wire) -> None:
    wire.answering_at_once = threading.Barrier(3)
    (reply,) = ask(get(wire.url(), copies=3))
    assert reply == Response(200, {"content-length": "2"}, b"hi", 2)
    assert sorted(one.connection for one in wire.received) == [1, 2, 3]


def test_an_early_answer_to_a_large_upload_is_heard(wire: Wire) -> None:
    wire.answer_early = True
    wire.answers = [b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]
    (reply,) = ask(put(wire.url(), [b"x" * 4096] * 10_000))
    assert isinstance(reply, Response | Failure)
    if isinstance(reply, Response):
        assert reply.status == 413
    else:  # the system may drop what a closing server said last
        assert reply.kind == "connection lost"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n", b"abcde"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"hi"),
    ],
)
def test_bodies_are_read_however_they_are_framed(wire: Wire, answer: bytes, body: bytes) -> None:
    wire.answers = [answer]
    replies = ask(get(wire.url()), get(wire.url()))
    assert [isinstance(reply, Response) and reply.body for reply in replies] == [body, body]


def test_firmware_is_counted_and_not_kept(wire: Wire) -> None:
    (reply,) = ask(get(wire.url(), Purpose.FIRMWARE))
    assert reply == Response(200, {"content-length": "2"}, b"", 2)


def test_a_server_may_close_a_connection_between_requests(wire: Wire) -> None:
    wire.answers = [OK + b"", b"", OK]
    first, second = ask(get(wire.url()), get(wire.url()))
    assert first == second
    assert [one.connection for one in wire.received] == [1, 1, 2]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "connection lost"),
        (b"hello\r\n\r\n", "bad answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "bad answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "bad answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "bad answer"),
        (CHUNKED + b"-1\r\n", "bad answer"),
    ],
)
def test_what_is_no_answer_is_a_failure(wire: Wire, answer: bytes, kind: str) -> None:
    wire.answers = [answer]
    (reply,) = ask(get(wire.url()))
    assert isinstance(reply, Failure)
    assert reply.kind == kind


def test_a_silent_server_is_given_up(wire: Wire) -> None:
    wire.silent = True
    (reply,) = ask(get(wire.url()), timeout=0.1)
    assert reply == Failure("timeout", "the server did not answer in time")


def test_nobody_listens() -> None:
    (reply,) = ask(get(f"http://127.0.0.1:{free_port()}/"))
    assert isinstance(reply, Failure)
    assert reply.kind == "refused"


@pytest.mark.parametrize(
    "url", ["", "ftp://h/", "http:///x", "http://h:99999/", "http://h/ü", "http://h/a b", "http://[/"]
)
def test_what_is_no_url_is_a_failure(url: str) -> None:
    (reply,) = ask(get(url))
    assert isinstance(reply, Failure)
    assert reply.kind == "bad URL"


def test_targets() -> None:
    target = parse_target("HTTPS://user@[::1]/a?b")
    assert (target.secure, target.host, target.port, target.authority, target.path) == (
        True,
        "::1",
        443,
        "[::1]",
        "/a?b",
    )
    assert local_address("http://127.0.0.1:1/") == "127.0.0.1"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_any_certificate_of_a_server_will_do(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-subj", "/CN=x", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Wire() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with running(server):
            (reply,) = ask(put(server.url().replace("http:", "https:"), [b"secret"]))
    assert isinstance(reply, Response)
    assert server.received[0].chunks == [b"secret"]


def test_latencies_are_those_of_answered_polls(wire: Wire) -> None:
    seconds = iter(range(100))

    async def run(session: Session) -> None:
        for request in (get(wire.url()), put(wire.url(), [b"x"]), get("nonsense")):
            await session.ask(request)
        await session.close()

    clock: Callable[[], float] = lambda: float(next(seconds))  # noqa: E731 - a clock that ticks whenever it is read
    session = Session(Network(clock))
    asyncio.run(run(session))
    assert session.latencies == [1.0]
