"""A server of gitupd's listeners in the test's own process, whose application tells what it was told of a request."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop

from gitupd.listeners import Address, Listener
from gitupd.store.certificates.server import make_server_certificate
from gitupd.web.asgi.counters import Counters
from gitupd.web.listening import listen_at
from gitupd.web.server import ListeningServer
from gitupd.web.tls.files import TlsFiles
from support.authorities import NOW
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gitupd.settings import Settings
    from gitupd.web.listening import Listening
    from support.authorities import Files, Issued


async def telling(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with what the scope says of who asks, or with as many bytes as the path is a number."""
    while (await receive()).get("more_body"):
        pass
    size = scope["path"].strip("/")
    if size.isdigit():
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", size.encode())]})
        left = int(size)
        while left:
            part = min(left, 65536)
            left -= part
            await send({"type": "http.response.body", "body": b"x" * part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    listener = scope["gitupd.listener"]
    said = {
        "scheme": scope["scheme"],
        "client": scope["client"],
        "listener": listener.client_certificates,
        "certificates": [each.hex() for each in scope["gitupd.certificates"]],
    }
    body = json.dumps(said).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Workers:
    """Servers that listen at the same ports, each in a thread, as workers do in processes of their own."""

    def __init__(self, servers: Sequence[ListeningServer], ports: Sequence[int], files: Sequence[TlsFiles]) -> None:
        self.servers, self.ports, self.files = servers, ports, files

    def stop(self) -> None:
        for server in self.servers:
            server.should_exit = True


@contextmanager
def shaking(site: Path, settings: Settings, *listeners: Listener, workers: int = 1) -> Iterator[Workers]:
    """Serve *listeners* while the block runs, with a certificate made for *site* if there is none."""
    pair = settings.tls.first
    if not (site / pair.certificate).exists():
        make_server_certificate(site / pair.certificate, site / pair.key, NOW)
    columns = listen_at(listeners, workers)
    files = [TlsFiles(settings.tls, site) for _ in columns]
    servers = [_server(settings, *each) for each in zip(columns, files, strict=True)]
    threads = [
        threading.Thread(target=_run, args=(server, [each.socket for each in listening]))
        for server, listening in zip(servers, columns, strict=True)
    ]
    for thread in threads:
        thread.start()
    running = Workers(servers, [each.listener.address.port for each in columns[0]], files)
    until(lambda: all(server.started for server in servers))
    try:
        yield running
    finally:
        running.stop()
        for thread in threads:
            thread.join(PATIENCE)


def _server(settings: Settings, listening: Sequence[Listening], files: TlsFiles) -> ListeningServer:
    config = uvicorn.Config(telling, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=5)
    return ListeningServer(config, settings, listening, files, Counters(1).take(0))


def _run(server: ListeningServer, sockets: list[socket.socket]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server._serve(sockets))


def client(shown: Files | None = None) -> ssl.SSLContext:
    """Return a client's context that believes any server, and shows a certificate if asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


KINDS = ("none", "asked", "demanded")


def listener(kind: str) -> Listener:
    return Listener(Address("127.0.0.1", 0), tls=True, client_certificates=kind)


@dataclass(frozen=True)
class Port:
    """A site with one authority, listeners by what they ask of clients, and certificates by what they are."""

    site: Path
    workers: Workers
    issued: Mapping[str, Issued]
    files: Mapping[str, Files]

    def port(self, kind: str) -> int:
        return self.workers.ports[KINDS.index(kind)]
