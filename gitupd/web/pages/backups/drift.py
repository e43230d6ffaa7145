"""The page of devices that are not as their scripts want them: somebody changed them by hand, or they wait."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from flask import render_template, request

from gitupd.core.caller import parse_serial
from gitupd.core.search import parse_search
from gitupd.errors import MalformedRequest
from gitupd.service.backups.drift import Because, Looking
from gitupd.web.backup_reading import policy, viewed
from gitupd.web.context import served

if TYPE_CHECKING:
    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.core.script import Script

_SECONDS = 5.0
_NAMED = 3
_LISTED = 500


def drift() -> str:
    """Show which devices are not as their scripts want them, as far as that is found in some seconds."""
    search, fleet, after = parse_search(request.args.get("q", "")), served().fleet(), _after()
    serials = fleet.serials(search)
    serials = serials[bisect_right(serials, after) :] if after is not None else serials
    looking = Looking(served().site, fleet.yardstick, _script_of, policy().hide)
    drift = looking.drift(serials, _SECONDS)
    viewed("", f"which devices are not as wanted{f', of {search.text!r}' if search.text else ''}")
    return render_template(
        "backups/drift.html",
        live=served().live,
        words=search.text,
        fault=search.fault,
        after=after,
        drift=drift,
        shown=sorted(drift.found, key=lambda drifting: drifting.because is not Because.CHANGED)[:_LISTED],
        because=Because,
        named=_NAMED,
        waiting=sum(drifting.because is not Because.CHANGED for drifting in drift.found),
    )


def _script_of(device: Device) -> Script | None:
    return served().inspection(device).now_lines()


def _after() -> Serial | None:
    try:
        return parse_serial(request.args.get("after", ""))
    except MalformedRequest:
        return None
