"""A small HTTP server that writes down what arrives: behind a proxy, or over TLS of its own."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message


@dataclass(frozen=True)
class Arrival:
    """One request."""

    method: str
    path: str
    headers: Message
    body: bytes
    certificate: bytes | None
    """Which the client showed in TLS, in DER."""
    name: str | None
    """Which the client said in TLS that it wants."""
    resumed: bool


class Recorder(ThreadingHTTPServer):
    """Answers each request with `script`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.tls = tls
        self.script = b"# nothing to do\r\n"
        self.arrivals: list[Arrival] = []
        self.refused: list[str] = []
        """Why handshakes failed."""
        if tls is not None:
            tls.sni_callback = lambda connection, name, _: setattr(connection, "wanted", name)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str = "/update.php", host: str = "127.0.0.1") -> str:
        return f"{'http' if self.tls is None else 'https'}://{host}:{self.port}{path}"

    def handle_error(self, *_: object) -> None:
        """Be silent about clients that hang up."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder
    connection: Any

    def setup(self) -> None:
        if self.server.tls is not None:
            self.request.settimeout(PATIENCE)
            try:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            except OSError as error:
                self.server.refused.append(str(error))
                raise
        super().setup()

    def finish(self) -> None:
        super().finish()
        if self.server.tls is not None:
            self.request.close()

    def do_GET(self) -> None:
        self.answer(b"")

    def do_PUT(self) -> None:
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline() or b"0", 16):
                body += self.rfile.read(size + 2)[:size]
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(body)

    def answer(self, body: bytes) -> None:
        secure = isinstance(self.connection, ssl.SSLSocket)
        certificate = self.connection.getpeercert(binary_form=True) if secure else None
        resumed = bool(secure and self.connection.session_reused)
        name = getattr(self.connection, "wanted", None)
        arrival = Arrival(self.command, self.path, self.headers, body, certificate, name, resumed)
        self.server.arrivals.append(arrival)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.script)))
        self.end_headers()
        self.wfile.write(self.server.script)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def recording(tls: ssl.SSLContext | None = None) -> Iterator[Recorder]:
    """Record while the block runs."""
    with Recorder(tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
