"""A process that runs out of files says so in a line, and goes on."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack, suppress
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.serving import PATIENCE, Server, serving
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SAID = "hardly any more files can be opened"


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    options = ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]
    with serving(site.path, workers=1, options=options) as running:
        running.ready()
        yield running


def limit(server: Server, more: int) -> int:
    """Let the worker open so many *more* files than it has open; return its process id."""
    _, worker = server.children()  # the keeper is older
    opened = {int(path.name) for path in Path(f"/proc/{worker}/fd").iterdir()}
    most = next(islice((number for number in count() if number not in opened), more, None))
    _, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (most, hard))
    return worker


def is_answered(port: int) -> bool:
    """Whether a request is answered; one among many that connect at the same moment may not be."""
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as opened:
        opened.sendall(GET)
        return opened.recv(1000).startswith(b"HTTP/1.1 200 ")
    return False


def test_the_last_files_are_not_for_those_who_only_connect(server: Server) -> None:
    worker = limit(server, 48)
    with ExitStack() as stack:
        for number in range(60):
            port = server.ports[number % 2]
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        until(lambda: is_answered(server.ports[0]), "nobody is answered")
        assert server.get("/readyz")[0] == 200
    log = server.log.read_text()
    assert log.count(SAID) == 1
    assert "Traceback" not in log
    assert server.children()[1] == worker


def test_with_none_left_a_process_lives_on(server: Server) -> None:
    worker = limit(server, 0)
    before = server.log.read_text()
    with ExitStack() as stack:

        def is_told() -> bool:
            """Connect once more, for files that were open a moment ago may have made room, and look at the log."""
            port = server.ports[0]
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            return any(text in server.log.read_text() for text in (SAID, "Too many open files"))

        until(is_told, "nobody says so")
    resource.prlimit(worker, resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
    until(lambda: is_answered(server.ports[0]), "nobody is answered")
    said = server.log.read_text()[len(before) :]
    assert "Traceback" not in said
    assert server.children()[1] == worker
