"""Where a server listens, what it serves there, and whom it asks for a certificate; from ``gitupd.toml``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ClientCertificates = Literal["none", "asked", "demanded"]
"""Whether clients are asked for a certificate in the handshake: not, without any consequence there, or strictly."""

Audience = Literal["devices", "people", "api", "git"]
"""For whom a path is."""

AUDIENCES: frozenset[Audience] = frozenset(get_args(Audience))

CERTIFICATE, KEY = "tls/server.pem", "tls/server.key"
"""Where a site has its certificate and key unless its settings say so; made by itself if they are missing."""

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]*):(?P<port>\d{1,5})")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a host name or address, and a port (0 = any that is free)."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return ``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Listener:
    """One address, and how it is served: ``proxy_protocol`` says that each connection begins with such a header."""

    address: Address
    tls: bool = False
    client_certificates: ClientCertificates = "none"
    serves: frozenset[Audience] = AUDIENCES
    proxy_protocol: bool = False

    @property
    def url(self) -> str:
        """The address as a URL."""
        return f"{'https' if self.tls else 'http'}://{self.address}"

    def at(self, port: int) -> Listener:
        """Return this listener with the *port* that it has been given."""
        return replace(self, address=Address(self.address.host, port))


def http(address: Address) -> Listener:
    """Return what ``http`` is short for."""
    return Listener(address)


def https(address: Address) -> Listener:
    """Return what ``https`` is short for: as ``http``, but with TLS."""
    return Listener(address, tls=True)


def mtls(address: Address) -> Listener:
    """Return what ``mtls`` is short for: for devices that show a certificate of an authority that the site trusts."""
    return Listener(address, tls=True, client_certificates="demanded", serves=frozenset({"devices"}))


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The files of a server's certificate, with its chain, and of its key; relative to the site."""

    certificate: str = CERTIFICATE
    key: str = KEY


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How the server speaks TLS: ``further`` certificates are for the names in them, the first one for all others.

    ``old_devices`` allows TLS 1.0 and 1.1, and what goes with them.
    """

    first: KeyPair = field(default_factory=KeyPair)
    further: tuple[KeyPair, ...] = ()
    old_devices: bool = False


def parse_address(text: str) -> Address:
    """Return the address in *text*, such as ``127.0.0.1:8080`` or ``[::1]:8080``; raises ValueError."""
    match = _ADDRESS.fullmatch(text.strip())
    if not match or int(match["port"]) > _HIGHEST_PORT:
        raise ValueError(f"{text!r} is no ADDRESS:PORT, such as 127.0.0.1:8080")
    return Address(match["host"].strip("[]") or "0.0.0.0", int(match["port"]))  # noqa: S104 - who leaves the host out means every address


def read_listeners(value: object) -> tuple[Listener, ...]:
    """Return the listeners in the tables of ``[[listen]]``; raises ValueError with all that is wrong with them."""
    tables = _tables(value)
    listeners: list[Listener] = []
    faults: list[str] = []
    for number, table in enumerate(tables, 1):
        try:
            listeners.append(_listener(table))
        except ValueError as error:
            faults += [f"number {number}: {fault}" for fault in str(error).split("\n")]
    if faults:
        raise ValueError("\n".join(faults))
    return tuple(listeners)


def read_tls(value: object) -> TlsSettings:
    """Return what the table ``[tls]`` says; raises ValueError with all that is wrong with it."""
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is no table, such as [tls]")  # noqa: TRY004 - all faults of a setting are reported alike
    first = {name: value[name] for name in ("certificate", "key") if name in value}
    others = {name: entry for name, entry in value.items() if name not in first}
    faults: list[str] = []
    fields = _fields(others, {"further": _pairs, "old_devices": _boolean}, faults)
    try:
        fields["first"] = _pair(first) if first else KeyPair()
    except ValueError as error:
        faults.append(str(error))
    if faults:
        raise ValueError("\n".join(faults))
    return TlsSettings(**fields)


def _listener(table: dict[str, Any]) -> Listener:
    faults: list[str] = []
    fields = _fields(table, _LISTENER, faults)
    if "address" not in table:
        faults.append("address is missing, such as 127.0.0.1:8443")
    if fields.get("client_certificates", "none") != "none" and not fields.get("tls", False):
        faults.append("client_certificates need tls = true: without TLS nobody shows any")
    if faults:
        raise ValueError("\n".join(faults))
    return Listener(**fields)


def _pairs(value: object) -> tuple[KeyPair, ...]:
    return tuple(_pair(table) for table in _tables(value))


def _pair(table: dict[str, Any]) -> KeyPair:
    faults: list[str] = []
    fields = _fields(table, {"certificate": _path, "key": _path}, faults)
    if not faults and len(fields) != len(("certificate", "key")):
        faults.append("certificate and key are needed, both")
    if faults:
        raise ValueError("\n".join(faults))
    return KeyPair(**fields)


def _fields(
    table: Mapping[str, Any], readers: Mapping[str, Callable[[object], Any]], faults: list[str]
) -> dict[str, Any]:
    """Return what *readers* make of *table*; add to *faults* what they can't read."""
    fields: dict[str, Any] = {}
    for name, value in table.items():
        if name not in readers:
            faults.append(f"unknown key {name!r}; known: {', '.join(readers)}")
            continue
        try:
            fields[name] = readers[name](value)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    return fields


def _tables(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        raise ValueError(f"{value!r} is no list of tables")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 - as above
    return value


def _path(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{value!r} is no path of a file")
    return value


def _client_certificates(value: object) -> ClientCertificates:
    for known in get_args(ClientCertificates):
        if value == known:
            return known  # type: ignore[no-any-return] # one of the literals
    raise ValueError(f"{value!r} is none of {', '.join(get_args(ClientCertificates))}")


def _serves(value: object) -> frozenset[Audience]:
    if not isinstance(value, list) or not value or not all(entry in get_args(Audience) for entry in value):
        raise ValueError(f"{value!r} is no list of some of {', '.join(get_args(Audience))}")
    return frozenset(value)


_LISTENER: Mapping[str, Callable[[object], Any]] = {
    "address": lambda value: parse_address(str(value)),
    "tls": _boolean,
    "client_certificates": _client_certificates,
    "serves": _serves,
    "proxy_protocol": _boolean,
}
