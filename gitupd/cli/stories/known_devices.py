"""Devices that commands are told by a serial number, a name or an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.cli.terminal import printable
from gitupd.core.caller import parse_serial
from gitupd.errors import MalformedRequest, SiteError

if TYPE_CHECKING:
    from gitupd.core.device import Device
    from gitupd.service.fleet import Fleet
    from gitupd.service.site import Site

_MOST_TOLD = 10


def known_device(site: Site, fleet: Fleet, text: str) -> Device:
    """Return the one device that *text* means; raises SiteError if that is none, or may be several."""
    found = fleet.named(text, _MOST_TOLD + 1)
    if not found:
        raise SiteError(_nobody(site, text))
    if len(found) > 1:
        names = ", ".join(f"{each.serial} {printable(each.name or '')}".rstrip() for each in found[:_MOST_TOLD])
        more = ", and more" if len(found) > _MOST_TOLD else ""
        raise SiteError(f"{text!r} may be any of {names}{more}; write a serial number")
    return fleet.device(found[0].serial) or found[0]  # lists lack what it said last


def _nobody(site: Site, text: str) -> str:
    try:
        serial = parse_serial(text)
    except MalformedRequest:
        return f"no device has the serial number, name or address {text[:40]!r}; see: gitupd devices"
    has_backups = site.backup_index.of(serial, 1)
    hint = f"; its backups are kept: gitupd backups log {serial}" if has_backups else ""
    return f"no device {serial} ever asked; see: gitupd devices{hint}"
