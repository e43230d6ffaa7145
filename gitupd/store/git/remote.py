"""Repositories of others, to which is pushed: their address, and what opens them, which no list of processes shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

_USER, _PASSWORD = "GITUPD_REMOTE_USER", "GITUPD_REMOTE_PASSWORD"
_HELPER = f"""!f() {{ test "$1" != get || printf 'username=%s\\npassword=%s\\n' "${_USER}" "${_PASSWORD}"; }}; f"""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository at ``url``, without name and password; ``site`` is its scheme and host, empty if there are none."""

    url: str
    site: str = ""
    name: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def options(self) -> tuple[str, ...]:
        """Options of ``git`` that let it ask for name and password, for this site only."""
        if not self.site:
            return ()
        return ("-c", "credential.helper=", "-c", f"credential.{self.site}.helper={_HELPER}")

    @property
    def secrets(self) -> dict[str, str]:
        """What the options refer to, for the environment of ``git``."""
        return {_USER: self.name, _PASSWORD: self.password} if self.site else {}


def parse_remote(text: str) -> Remote:
    """Return what *text* names: a path, or a URL that may hold name and password."""
    if not text.startswith(("http://", "https://")):
        return Remote(text)
    parts = urlsplit(text)
    userinfo, _, host = parts.netloc.rpartition("@")
    if not userinfo:
        return Remote(text)
    name, _, password = userinfo.partition(":")
    url = urlunsplit(parts._replace(netloc=host))
    return Remote(url, f"{parts.scheme}://{host}", unquote(name), unquote(password))
