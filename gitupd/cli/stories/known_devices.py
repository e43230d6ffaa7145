"""Devices that commands are told by a serial number, a name or an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.cli.terminal import printable
from gitupd.core.caller import parse_serial
from gitupd.errors import MalformedRequest, SiteError
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.service.site import Site

_MOST_TOLD = 10


def known_device(site: Site, fleet: Fleet, text: str, *, whole: bool = False) -> Device:
    """Return the one device that *text* means; raises SiteError if that is none, or may be several.

    With *whole*, for commands that change something, *text* must be all of its serial number, name or address: what is
    a part of only one name today was meant for another device, perhaps.
    """
    found = fleet.named(text, _MOST_TOLD + 1)
    if not found:
        raise SiteError(_nobody(site, text))
    if len(found) > 1 or (whole and not _is_whole(text, found[0])):
        raise SiteError(f"{text!r} may be {_listed(found)}; write a serial number")
    return fleet.device(found[0].serial) or found[0]  # lists lack what it said last


def serial_meant(site: Site, text: str, *, whole: bool = False) -> Serial:
    """Return the serial number that *text* is, of whatever device, or that of the device which it means otherwise.

    So what is left of a forgotten device is found by its serial number. Raises what :func:`known_device` does.
    """
    try:
        return parse_serial(text)
    except MalformedRequest:
        return known_device(site, Fleet(site, live_now(site), now()), text, whole=whole).serial


def version_meant(site: Site, text: str) -> tuple[Serial, str]:
    """Return the device and the version that ``DEVICE@REV`` means, the latest without a version."""
    device, at, revision = text.rpartition("@")
    return serial_meant(site, device if at else text), revision if at and revision else "latest"


def _is_whole(text: str, device: Device) -> bool:
    try:
        return parse_serial(text) == device.serial
    except MalformedRequest:
        return text.casefold() in {(each or "").casefold() for each in (device.name, device.address)}


def _listed(found: Sequence[Device]) -> str:
    names = ", ".join(f"{each.serial} {printable(each.name or '')}".rstrip() for each in found[:_MOST_TOLD])
    more = ", and more" if len(found) > _MOST_TOLD else ""
    return f"any of {names}{more}" if len(found) > 1 else names


def _nobody(site: Site, text: str) -> str:
    try:
        serial = parse_serial(text)
    except MalformedRequest:
        return f"no device has the serial number, name or address {text[:40]!r}; see: gitupd devices"
    has_backups = site.backup_index.of(serial, 1)
    hint = f"; its backups are kept: gitupd backups log {serial}" if has_backups else ""
    return f"no device {serial} ever asked; see: gitupd devices{hint}"
