"""A device's request, parsed once: where it reached us, where it comes from, what it says."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote_to_bytes

from gitupd.core.caller import Origin
from gitupd.core.endpoint import AUTHORITY, DEFAULT_PORTS, HIGHEST_PORT, Endpoint
from gitupd.errors import MalformedRequest
from gitupd.web.asgi.client_certificate import certificates_in
from gitupd.web.asgi.forwarded import forwarded_addresses, forwarded_schemes, parse_address
from gitupd.web.asgi.protocol import CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Scope

    from gitupd.settings import Network, Settings

LONGEST_URL = 8_000  # recording 210; a device's own is a few hundred characters long
MOST_ARGUMENTS = 200  # recording 210
_HOST = re.compile(AUTHORITY)
_LONGEST_LABEL = 63
# As PHP names them, and so devices carry them on: docs/reference/php-differences.md, "Arguments".
_MANGLED = str.maketrans({".": "_", " ": "_"})

_CERTIFICATE, _CHAIN = b"client-cert", b"client-cert-chain"
"""As RFC 9440 calls them."""

_REACHED = "gitupd.reached"
"""Where in the scope is left which Endpoint people and programs have reached: pages get nothing but the scope."""


def parse_arguments(query: bytes) -> dict[str, str]:
    """Return the arguments of a query string, decoded as UTF-8, other bytes kept as surrogates.

    Names are read as the PHP server read them, because devices carry them on: the last of equal ones counts at the
    place of the first, dots and blanks become underscores, and those without a name are passed over. Raises
    MalformedRequest for arrays, and for more arguments than a device has.
    """
    arguments: dict[str, str] = {}
    for part in query.decode(errors="surrogateescape").split("&"):
        name, _, value = part.partition("=")
        key = _argument_name(name)
        if key:
            arguments[key] = _decoded(value)
    if len(arguments) > MOST_ARGUMENTS:
        raise MalformedRequest(f"more than {MOST_ARGUMENTS} arguments")
    return arguments


@lru_cache(maxsize=1000)
def _argument_name(name: str) -> str:
    """Return the name of an argument as the PHP server read it; all day it is the same few."""
    key = _decoded(name).lstrip(" ").translate(_MANGLED)
    if "[" in key:
        raise MalformedRequest("arguments in the form of arrays are not understood")
    return key


def _decoded(text: str) -> str:
    if "%" in text or "+" in text:
        encoded = text.replace("+", " ").encode(errors="surrogateescape")
        return unquote_to_bytes(encoded).decode(errors="surrogateescape")
    return text


def header(scope: Scope, name: bytes) -> str | None:
    """Return the value of a header, None if it is missing; raises MalformedRequest if it is there twice."""
    values = [value for key, value in scope["headers"] if key == name]
    if len(values) > 1:
        raise MalformedRequest(f"header {name.decode()} twice")
    return values[0].decode("latin-1") if values else None


class Requests:
    """Parses requests as the settings of the site say."""

    def __init__(self, settings: Settings) -> None:
        """Believe and allow what *settings* say."""
        self._trusted = settings.trusted_proxies
        self._allowed = frozenset(settings.allowed_hosts)
        self._certificate_header = settings.client_certificate_header.encode()
        self._endpoints: dict[tuple[Any, ...], Endpoint] = {}

    def endpoint(self, scope: Scope) -> Endpoint:
        """Return where the device reached us, as it said itself; raises MalformedRequest for a senseless Host."""
        host, scheme, path = header(scope, b"host"), self.scheme(scope), scope["raw_path"]
        key = (host, scheme, path)
        if key not in self._endpoints:
            if len(self._endpoints) > 1000:  # noqa: PLR2004 - more than a fleet has ways to us
                self._endpoints.clear()
            self._endpoints[key] = self._parse_endpoint(host, scheme, path)
        return self._endpoints[key]

    def scheme(self, scope: Scope) -> str:
        """Return the scheme of the device's or the browser's request, which a trusted proxy may know better."""
        scheme: str = scope["scheme"]
        if self._trusted and _is_in(_peer(scope), self._trusted):
            # The last one is the proxy's own; what stands before it, anybody may have sent.
            forwarded = forwarded_schemes(scope["headers"])
            scheme = forwarded[-1] if forwarded else scheme
        return scheme

    def certificates(self, scope: Scope) -> tuple[bytes, ...]:
        """Return the certificates that the client has shown, in DER and its own first; none if it has shown none.

        A trusted proxy that is to hand them on in a header speaks for its clients, also by saying nothing: what came
        with its own handshake is its own. Raises MalformedRequest for such a header that is there twice.
        """
        if self._certificate_header and self._trusted and _is_in(_peer(scope), self._trusted):
            own = certificates_in(header(scope, self._certificate_header) or "")
            chain = header(scope, _CHAIN) if own and self._certificate_header == _CERTIFICATE else None
            return own if chain is None else (*own, *certificates_in(chain))
        shown: tuple[bytes, ...] = scope.get(CERTIFICATES, ())
        return shown

    def _parse_endpoint(self, host: str | None, scheme: str, path: bytes) -> Endpoint:
        match = _HOST.fullmatch(host or "")
        if not match or not _is_host(match["host"]) or not 0 < int(match["port"] or 1) <= HIGHEST_PORT:
            raise MalformedRequest("the Host header is no host name")
        if self._allowed and match["host"].lower() not in self._allowed:
            raise MalformedRequest("this host is not served here")
        if scheme not in DEFAULT_PORTS:
            raise MalformedRequest("neither http nor https")
        checked: Literal["http", "https"] = "https" if scheme == "https" else "http"
        return Endpoint(checked, match["host"], int(match["port"] or DEFAULT_PORTS[scheme]), _directory(path))

    def origin(self, scope: Scope) -> Origin:
        """Return where a request comes from: the last address that no trusted proxy has, and the one in front.

        What a stranger says of where he comes from never changes an answer (recording 190).
        """
        proxy = peer = _peer(scope)
        if not (self._trusted and _is_in(peer, self._trusted)):
            return Origin(peer)
        for hop in reversed(forwarded_addresses(scope["headers"])):
            if hop is None:
                break
            peer = hop
            if not _is_in(hop, self._trusted):
                break
        return Origin(peer, proxy)

    def seen_from_the_client(self, scope: Scope) -> Scope:
        """Return *scope* with the scheme that the client used, the address it has, and where it has reached us.

        Raises MalformedRequest for a Host header that is none, or not allowed.
        """
        host = header(scope, b"host")
        scheme = self.scheme(scope)
        endpoint = self._parse_endpoint(host, scheme, b"/")
        port = (scope["client"] or ("", 0))[1]
        return {**scope, "scheme": scheme, "client": (self.origin(scope).address or "", port), _REACHED: endpoint}


def reached(scope: Scope) -> Endpoint:
    """Return where a client has reached us, of a *scope* that :meth:`Requests.seen_from_the_client` has returned."""
    endpoint: Endpoint = scope[_REACHED]
    return endpoint


def _is_host(text: str) -> bool:
    """Whether *text*, of the right letters, is a host name or an IPv6 address in brackets."""
    if text.startswith("["):
        return ":" in text and _is_address(text[1:-1])
    return all(0 < len(label) <= _LONGEST_LABEL for label in text.removesuffix(".").split("."))


def _peer(scope: Scope) -> str | None:
    client = scope.get("client")
    return None if not client else parse_address(str(client[0])) or str(client[0])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(address: str | None, networks: Sequence[Network]) -> bool:
    if address is None or not _is_address(address):
        return False
    return any(ipaddress.ip_address(address) in network for network in networks)


def _directory(path: bytes) -> str:
    """Return the folder of *path*, encoded anew: it becomes part of commands."""
    folder = unquote_to_bytes(path.rpartition(b"/")[0])
    if any(byte < 0x20 or byte == 0x7F for byte in folder) or b"\\" in folder:  # noqa: PLR2004 - control characters
        raise MalformedRequest("control characters or backslashes in the path")
    parts = folder.split(b"/")[1:]
    if {b"..", b".", b""} & set(parts):
        raise MalformedRequest("a path with empty parts or dots")
    return "".join(f"/{quote(part, safe='')}" for part in parts)
