"""The address of a repository elsewhere, as an operator writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

Scheme = Literal["https", "http", "ssh", "git", "file"]

_HOST = r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])"
_USER = r"(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@"
_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))?"
_PATH = r"(?P<path>[^\s?#\x00-\x1f\x7f]+)"
_WEB = re.compile(rf"(?P<scheme>https?)://{_HOST}{_PORT}/{_PATH}", re.ASCII)
_GIT = re.compile(rf"(?P<scheme>git)://{_HOST}{_PORT}/{_PATH}", re.ASCII)
_SSH = re.compile(rf"(?P<scheme>ssh)://(?:{_USER})?{_HOST}{_PORT}/{_PATH}", re.ASCII)
_SCP = re.compile(rf"(?:{_USER})?{_HOST}:(?!:){_PATH}", re.ASCII)
_FOLDER = re.compile(r"(?P<path>/[^\x00-\x1f\x7f]+)")
_WITH_LOGIN = re.compile(r"(?!ssh://[^/@:]*@)[a-z+]+://.*@", re.ASCII | re.IGNORECASE | re.DOTALL)
"""What may be one, for what is no address: it is told without what stands in it."""

_FORMS = "https://host/path.git, ssh://git@host/path.git, git@host:path.git, git://host/path.git, or /a/path.git"


@dataclass(frozen=True, slots=True)
class UpstreamAddress:
    """Where a repository is: ``text`` as it was written, which holds no password; ``host`` is empty for a folder.

    ``origin`` is scheme, host and port of one that is reached by HTTP, empty for others. ``path`` is that on the host.
    """

    text: str
    scheme: Scheme
    host: str
    path: str
    origin: str = ""

    @property
    def project(self) -> str:
        """What hosts of repositories call it, such as ``group/name``."""
        return self.path.strip("/").removesuffix(".git")

    @property
    def is_open(self) -> bool:
        """Whether what comes from there can be changed by whoever is in between."""
        return self.scheme in ("http", "git")


def parse_upstream(text: str) -> UpstreamAddress:
    """Return the address that *text* is; raises ValueError for anything else, and for one that holds a password."""
    if text.startswith("/"):
        if not _FOLDER.fullmatch(text):
            raise ValueError(f"{text!r} is no path")
        return UpstreamAddress(text, "file", "", text)
    if (known := _WEB.fullmatch(text) or _GIT.fullmatch(text) or _SSH.fullmatch(text)) is not None:
        scheme = cast("Scheme", known["scheme"])
        port = f":{known['port']}" if known["port"] else ""
        origin = f"{scheme}://{known['host']}{port}" if scheme in ("https", "http") else ""
        return UpstreamAddress(text, scheme, known["host"], known["path"], origin)
    if _WITH_LOGIN.match(text):
        raise ValueError("an address holds neither name nor password: they stand in username and token_file")
    if "://" not in text and (short := _SCP.fullmatch(text)) is not None:
        return UpstreamAddress(text, "ssh", short["host"], short["path"])
    raise ValueError(f"{text!r} is no address of a repository, such as {_FORMS}")
