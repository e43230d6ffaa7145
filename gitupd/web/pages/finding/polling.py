"""The page of the addresses that have several chosen devices poll at once; nothing is sent to them from here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for

from gitupd.core.caller import parse_serial
from gitupd.service.clock import now
from gitupd.service.fleet import Fleet
from gitupd.web.context import served
from gitupd.web.language.texts import gettext
from gitupd.web.pages.links import own_page, polled_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from werkzeug.wrappers import Response

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.service.deployments.live import Live

MOST = 200
"""So many devices stand on the page; as many are at most on one of the list."""


@dataclass(frozen=True, slots=True)
class PollAddress:
    """A device and the address that has it poll; ``is_shared`` if another one on the page calls from the same."""

    device: Device
    address: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A device whose address is not known, or not one that can be opened; ``device`` None is not known here at all."""

    serial: Serial
    device: Device | None


def choose() -> Response:
    """Lead from the list to the page of the devices chosen there; nothing is changed."""
    form = request.form
    if form.get("all") == "1":
        return redirect(url_for("devices.poll", q=form.get("q", "")), 303)
    serials = [parse_serial(text) for text in dict.fromkeys(form.getlist("sn"))]
    if not serials:
        flash(gettext("Choose the devices that are to poll; you chose none."), "warning")
        return redirect(url_for("devices.index", q=form.get("q") or None), 303)
    # One more than are shown tells that there were more, and keeps the address short.
    return redirect(url_for("devices.poll", sn=",".join(each.digits for each in serials[: MOST + 1])), 303)


def show() -> str | Response:
    """Show which addresses have the devices of a search, or those with given serial numbers, poll at once."""
    live = served().live
    fleet = Fleet(served().site, live, now())
    if "q" in request.args:
        found = fleet.find(fleet.checked(request.args["q"]), limit=MOST)
        devices: Sequence[Device] = found.devices
        return _page(live, devices, (), total=found.total)
    named = [text for text in ",".join(request.args.getlist("sn")).split(",") if text.strip()]
    serials = list(dict.fromkeys(parse_serial(text) for text in named[: MOST + 1]))
    if not serials:
        return redirect(url_for("devices.index"))
    known = [(serial, fleet.device(serial)) for serial in serials[:MOST]]
    gone = [serial for serial, device in known if device is None]
    return _page(live, [device for _, device in known if device], gone, total=len(serials))


def _page(live: Live | None, devices: Sequence[Device], gone: Iterable[Serial], *, total: int) -> str:
    calling = Counter(device.address for device in devices)
    pages = {device.serial: own_page(device.address, live) for device in devices}
    polled = [
        PollAddress(device, polled_at(page), calling[device.address] > 1)
        for device in devices
        if (page := pages[device.serial]) is not None
    ]
    unreachable = [Unreachable(device.serial, device) for device in devices if pages[device.serial] is None]
    unreachable += [Unreachable(serial, None) for serial in gone]
    return render_template(
        "devices_poll.html",
        polled=polled,
        unreachable=unreachable,
        addresses="\n".join(dict.fromkeys(each.address for each in polled)),
        most=MOST if total > MOST else None,
        total=total if "q" in request.args else None,
        search=request.args.get("q", ""),
    )
