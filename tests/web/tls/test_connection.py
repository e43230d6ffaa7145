"""The handshake is a state with a clock and a bound (docs/explanation/connections.md); then all is as without TLS."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
import struct
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from support.authorities import Authority, self_signed
from support.serving import PATIENCE
from support.shaking import client, listener, shaking
from support.waiting import until

from gitupd.settings import Settings
from gitupd.web.asgi.conclusion import HandshakeEnd
from gitupd.web.tls.connection import LARGEST_HANDSHAKE

if TYPE_CHECKING:
    from pathlib import Path

    from support.authorities import Issued
    from support.shaking import Port

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def hello(**options: object) -> bytes:
    """Return the first flight of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking_hands = client().wrap_bio(incoming, outgoing, **options)
    with suppress(ssl.SSLWantReadError):
        shaking_hands.do_handshake()
    return outgoing.read()


def rest(opened: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while data := opened.recv(65536):
            received += data
    return received


HELLO = hello()
GIANT = b"\x16\x03\x01\x40\x00" + b"\x01\x02\x00\x00" + b"\x03\x03" + b"x" * (0x4000 - 6)
BEGINNINGS = {
    "nothing": b"",
    "a byte": HELLO[:1],
    "half a record's head": HELLO[:4],
    "half a hello": HELLO[:100],
    "a hello, and no more": HELLO,
    "a hello without end": GIANT * 3,
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_handshake_has_a_clock(tls: Port, beginning: str) -> None:
    with connect(tls.port("asked")) as opened:
        opened.sendall(BEGINNINGS[beginning])
        rest(opened)  # which the server ends


def test_what_drips_in_stops_no_clock(tls: Port) -> None:
    with connect(tls.port("none")) as opened:
        for byte in HELLO[:-1] * 100:
            try:
                opened.sendall(bytes([byte]))
                opened.settimeout(0.05)
                if not opened.recv(1):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
        pytest.fail("a handshake may take for ever")


@pytest.mark.parametrize(
    "flood",
    [GIANT * 200, os.urandom(2_000_000), b"\x16" + os.urandom(2_000_000), b"\x16\x03\x01\xff\xff" + b"x" * 2_000_000],
    ids=["a hello without end", "noise", "noise that begins well", "a record without end"],
)
def test_a_handshake_is_bounded(tls: Port, flood: bytes) -> None:
    with connect(tls.port("asked")) as opened, pytest.raises(ConnectionError):  # noqa: PT012 - it takes some
        while True:
            opened.sendall(flood)


def shows(folder: Path, issued: Issued, der: bytes) -> ssl.SSLContext:
    """Return a client that shows *der*, which has the key of *issued*."""
    files = issued.files(folder)
    files.certificate.write_text(ssl.DER_cert_to_PEM_cert(der))
    return client(files)


ODD = self_signed("AAAABBBBCCCC")
ODDITIES = {
    "a name with bytes that are no letters": ODD.der.replace(
        b"\x0c\x0cAAAABBBBCCCC", b"\x16\x0cAA\xff\xffBB\xfe\xff\xc0\x80C\x00"
    ),
    "a version that is none": ODD.der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", 1),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_an_odd_certificate_is_told_of_also_in_a_session_that_is_resumed(
    tls: Port, tmp_path: Path, oddity: str
) -> None:
    context, session = shows(tmp_path, ODD, ODDITIES[oddity]), None
    for is_resumed in (False, True):
        with context.wrap_socket(connect(tls.port("asked")), session=session) as stream:
            stream.sendall(LAST)
            assert ODDITIES[oddity].hex().encode() in rest(stream)
            assert stream.session_reused is is_resumed
            session = stream.session


def test_certificates_without_end_are_not_kept(tls: Port, tmp_path: Path) -> None:
    authority = Authority.root()
    shown = authority.device("x", purposes=tuple(x509.ObjectIdentifier(f"1.3.6.{number}") for number in range(2_000)))
    endless = replace(shown, chain=tuple(authority.issuing(str(number)).issued.certificate for number in range(70)))
    assert sum(map(len, endless.presented)) > LARGEST_HANDSHAKE
    with (
        connect(tls.port("asked")) as opened,
        suppress(OSError),
        client(endless.files(tmp_path)).wrap_socket(opened) as s,
    ):
        s.sendall(LAST)
        assert rest(s) == b""


@pytest.mark.parametrize("request_bytes", [GET, b"GET /update.php HTTP/1.0\r\n\r\n", b"PUT / HTTP/1.1\r\n"])
def test_who_speaks_plain_http_is_told_so(tls: Port, request_bytes: bytes) -> None:
    with connect(tls.port("demanded")) as opened:
        opened.sendall(request_bytes)
        answer = rest(opened)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert body == b"This port speaks HTTPS, and no HTTP."
    assert int(re.search(rb"content-length: (\d+)", head)[1]) == len(body)


def test_who_speaks_something_else_is_told_nothing(tls: Port) -> None:
    with connect(tls.port("none")) as opened:
        opened.sendall(b"\x80\x2e\x01\x00\x02")
        assert rest(opened) == b""


def wrapped(tls: Port, kind: str = "none", context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    return (context or client()).wrap_socket(connect(tls.port(kind)), suppress_ragged_eofs=False)


def test_an_answer_ends_with_a_goodbye(tls: Port) -> None:
    with wrapped(tls) as opened:
        opened.sendall(LAST)
        received = b""
        while data := opened.recv(65536):  # would raise if the stream were cut off
            received += data
    assert received.startswith(b"HTTP/1.1 200 ")


def test_a_goodbye_is_answered_with_one(tls: Port) -> None:
    with wrapped(tls) as opened:
        opened.sendall(GET)
        assert opened.recv(65536).startswith(b"HTTP/1.1 200 ")
        opened.unwrap().close()


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 5_000_000])
def test_large_answers_come_whole(tls: Port, size: int) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", tls.port("asked"), context=client(), timeout=PATIENCE)
    for _ in range(2):
        connection.request("GET", f"/{size}")
        assert connection.getresponse().read() == b"x" * size
    connection.close()


@pytest.mark.parametrize("size", [1, 16_384, 100_000, 3_000_000])
def test_large_uploads_come_whole(tls: Port, size: int) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", tls.port("asked"), context=client(), timeout=PATIENCE)
    for _ in range(2):
        connection.request("PUT", "/", b"x" * size)
        assert json.loads(connection.getresponse().read())["scheme"] == "https"
    connection.close()


def test_an_upload_may_come_with_the_last_of_the_handshake(tls: Port) -> None:
    """As large as it likes: the bound of the handshake is none of what follows."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking_hands = client().wrap_bio(incoming, outgoing)
    body = b"x" * 400_000
    with connect(tls.port("none")) as opened:
        while True:
            try:
                shaking_hands.do_handshake()
                break
            except ssl.SSLWantReadError:
                opened.sendall(outgoing.read())
                incoming.write(opened.recv(65536))
        shaking_hands.write(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 16_000):
            shaking_hands.write(body[start : start + 16_000])
        opened.sendall(outgoing.read())
        answer = b""
        while b"https" not in answer:
            try:
                answer += shaking_hands.read(65536)
            except ssl.SSLWantReadError:
                data = opened.recv(65536)
                assert data, answer
                incoming.write(data)


@pytest.mark.parametrize("kept", [-1, -20, 10])
def test_a_record_that_is_cut_off_is_no_request(tls: Port, kept: int) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking_hands = client().wrap_bio(incoming, outgoing)
    with connect(tls.port("none")) as opened:
        while True:
            try:
                shaking_hands.do_handshake()
                break
            except ssl.SSLWantReadError:
                opened.sendall(outgoing.read())
                incoming.write(opened.recv(65536))
        opened.sendall(outgoing.read())
        shaking_hands.write(LAST)
        opened.sendall(outgoing.read()[:kept])
        opened.shutdown(socket.SHUT_WR)
        incoming.write(rest(opened))
        with suppress(ssl.SSLError):
            assert b"HTTP" not in shaking_hands.read(65536)


def test_a_record_that_is_forged_ends_the_connection(tls: Port) -> None:
    with wrapped(tls) as opened:
        opened.sendall(GET)
        assert opened.recv(65536)
        raw = socket.socket(fileno=os.dup(opened.fileno()))
        raw.settimeout(PATIENCE)
        raw.sendall(b"\x17\x03\x03\x00\x40" + b"x" * 0x40)
        rest(raw)
        raw.close()


def test_who_does_not_read_is_waited_for_only_so_long(tls: Port) -> None:
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(PATIENCE)
        raw.connect(("127.0.0.1", tls.port("none")))
        with client().wrap_socket(raw) as opened:
            opened.sendall(b"GET /500000000 HTTP/1.1\r\nHost: x\r\n\r\n")
            started = time.monotonic()
            with pytest.raises((ConnectionError, ssl.SSLError)):  # noqa: PT012 - as above
                while time.monotonic() - started < PATIENCE:
                    opened.send(b"\r\n")
                    time.sleep(0.1)


def test_no_client_begins_a_handshake_anew(tls: Port) -> None:
    """Each would cost the server a hundred times what it costs the client."""
    import subprocess  # noqa: PLC0415 - nobody else here needs it

    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{tls.port('none')}", "-tls1_2", "-legacy_renegotiation"]
    shell = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(0.5)
    said, _ = shell.communicate(b"R\n", timeout=PATIENCE)
    assert b"RENEGOTIATING" in said
    assert b"no renegotiation" in said


def test_http_1_is_what_is_agreed_upon(tls: Port) -> None:
    context = client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with wrapped(tls, context=context) as opened:
        assert opened.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(tls: Port, version: ssl.TLSVersion) -> None:
    context = client()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionError)):
        wrapped(tls, context=context)


def test_a_server_that_stops_lets_handshakes_end_and_questions_be_asked(tmp_path: Path) -> None:
    with shaking(tmp_path, Settings(), listener("none")) as workers:
        (port,) = workers.ports
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        shaking_hands = client().wrap_bio(incoming, outgoing)
        with suppress(ssl.SSLWantReadError):
            shaking_hands.do_handshake()
        with connect(port) as opened:
            until(lambda: workers.servers[0].server_state.connections)
            workers.stop()
            until(lambda: any(c._is_last for c in workers.servers[0].server_state.connections))
            opened.sendall(outgoing.read())
            while True:
                incoming.write(opened.recv(65536))
                try:
                    shaking_hands.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    opened.sendall(outgoing.read())
            shaking_hands.write(GET)
            opened.sendall(outgoing.read())
            incoming.write(rest(opened))
            assert b"200 OK" in shaking_hands.read(65536)


def test_connections_that_are_reset_leave_nothing_behind(tls: Port) -> None:
    for beginning in (b"", HELLO[:50], HELLO):
        opened = connect(tls.port("asked"))
        opened.sendall(beginning)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        opened.close()
    server = tls.workers.servers[0]
    until(lambda: not server.server_state.connections and not len(server._connections))


def test_addresses_are_bounded_before_any_handshake(tmp_path: Path) -> None:
    with shaking(tmp_path, Settings(connections_per_address=3), listener("asked")) as workers:
        opened = [connect(workers.ports[0]) for _ in range(5)]
        with suppress(ConnectionError):
            assert [each.recv(1) for each in opened[:2]] == [b"", b""]  # who has waited longest makes room
        with client().wrap_socket(opened[4]) as encrypted:
            encrypted.sendall(LAST)
            assert encrypted.recv(65536).startswith(b"HTTP/1.1 200 ")
        for each in opened[:4]:
            each.close()


def test_what_becomes_of_handshakes_is_counted(tls: Port) -> None:
    sheet = tls.workers.servers[0]._sheet
    before = {ended: sheet["handshakes", ended] for ended in HandshakeEnd}

    def counted(ended: HandshakeEnd, count: int = 1) -> bool:
        return sheet["handshakes", ended] == before[ended] + count

    with wrapped(tls, "none"):
        until(lambda: counted(HandshakeEnd.COMPLETE))
    with connect(tls.port("none")) as opened:
        opened.sendall(GET)
        until(lambda: counted(HandshakeEnd.PLAIN))
    with connect(tls.port("none")) as opened:
        opened.sendall(b"\x16\x03\x01\x00\x05hello")
        until(lambda: counted(HandshakeEnd.FAILED))
    with suppress(ssl.SSLError, ConnectionError), wrapped(tls, "demanded") as encrypted:
        encrypted.recv(1)
    until(lambda: counted(HandshakeEnd.REFUSED))
    with connect(tls.port("none")):
        until(lambda: counted(HandshakeEnd.LATE))
