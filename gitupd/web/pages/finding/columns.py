"""The columns of the list of devices that are kept for whoever chose them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, redirect, request, url_for

from gitupd.service.listing.columns import USUAL, chosen
from gitupd.web.access import access, actor
from gitupd.web.language.texts import gettext
from gitupd.web.pages.listing import policy

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def keep() -> ResponseReturnValue:
    """Keep the columns at hand for whoever asks, or forget the kept ones; lead back to the list as it was searched."""
    named = request.form.get("columns", "")
    if named in ("", USUAL):
        access().keep_device_columns(actor(), None)
        flash(gettext("The list of devices has the usual columns again."), "success")
    else:
        names = ",".join(column.name for column in chosen(named, policy().queries))
        access().keep_device_columns(actor(), names)
        flash(gettext("Kept: the list of devices has these columns from now on."), "success")
    asked: dict[str, Any] = {name: request.form.get(name) or None for name in ("q", "sort", "desc", "size")}
    return redirect(url_for("devices.index", **asked), 303)
