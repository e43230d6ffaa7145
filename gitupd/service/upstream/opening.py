"""What opens the repository that a site follows: read anew for each fetch, so that a new token counts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.store.git.upstream import FetchBounds, Upstream, WayIn

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.core.upstream.address import UpstreamAddress
    from gitupd.service.site import Site

_LONGEST = 2**14
_MIB = 2**20


def upstream_of(site: Site, address: UpstreamAddress) -> Upstream:
    """Return the repository at *address*, as the settings of *site* say; raises SiteError if a file is missing."""
    settings = site.settings.upstream
    bounds = FetchBounds(settings.seconds, settings.idle, settings.largest * _MIB)
    match address.scheme:
        case "ssh":
            key = _there(site, settings.ssh_key_file, "ssh_key_file", "ssh-keygen -t ed25519 -N '' -f {}")
            cure = f"ssh-keyscan {address.host} > {{}}, and compare with what the host says that they are"
            known = _there(site, settings.known_hosts_file, "known_hosts_file", cure)
            return Upstream(address, WayIn(key=key, known_hosts=known), bounds)
        case "https" | "http":
            authorities = _there(site, settings.ca_file, "ca_file", "put it there") if settings.ca_file else None
            way = WayIn(settings.username, token_of(site), authorities=authorities)
            return Upstream(address, way, bounds)
        case _:
            return Upstream(address, WayIn(), bounds)


def token_of(site: Site) -> str:
    """Return what lets in at the host of the upstream, empty if nothing is set; raises SiteError."""
    settings = site.settings.upstream
    return settings.token or secret_in(site, settings.token_file, "token_file")


def webhook_secret_of(site: Site) -> str:
    """Return what those know who may say that there is news, empty if nobody may; raises SiteError."""
    settings = site.settings.upstream
    return settings.webhook_secret or secret_in(site, settings.webhook_secret_file, "webhook_secret_file")


def secret_in(site: Site, name: str, setting: str) -> str:
    """Return what the file called *name* holds, empty if none is named; raises SiteError if it can't be read."""
    if not name:
        return ""
    try:
        with (site.path / name).open("r", encoding="utf-8") as file:
            secret = file.read(_LONGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{setting} of [upstream]: {site.path / name} can't be read: {error}") from error
    if not secret or any(not letter.isprintable() for letter in secret):
        raise SiteError(f"{setting} of [upstream]: {site.path / name} is not one line of text")
    return secret


def _there(site: Site, name: str, setting: str, cure: str) -> Path:
    path = site.path / name
    if not path.is_file():
        raise SiteError(f"{setting} of [upstream]: there is no {path}; {cure.format(path)}")
    return path
