"""A small HTTP/1.1 client, for one device.

It sends uploads in exactly the chunks it is given, and can hang up in the middle of one.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gitupd.emulator.exchange import Failure, Purpose, Request, Response
from gitupd.emulator.tls import Server, TlsSide, UntrustedError

TIMEOUT = 30.0
CLOSING = 1.0
PIECE = 64 * 1024
MAX_BODY = 64 * 1024 * 1024
SLOW_PIECES = 5
SLOW_DELAY = 0.2
CONTINUE_BELOW = 200  # statuses of answers that come before the answer
BODILESS = frozenset({204, 304})


Listening = asyncio.Task[tuple[Response, bool]]


class ProtocolError(Exception):
    """The server's answer is no HTTP."""


FAULTS = (OSError, ValueError, EOFError, ProtocolError, UntrustedError, asyncio.LimitOverrunError)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in the parts that a client needs."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str

    @property
    def server(self) -> Server:
        """What a connection can be used for."""
        return self.secure, self.host, self.port


def parse_target(url: str) -> Target:
    """Read a URL; raises ValueError if it is none that a device can fetch."""
    match = re.fullmatch(r"(https?)://([^/?#]+)(.*)", url, re.IGNORECASE)
    if not match or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r} is not an http:// or https:// URL")
    parts = urlsplit(f"//{match[2]}")
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    secure = match[1].lower() == "https"
    path = match[3] if match[3].startswith("/") else f"/{match[3]}"
    return Target(secure, parts.hostname, parts.port or (443 if secure else 80), match[2].rpartition("@")[2], path)


def local_address(url: str) -> str:
    """Give the address that this machine would send from; no packet is sent, but a name may be looked up."""
    target = parse_target(url)
    try:
        family, kind, _, _, peer = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(peer)
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


@dataclass(slots=True)
class Connection:
    """A connection to a server, which carries one request at a time."""

    server: Server
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def peer(self) -> ssl.SSLObject | None:
        """The TLS of the connection; None without."""
        peer = self.writer.get_extra_info("ssl_object")
        return peer if isinstance(peer, ssl.SSLObject) else None

    async def close(self) -> None:
        """Close it; a connection that is gone already is no fault."""
        self.writer.close()
        try:
            async with asyncio.timeout(CLOSING):
                await self.writer.wait_closed()
        except OSError:  # a timeout is one, too
            self.writer.transport.abort()


@dataclass(slots=True)
class Network:
    """What all devices share: how to reach a server, and how to measure and wait."""

    seconds: Callable[[], float]
    """A clock that never goes back, for measuring answers."""
    timeout: float = TIMEOUT
    slow_delay: float = SLOW_DELAY
    addresses: dict[tuple[str, int], str] = field(default_factory=dict)
    """The address that worked for a host, so that its name is looked up once."""

    async def connect(self, target: Target, tls: TlsSide) -> Connection:
        """Open a connection; raises UntrustedError where the device does not trust the server."""
        address = self.addresses.get((target.host, target.port), target.host)
        context = tls.context(target.server) if target.secure else None
        name = tls.name(target.host) if target.secure else None
        reader, writer = await asyncio.open_connection(address, target.port, ssl=context, server_hostname=name)
        connection = Connection(target.server, reader, writer)
        self.addresses[target.host, target.port] = writer.get_extra_info("peername")[0]
        if connection.peer is not None:
            try:
                tls.accept(connection.peer)
            except UntrustedError:
                await connection.close()
                raise
        return connection


