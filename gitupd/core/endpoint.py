"""Where a device reached the server, and what addresses in scripts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


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

    def moved_to_https(self, port: int | None) -> Endpoint:
        """Return the same place by HTTPS; *port* None means 443."""
        return Endpoint("https", self.host, port or DEFAULT_PORTS["https"], self.directory)

    def full(self, address: str) -> str:
        """Return *address* as a whole URL; one without a scheme lies below the base, leading slash or not."""
        return address if "://" in address else f"{self.base}/{address.removeprefix('/')}"


def quoted(text: str) -> str:
    """Percent-encode everything but letters, digits and ``-_.~``, as devices expect it."""
    return quote(text, safe="", errors="surrogateescape")
