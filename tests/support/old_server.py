"""Servers that stand for the one that gitupd replaces: they answer what was recorded, or whatever a test wants."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDED: dict[str, dict[str, dict[str, str]]] = json.loads(
    (Path(__file__).parents[1] / "service/proof/recorded.json").read_text("utf-8")
)
"""Installations, and what the PHP server (build 2033) answered with each to all that a proof asks."""


@dataclass(frozen=True)
class Reply:
    """What such a server answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class OldServerPlayed:
    """Such a server, which remembers what it was asked."""

    reply: Callable[[str, dict[str, str]], Reply]
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/update/update.php"


@contextmanager
def playing(reply: Callable[[str, dict[str, str]], Reply]) -> Iterator[OldServerPlayed]:
    """Answer what *reply* makes of the query, and its arguments, while the block runs."""
    played = OldServerPlayed(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            said = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
            query = "&".join(f"{name}={value}" for name, value in said)
            played.asked.append(query)
            played.headers.append(dict(self.headers.items()))
            answer = played.reply(query, dict(said))
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    played.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def recorded(name: str, **changed: str) -> Iterator[OldServerPlayed]:
    """Answer as the PHP server did with the installation called *name*, with texts *changed* in all that it says."""
    answers = RECORDED[name]["answers"]

    def reply(query: str, _: dict[str, str]) -> Reply:
        host = f"http://127.0.0.1:{played.port}"
        if query not in answers:
            return Reply(f"not recorded: {query}".encode(), 500)
        body = answers[query].replace("{HOST}", host).replace("{HOST_ENC}", quote(host, safe=""))
        for before, after in changed.items():
            body = body.replace(before, after)
        return Reply(body.encode())

    with playing(reply) as played:
        yield played


def install(name: str, folder: Path) -> Path:
    """Write the installation called *name* to *folder*."""
    for path, content in RECORDED[name]["installation"].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode())
    return folder