@dataclass(slots=True)
class Session:
    """The requests of one device; a connection is kept until `close`, which its driver calls after each poll."""

    network: Network
    latencies: list[float] = field(default_factory=list)
    """Seconds until the answers to its polls, in order."""
    tls: TlsSide = field(default_factory=TlsSide)
    connection: Connection | None = None

    async def ask(self, request: Request) -> Response | Failure:
        """Make a request; whatever goes wrong is a `Failure`."""
        if request.copies > 1:
            return await self._ask_at_once(request)
        try:
            target = parse_target(request.url)
            started = self.network.seconds()
            async with asyncio.timeout(self.network.timeout):
                reply = await self._exchange(target, request)
        except FAULTS as fault:
            await self.close()
            return _failure(fault)
        if request.purpose is Purpose.POLL and isinstance(reply, Response):
            self.latencies.append(self.network.seconds() - started)
        return reply

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self.connection:
            connection, self.connection = self.connection, None
            if connection.peer is not None:
                self.tls.remember(connection.server, connection.peer)
            await connection.close()

    async def _ask_at_once(self, request: Request) -> Response | Failure:
        """Send a request several times in parallel; the device believes the first of them."""
        single = Request(request.purpose, request.method, request.url, request.chunks, slow=request.slow)
        others = [Session(self.network, self.latencies, self.tls) for _ in range(request.copies - 1)]
        replies = await asyncio.gather(*(session.ask(single) for session in [self, *others]))
        for session in others:
            await session.close()
        return replies[0]

    async def _exchange(self, target: Target, request: Request) -> Response | Failure:
        """Use the open connection if it leads to the right server; if that turns out to be dead, open another."""
        if self.connection and self.connection.server == target.server:
            try:
                return await self._converse(self.connection, target, request)
            except (ConnectionError, asyncio.IncompleteReadError):
                await self.close()
        await self.close()
        self.connection = await self.network.connect(target, self.tls)
        return await self._converse(self.connection, target, request)

    async def _converse(self, connection: Connection, target: Target, request: Request) -> Response | Failure:
        """Listen while sending: a server that has heard enough may answer early, and close."""
        await self._write(connection.writer, _head(target, request), slow=request.slow)
        listening = asyncio.create_task(_receive(connection.reader, keep_body=request.purpose is not Purpose.FIRMWARE))
        try:
            sent = await self._send_body(connection.writer, request, listening)
            if not sent and request.cut_after is not None:
                await self.close()
                return Failure("cut", "the device closed the connection")
            reply, reusable = await listening
        finally:
            await _end(listening)
        if not (sent and reusable):
            await self.close()
        return reply

    async def _send_body(self, writer: asyncio.StreamWriter, request: Request, answer: Listening) -> bool:
        """Send the body, if there is one; False if it was not sent to its end."""
        if request.chunks is None:
            return True
        chunks = [chunk for chunk in request.chunks if chunk]  # an empty chunk would end the body
        try:
            for chunk in chunks[: request.cut_after]:
                if answer.done():
                    return False
                await self._write(writer, b"%x\r\n%b\r\n" % (len(chunk), chunk), slow=request.slow)
            if request.cut_after is not None:
                return False
            await self._write(writer, b"0\r\n\r\n", slow=False)
        except ConnectionError:
            return False
        return True

    async def _write(self, writer: asyncio.StreamWriter, content: bytes, *, slow: bool) -> None:
        if not slow:
            writer.write(content)
            await writer.drain()
            return
        size = max(1, -(-len(content) // SLOW_PIECES))
        for at in range(0, len(content), size):
            writer.write(content[at : at + size])
            await writer.drain()
            await asyncio.sleep(self.network.slow_delay)


async def _end(listening: Listening) -> None:
    """Stop listening, and take note of what went wrong with it, which asyncio would complain about otherwise."""
    listening.cancel()
    await asyncio.wait([listening])
    if not listening.cancelled():
        listening.exception()


def _head(target: Target, request: Request) -> bytes:
    lines = [f"{request.method} {target.path} HTTP/1.1", f"Host: {target.authority}", "User-Agent: emulated device"]
    if request.chunks is not None:
        lines.append("Transfer-Encoding: chunked")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _failure(fault: Exception) -> Failure:
    match fault:
        case TimeoutError():
            return Failure("timeout", "the server did not answer in time")
        case ConnectionRefusedError():
            return Failure("refused", "nobody listens at that address")
        case UntrustedError() | ssl.SSLCertVerificationError():
            return Failure("untrusted server", str(fault))
        case ssl.SSLError():
            return Failure("TLS refused", str(fault))
        case ConnectionError() | EOFError():
            return Failure("connection lost", str(fault) or "the server closed the connection")
        case ProtocolError() | asyncio.LimitOverrunError():
            return Failure("bad answer", str(fault))
        case OSError():
            return Failure("unreachable", str(fault))
        case _:
            return Failure("bad URL", str(fault))


async def _receive(reader: asyncio.StreamReader, *, keep_body: bool) -> tuple[Response, bool]:
    """Read an answer; also say whether the connection can be used again."""
    status, version, headers = await _receive_head(reader)
    while status < CONTINUE_BELOW:
        status, version, headers = await _receive_head(reader)
    body = _Body(reader, keep=keep_body)
    bounded = True
    if "chunked" in headers.get("transfer-encoding", "").lower():
        await body.read_chunks()
    elif (length := headers.get("content-length")) is not None:
        await body.read(_size(length, 10))
    elif status not in BODILESS:
        bounded = False
        await body.read_to_end()
    reusable = bounded and version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Response(status, headers, bytes(body.content), body.length), reusable


async def _receive_head(reader: asyncio.StreamReader) -> tuple[int, str, Mapping[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.rstrip("\r\n").split("\r\n")
    match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3})(?: .*)?", first)
    if not match:
        raise ProtocolError(f"{first[:80]!r} is no HTTP status line")
    pairs = (line.partition(":") for line in rest)
    return int(match[2]), match[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


def _size(text: str, base: int) -> int:
    try:
        size = int(text, base)
    except ValueError:
        size = -1
    if not 0 <= size <= MAX_BODY:
        raise ProtocolError(f"{text[:80]!r} is no size of a body, or of too large a one")
    return size


@dataclass(slots=True)
class _Body:
    """A body on its way; firmware is counted and not kept."""

    reader: asyncio.StreamReader
    keep: bool
    content: bytearray = field(default_factory=bytearray)
    length: int = 0

    def _take(self, piece: bytes) -> None:
        self.length += len(piece)
        if self.length > MAX_BODY:
            raise ProtocolError("the answer is too long")
        if self.keep:
            self.content += piece

    async def read(self, size: int) -> None:
        while size:
            piece = await self.reader.readexactly(min(size, PIECE))
            self._take(piece)
            size -= len(piece)

    async def read_chunks(self) -> None:
        while size := _size((await self.reader.readuntil(b"\r\n")).decode("latin-1").partition(";")[0].strip(), 16):
            await self.read(size)
            await self.reader.readexactly(2)
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers

    async def read_to_end(self) -> None:
        while piece := await self.reader.read(PIECE):
            self._take(piece)
