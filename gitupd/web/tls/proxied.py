"""The header of the PROXY protocol, version 2, with which a proxy says for whom it has opened a connection."""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitupd.web.asgi.log import Seldom
from gitupd.web.tls.prelude import Prelude, peer_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from gitupd.settings import Network
    from gitupd.web.tls.prelude import PreludeBounds

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LARGEST = 4096
"""So many bytes may follow the fixed part: addresses, and what else a proxy tells, which is passed over."""

_FIXED = struct.Struct("!12sBBH")
_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED = 0x00
_TCP = {0x11: (socket.AF_INET, struct.Struct("!4s4sHH")), 0x21: (socket.AF_INET6, struct.Struct("!16s16sHH"))}

Hop = tuple[str, int]
"""An address and a port."""

_CLOSED = "a connection is closed that no proxy has announced"

_tell = Seldom()


class MalformedHeader(ValueError):
    """What came is no header of the PROXY protocol, or none for TCP."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What a header says: ``client`` has connected to ``server``; both None if the proxy speaks for itself."""

    client: Hop | None
    server: Hop | None
    size: int


def parse_header(data: bytes) -> ProxyHeader | None:
    """Return the header that *data* begins with, None if there is more to come; raises MalformedHeader."""
    if not data.startswith(SIGNATURE[: len(data)]):
        raise MalformedHeader("no header of the PROXY protocol, version 2")
    if len(data) < _FIXED.size:
        return None
    _, command, family, length = _FIXED.unpack_from(data)
    if command not in (_LOCAL, _PROXY) or length > LARGEST:
        raise MalformedHeader("a header of the PROXY protocol that is none for us")
    if len(data) < _FIXED.size + length:
        return None
    size = _FIXED.size + length
    if command == _LOCAL or family == _UNSPECIFIED:
        return ProxyHeader(None, None, size)
    if family not in _TCP or length < _TCP[family][1].size:
        raise MalformedHeader("a header of the PROXY protocol that names no addresses of TCP")
    kind, form = _TCP[family]
    source, destination, port, own_port = form.unpack_from(data, _FIXED.size)
    return ProxyHeader((socket.inet_ntop(kind, source), port), (socket.inet_ntop(kind, destination), own_port), size)


class ProxiedConnection(Prelude):
    """Reads the header from a trusted proxy, then leaves the connection to the protocol that *inner* makes."""

    def __init__(self, bounds: PreludeBounds, inner: Callable[[], Any], proxies: Sequence[Network]) -> None:
        """Believe *proxies*, and nobody else."""
        super().__init__(bounds)
        self._make, self._proxies = inner, proxies
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # no other comes here
        """Start to wait for the header, from one who may send it."""
        self._transport = transport
        peer = peer_of(transport)
        if peer is None or not any(_parsed(peer) in network for network in self._proxies):
            _tell(_CLOSED, why="it is from none of the trusted_proxies", peer=peer)
            transport.abort()
            return
        self.begin(transport)

    def data_received(self, data: bytes) -> None:
        """Take the next part of the header."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._data += data
        try:
            header = parse_header(self._data)
        except MalformedHeader as error:
            _tell(_CLOSED, why=f"it begins with {error}", peer=peer_of(transport))
            transport.abort()
            return
        if header is None:
            return
        protocol = self._make()
        transport.set_protocol(protocol)
        self.hand_over(protocol, transport if header.client is None else ClientTransport(transport, header))
        if (rest := self._data[header.size :]) and not transport.is_closing():
            protocol.data_received(rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason makes no difference
        """Wait no longer."""
        self.end()

    def drop(self) -> None:
        """End at once."""
        if self._transport is not None:
            self._transport.abort()


class ClientTransport:
    """A transport, as if the client that a proxy speaks for were at its other end."""

    def __init__(self, transport: asyncio.Transport, header: ProxyHeader) -> None:
        """Say of *transport* what *header* does, and leave everything else to it."""
        self._transport, self._header = transport, header

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection; the socket, which is the proxy's, is not told of."""
        match name:
            case "socket":
                return default
            case "peername":
                return self._header.client
            case "sockname":
                return self._header.server
        return self._transport.get_extra_info(name, default)

    def __getattr__(self, name: str) -> Any:
        """Leave the rest to the transport."""
        return getattr(self._transport, name)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return (isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped) or parsed
