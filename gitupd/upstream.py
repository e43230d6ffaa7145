"""The table ``[upstream]`` of a site's settings: which repository elsewhere it follows, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gitupd.core.upstream.address import parse_upstream
from gitupd.entries import entries_of, table_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitupd.core.upstream.address import UpstreamAddress
    from gitupd.entries import Readers

StatusHost = Literal["", "github", "gitlab", "gitea"]

_UNITS = {"s": 1, "m": 60, "h": 3600}
_WEB = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """A repository elsewhere that a site follows; ``address`` None for none.

    It is asked ``every`` so many seconds, and at once when somebody says so who knows what is in
    ``webhook_secret_file``, empty if nobody may. ``username`` and ``token_file`` let in by HTTP, ``ssh_key_file`` by
    SSH, where the host must have a key in ``known_hosts_file``; ``ca_file`` has the authorities of its TLS certificate,
    empty for the public ones. Relative files are in the site.

    A fetch takes ``seconds`` at the most, of them ``idle`` without anything coming in, and brings ``largest`` MiB.
    ``status`` is what kind of host is told what became of commits, empty for none; it is asked at ``status_url``, empty
    for that of ``address``. ``site_url`` is where the pages of this site are, empty if no link may lead there.
    """

    address: UpstreamAddress | None = None
    every: float = 300.0
    webhook_secret_file: str = ""
    username: str = "git"
    token_file: str = ""
    ssh_key_file: str = "upstream.key"
    known_hosts_file: str = "upstream.known_hosts"
    ca_file: str = ""
    seconds: float = 300.0
    idle: float = 30.0
    largest: int = 256
    status: StatusHost = ""
    status_url: str = ""
    site_url: str = ""
    token: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value


def _seconds(lowest: float, highest: float) -> Callable[[object], float]:
    def seconds(value: object) -> float:
        amount, unit = (str(value)[:-1], str(value)[-1:]) if str(value)[-1:] in _UNITS else (str(value), "s")
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", amount):
            raise ValueError(f"{value!r} is no time, such as 90, 30s, 5m or 1h")
        if not lowest <= float(amount) * _UNITS[unit] <= highest:
            raise ValueError(f"{value!r} is no time from {lowest:g} to {highest:g} seconds")
        return float(amount) * _UNITS[unit]

    return seconds


def _largest(value: object) -> int:
    most = 16384
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{value!r} is no whole number from 1 to {most}")
    return value


def _username(value: object) -> str:
    if not re.fullmatch(r"[^\s:\x00-\x1f\x7f]{1,200}", _text(value)):
        raise ValueError(f"{value!r} is no name to log in with")
    return str(value)


def _status(value: object) -> str:
    if value not in ("github", "gitlab", "gitea"):
        raise ValueError(f"{value!r} is neither github, gitlab nor gitea (which Forgejo is, too)")
    return str(value)


def _web(value: object) -> str:
    if not _WEB.fullmatch(_text(value)):
        raise ValueError(f"{value!r} is no address that begins with https:// or http://, and has neither ? nor #")
    return str(value).rstrip("/")


_READERS: Readers = {
    "url": lambda value: parse_upstream(_text(value)),
    "every": _seconds(5, 7 * 86400),
    "webhook_secret_file": _text,
    "username": _username,
    "token_file": _text,
    "ssh_key_file": _text,
    "known_hosts_file": _text,
    "ca_file": _text,
    "seconds": _seconds(1, 3600),
    "idle": _seconds(1, 600),
    "largest": _largest,
    "status": _status,
    "status_url": _web,
    "site_url": _web,
}


def read_upstream(value: object) -> UpstreamSettings:
    """Return what the table ``[upstream]`` says; raises ValueError with a line for each fault."""
    faults: list[str] = []
    table = table_in(value, "it is a table: [upstream]")
    entries = entries_of(table, _READERS, faults)
    read = {"address" if name == "url" else name: entry for name, entry in entries.items()}
    if "url" not in table:
        faults.append("url: it says which repository is followed, and is missing")
    faults += _contradictions(read)
    if faults:
        raise ValueError("\n".join(faults))
    return UpstreamSettings(**read)


def with_secrets(settings: UpstreamSettings, environment: Mapping[str, str]) -> UpstreamSettings:
    """Return *settings* with what may stand in the *environment* instead of a file."""
    token, secret = (environment.get(f"GITUPD_UPSTREAM_{name}", "") for name in ("TOKEN", "WEBHOOK_SECRET"))
    return replace(settings, token=token, webhook_secret=secret)


def _contradictions(read: Mapping[str, Any]) -> list[str]:
    """Return what does not go together, as far as it was *read*."""
    faults = []
    if "status_url" in read and "status" not in read:
        faults.append("status_url: it needs status")
    address: UpstreamAddress | None = read.get("address")
    if address is not None and "status" in read and "status_url" not in read and not address.host:
        faults.append("status: a folder has no host that could be told; name one in status_url")
    return faults
