"""A device as plain facts, the same for programs on the command line and over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.device import Device
    from gitupd.service.fleet import Fleet

_TOLD = (
    "hardware_id",
    "previous_hardware_id",
    "address",
    "own_address",
    "proxy",
    "previous_address",
    "environments",
    "unknown_environments",
    "classes",
    "phase",
    "settled",
    "firmware",
    "firmware_wanted",
    "firmware_requested",
    "bootcode",
    "bootcode_wanted",
    "bootcode_requested",
    "check",
    "first_seen",
    "last_seen",
    "sent",
    "sent_at",
    "snippets",
    "confirmed",
    "confirmed_at",
)
"""What is told under the name it has in :class:`~gitupd.core.device.Device`."""


def plain(value: Any) -> Any:
    """Return a remembered value as one of JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def device_facts(fleet: Fleet, device: Device, said: Callable[[Any], Any] = plain) -> dict[str, Any]:
    """Return what is known of *device*, each value put as *said* puts it; None for what was never said.

    As they are put by itself, all of them are values of JSON, and times are after RFC 3339.
    """
    return {
        "serial": str(device.serial),
        "state": fleet.state(device).value,
        "name": device.name,
        "type": device.model,
        "warnings": list(fleet.warnings(device)),
        **{name: said(getattr(device, name)) for name in _TOLD},
    }
