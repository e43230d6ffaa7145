"""What differs between two devices, such as two gateways that should be alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import render_template, request, url_for

from gitupd.core.caller import parse_serial
from gitupd.core.search import parse_search
from gitupd.errors import MalformedRequest
from gitupd.web.backup_reading import version_name, viewed, visible_history
from gitupd.web.context import served
from gitupd.web.language.texts import gettext
from gitupd.web.pages.backups.compare import difference
from gitupd.web.pages.backups.views import device_serial, permanent, readable, title_of, version_named
from gitupd.web.pages.links import pair as pair_of
from gitupd.web.wording import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.web.pages.backups.compare import Difference

_MOST_OFFERED = 100
_MOST_MEANT = 20
_LONGEST = 200


def against(serial: str) -> str:
    """Show what differs between the latest versions of two devices, or between others of them.

    The other device is named in any way that finds it; one that left nothing but backups by its serial number.
    """
    number = device_serial(serial)
    text = request.args.get("with", "").strip()[:_LONGEST]
    serials = _serial_in(text)
    devices = served().fleet().named(text, _MOST_MEANT + 2) if text and not serials else []
    meant = serials or [device.serial for device in devices]
    others = [serial for serial in meant if serial != number]
    if len(others) == 1:
        return _compared(number, others[0])
    if meant and not others:
        return _page(number, text, fault=gettext("That is this very device; choose another one."))
    offers = [device for device in devices if device.serial != number]
    return _page(number, text, offers=offers[:_MOST_MEANT], are_more=len(offers) > _MOST_MEANT)


def _serial_in(text: str) -> list[Serial]:
    """Return the serial number that *text* is, of which there may be backups though no device is known by it."""
    try:
        return [parse_serial(text)]
    except MalformedRequest:
        return []


def _page(
    serial: Serial,
    text: str,
    *,
    fault: str = "",
    offers: Sequence[Device] = (),
    are_more: bool = False,
    shown: Difference | None = None,
    **more: object,
) -> str:
    device = served().site.inventory.device(serial)
    return render_template(
        "backups/pair.html",
        serial=serial,
        title=title_of(serial, device, served().site.backup_index.latest([serial]).get(serial)),
        text=readable(text),
        alike=_alike(device) if device is not None else (),
        fault=fault,
        offers=offers,
        more=are_more,
        shown=shown,
        **more,
    )


def _alike(device: Device) -> tuple[Device, ...]:
    """Return devices of the same type, to choose from."""
    if not device.model:
        return ()
    alike = served().fleet().find(parse_search(pair_of("type", device.model)), limit=_MOST_OFFERED)
    return tuple(other for other in alike.devices if other.serial != device.serial)


def _compared(serial: Serial, other: Serial) -> str:
    history = visible_history()
    left = version_named(history, serial, request.args.get("a", "").strip() or "latest")
    right = version_named(history, other, request.args.get("b", "").strip() or "latest")
    whole, side_by_side = request.args.get("all") == "1", request.args.get("view") == "split"
    shown = difference(history, left, right, whole=whole)
    viewed(str(serial), f"{version_name(left)} against {other}, version {short(right.commit)}")
    viewed(str(other), f"{version_name(right)} against {serial}, version {short(left.commit)}")
    return _page(
        serial,
        str(other),
        other=other,
        other_title=title_of(other, served().site.inventory.device(other), right),
        shown=shown,
        whole=whole,
        side_by_side=side_by_side,
        link=_link(left, right, side_by_side=side_by_side),
    )


def _link(left: BackupVersion, right: BackupVersion, *, side_by_side: bool) -> str:
    """Return the URL that will always show this difference."""
    view = "split" if side_by_side else None
    values: dict[str, Any] = {"with": str(right.serial), "a": left.commit, "b": right.commit, "view": view}
    return permanent(url_for("backups.against", serial=str(left.serial), **values))
