"""Where a device reached the server, and what addresses in scripts are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from gitupd.errors import MalformedRequest

DEFAULT_PORTS = {"http": 80, "https": 443}

HIGHEST_PORT = 65535
AUTHORITY = r"(?P<host>[0-9A-Za-z]([0-9A-Za-z._-]{0,252}[0-9A-Za-z.])?|\[[0-9A-Fa-f:.]{2,45}\])(:(?P<port>[0-9]{1,5}))?"
"""The pattern of a host with or without a port, as a Host header has it."""
_PLACE = re.compile(AUTHORITY + r"(?P<directory>(/(?!\.{1,2}(/|$))[0-9A-Za-z%_.~-]+)*)/?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a device reached the server.

    ``host`` and ``port`` as the device asked for them, ``directory`` the percent-encoded path in front of
    ``update.php``, without a slash at its end.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    directory: str = ""

    @property
    def base(self) -> str:
        """The URL below which relative addresses lie, without a slash at its end."""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.directory}"

    @classmethod
    def parsed(cls, base: str) -> Endpoint:
        """Return the endpoint whose :attr:`base` is *base*; raises ValueError if that is none."""
        parts = urlsplit(base)
        if not parts.hostname:
            raise ValueError(f"no endpoint: {base!r}")
        scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
        host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
        return cls(scheme, host, parts.port or DEFAULT_PORTS[scheme], parts.path)

    def full(self, address: str) -> str:
        """Return *address* as a whole URL; one without a scheme lies below the base, leading slash or not."""
        return address if "://" in address else f"{self.base}/{address.removeprefix('/')}"


def quoted(text: str) -> str:
    """Percent-encode everything but letters, digits and ``-_.~``, as devices expect it."""
    return quote(text, safe="", errors="surrogateescape")


def parse_place(text: str) -> tuple[str, int | None, str]:
    """Return host, port and directory of *text* such as ``upd.example:8080/phones``; no port is None, no directory "".

    Raises MalformedRequest for anything else.
    """
    match = _PLACE.fullmatch(text)
    if match is None or not 0 < int(match["port"] or 1) <= HIGHEST_PORT:
        raise MalformedRequest(f"{text[:80]!r} is no place of a server; write HOST, HOST:PORT or HOST:PORT/DIRECTORY")
    return match["host"], int(match["port"]) if match["port"] else None, match["directory"]
