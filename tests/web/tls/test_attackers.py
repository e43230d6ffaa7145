"""Hundreds of clients that hold their connections keep no device out, with and without TLS, and take bounded memory."""

from __future__ import annotations

import http.client
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.serving import PATIENCE, Server, serving
from support.shaking import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

MANY = 400
FILES = 1024
POLLS = 60
GROWTH = 80  # MiB
POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0&env=default"
HALF = b"GET /update.php HTTP/1.1\r\nHost: x\r\n"
BODY = (
    b"PUT /update.php?mode=backup&sn=00-90-33-30-00-af HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx"
)
UNREAD = b"GET /bootstrap/static/css/bootstrap.min.css HTTP/1.1\r\nHost: x\r\n\r\n" * 4
KINDS = {
    "send nothing": (0, b"", False),
    "send half a head": (0, HALF, False),
    "send a body slowly": (0, BODY, False),
    "read nothing": (0, UNREAD, False),
    "send nothing for a handshake": (1, b"", False),
    "send half a handshake": (1, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", False),
    "send half a head by TLS": (1, HALF, True),
    "send a body slowly by TLS": (1, BODY, True),
    "read nothing by TLS": (1, UNREAD, True),
}
"""By which port, what is sent, and whether the handshake ends."""


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    """With clocks that end nobody while a test runs, and the usual limit of open files."""
    options = ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]
    with serving(site.path, workers=2, options=options, files=FILES, request_seconds="600") as running:
        running.ready()
        yield running


def attack(server: Server, kind: str) -> socket.socket:
    port, sent, shakes = KINDS[kind]
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.settimeout(PATIENCE)
    opened.connect(("127.0.0.1", server.ports[port]))
    if shakes:
        opened = client().wrap_socket(opened)
    opened.sendall(sent)
    return opened


def poll(server: Server, port: int) -> int:
    """Ask as a device, on a connection of its own, and return the status."""
    make = (http.client.HTTPConnection, http.client.HTTPSConnection)[port]
    more = {"context": client()} if port else {}
    connection = make("127.0.0.1", server.ports[port], timeout=PATIENCE, **more)
    try:
        connection.request("GET", POLL)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def memory(server: Server) -> int:
    """Return what the largest process holds, in MiB."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in server.children()]
    return max(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) // 1024 for text in texts)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_devices_are_answered_while_many(server: Server, kind: str) -> None:
    for port in (0, 1):
        assert poll(server, port) == 200
    before, processes = memory(server), server.children()
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(attack(server, kind))
        assert [poll(server, number % 2) for number in range(POLLS)] == [200] * POLLS
        assert memory(server) - before < GROWTH
    assert server.children() == processes
    assert "Traceback" not in server.log.read_text()
