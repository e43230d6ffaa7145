"""Where pages lead: to a device's own web page, and to the devices that have something in common."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from flask import url_for

if TYPE_CHECKING:
    from gitupd.service.deployments.live import Live

LINES_OF_A_PAGE = 1_000
"""How many lines of a file of the configuration are on a page."""

_PLAIN = re.compile(r"(?!.*\.\.)[\w./+#@-]+")
_NEVER_BARE = re.compile(r'[\s",<>]')
"""What has a meaning of its own in a value that is not quoted, and so has one that holds a quotation mark."""

_IPV6 = 6


def own_page(address: str | None, live: Live | None) -> str | None:
    """Return the address of a device's own web page; None if *address* is no IP address.

    A host name is none: devices don't call by names, and a name that one makes up could lead anywhere.
    """
    if not address or "%" in address:  # the zone of an IPv6 address is known only where it was written down
        return None
    scheme = live.snapshot.policy.status.device_links if live else "https"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return f"{scheme}://[{parsed}]/" if parsed.version == _IPV6 else f"{scheme}://{parsed}/"


def file_place(path: str, line: int | None = None, rev: str | None = None) -> str:
    """Return the address of a file of the configuration in revision *rev*, at its *line*.

    Without a revision it is what is deployed, and without a line its beginning.
    """
    page = -(-line // LINES_OF_A_PAGE) if line else 1
    anchor = f"L{line}" if line else None
    return url_for("configuration.file", path=path, rev=rev, page=page if page > 1 else None, _anchor=anchor)


def polled_at(page: str) -> str:
    """Return the address that has a device poll at once, below that of its own web *page*, which ends in a slash.

    docs/how-to/watch-a-device.md says what that rests on.
    """
    return f"{page}!mod%20cmd%20UP1%20poll"


def pair(key: str, value: str | None) -> str:
    """Return the words of a search for devices whose *key* is *value*; None finds those that never said one."""
    if not value:
        return f'{key}:""'
    if _PLAIN.fullmatch(value):
        return f"{key}:{value}"
    return f"{key}:{_NEVER_BARE.sub('?', value)}" if '"' in value else f'{key}:"{value}"'
