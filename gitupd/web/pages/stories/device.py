"""The device that the address of a page names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import abort, redirect, request

from gitupd.core.caller import parse_serial
from gitupd.core.words import capital
from gitupd.errors import MalformedRequest
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.layout import error_page

if TYPE_CHECKING:
    from gitupd.core.device import Device
    from gitupd.service.fleet import Fleet


def device_at(fleet: Fleet, text: str) -> Device:
    """Return the device that an address names; ends the request for an unknown one, or another way to write it."""
    try:
        serial = parse_serial(text)
    except MalformedRequest as error:
        cure = gettext("Go to the devices, and search for its name or address there.")
        abort(error_page(404, gettext("No such device"), f"{capital(in_words(error))}.", cure))
    if str(serial) != text:
        path = request.path.replace(text, str(serial), 1)
        abort(redirect(f"{path}?{urlencode(request.args)}" if request.args else path, 301))
    device = fleet.device(serial)
    if device is None:
        what = gettext(
            "No device with the serial number %(serial)s has called yet, or it was forgotten.", serial=serial
        )
        cure = gettext("It appears by itself once it polls. If it should have: look whether its update URL leads here.")
        abort(error_page(404, gettext("No such device"), what, cure))
    return device
