"""A proxy says by the PROXY protocol for whom it has connected: who may, how it is read, and what waits for it."""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.serving import PATIENCE
from support.shaking import Workers, client, shaking

from gitupd.listeners import Address, Listener
from gitupd.settings import Settings
from gitupd.web.tls.proxied import LARGEST, SIGNATURE, MalformedHeader, ProxyHeader, parse_header

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HERE = (ipaddress.ip_network("127.0.0.1"),)


def header(command: int, family: int, rest: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


V4 = header(0x21, 0x11, bytes([192, 0, 2, 7, 10, 0, 0, 1]) + struct.pack("!HH", 40000, 443))
V6 = header(
    0x21, 0x21, ipaddress.ip_address("2001:db8::7").packed * 2 + struct.pack("!HH", 40000, 443) + b"\x04\0\x01x"
)
LOCAL = header(0x20, 0, b"")


def test_addresses_are_those_of_the_client_and_of_where_it_connected() -> None:
    assert parse_header(V4 + b"x") == ProxyHeader(("192.0.2.7", 40000), ("10.0.0.1", 443), len(V4))
    assert parse_header(V6) == ProxyHeader(("2001:db8::7", 40000), ("2001:db8::7", 443), len(V6))
    assert parse_header(LOCAL + b"more") == ProxyHeader(None, None, len(LOCAL))
    assert parse_header(header(0x21, 0, b"abc")) == ProxyHeader(None, None, 19)


@pytest.mark.parametrize("whole", [V4, V6, LOCAL])
def test_a_header_that_is_cut_off_is_waited_for(whole: bytes) -> None:
    for size in range(len(whole)):
        assert parse_header(whole[:size]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 443\r\n",  # version 1
        GET,
        b"\x16\x03\x01",
        header(0x11, 0x11, V4[16:]),
        header(0x22, 0x11, V4[16:]),
        header(0x21, 0x12, V4[16:]),  # UDP
        header(0x21, 0x31, b"\0" * 216),  # a socket of Unix
        header(0x21, 0x11, b"\0" * 11),
        header(0x21, 0x21, b"\0" * 35),
        header(0x21, 0x11, b"\0" * (LARGEST + 1))[:16],
    ],
)
def test_what_is_no_header_for_us_is_refused_at_once(wrong: bytes) -> None:
    with pytest.raises(MalformedHeader):
        parse_header(wrong)


@given(st.binary(max_size=64), st.integers(0, 16))
def test_whatever_comes_is_a_header_or_cut_off_or_malformed(data: bytes, kept: int) -> None:
    try:
        parsed = parse_header(V4[:kept] + data)
    except MalformedHeader:
        return
    assert parsed is None or parsed.size <= 16 + LARGEST


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """A plain listener and one with TLS, both behind a proxy that is trusted."""
    listeners = [Listener(Address("127.0.0.1", 0), tls=tls, proxy_protocol=True) for tls in (False, True)]
    settings = Settings(trusted_proxies=HERE, request_seconds=2)
    with shaking(tmp_path_factory.mktemp("site"), settings, *listeners) as workers:
        yield workers


def answer(client: socket.socket | ssl.SSLSocket) -> bytes:
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionError:
        pass
    return received


def talk(port: int, *parts: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as opened:
        for part in parts:
            opened.sendall(part)
        return answer(opened)


def body(received: bytes) -> dict[str, object]:
    return json.loads(received.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(("sent", "said"), [(V4, "192.0.2.7"), (V6, "2001:db8::7"), (LOCAL, "127.0.0.1")])
def test_the_application_is_told_of_the_client(proxied: Workers, sent: bytes, said: str) -> None:
    assert body(talk(proxied.ports[0], sent + GET))["client"][0] == said
    assert body(talk(proxied.ports[0], *[sent[i : i + 1] for i in range(len(sent))], GET))["client"][0] == said


def test_it_stands_before_tls(proxied: Workers) -> None:
    with socket.create_connection(("127.0.0.1", proxied.ports[1]), timeout=PATIENCE) as opened:
        opened.sendall(V4)
        with client().wrap_socket(opened) as encrypted:
            encrypted.sendall(GET)
            said = body(answer(encrypted))
    assert (said["client"], said["scheme"]) == (["192.0.2.7", 40000], "https")


@pytest.mark.parametrize("sent", [b"", SIGNATURE, V4[:-1], V4, GET, b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n" + GET])
def test_it_has_a_clock(proxied: Workers, sent: bytes) -> None:
    """Whatever is wrong with it, or lacks: the connection is closed, with nothing said."""
    assert talk(proxied.ports[0], sent) == b""


def test_nobody_else_is_believed(tmp_path: pytest.TempPathFactory) -> None:
    listener = Listener(Address("127.0.0.1", 0), proxy_protocol=True)
    with shaking(tmp_path, Settings(trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),)), listener) as workers:
        assert talk(workers.ports[0], V4, GET) == b""
        assert talk(workers.ports[0], GET) == b""


def test_without_the_setting_it_is_no_request(tmp_path: pytest.TempPathFactory) -> None:
    with shaking(tmp_path, Settings(trusted_proxies=HERE), Listener(Address("127.0.0.1", 0))) as workers:
        assert talk(workers.ports[0], V4 + GET).startswith(b"HTTP/1.1 400 ")


def test_addresses_are_bounded_as_the_proxy_tells_them(tmp_path: pytest.TempPathFactory) -> None:
    listener = Listener(Address("127.0.0.1", 0), proxy_protocol=True)
    settings = Settings(trusted_proxies=HERE, connections_per_address=3)
    with shaking(tmp_path, settings, listener) as workers:
        opened = [socket.create_connection(("127.0.0.1", workers.ports[0]), timeout=PATIENCE) for _ in range(5)]
        for each in opened:
            each.sendall(V4)
        assert [each.recv(1) for each in opened[:2]] == [b"", b""]
        assert body(talk(workers.ports[0], V6 + GET))["client"][0] == "2001:db8::7"
        for each in opened:
            each.close()
