"""The page of devices that are not as their scripts want them, and in what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template, request

from gitupd.core.caller import parse_serial
from gitupd.errors import MalformedRequest
from gitupd.web.backup_reading import policy, viewed
from gitupd.web.context import served
from gitupd.web.language.sentences import retold

if TYPE_CHECKING:
    from gitupd.core.caller import Serial

_NAMED = 3
_LISTED = 50
_MOST_OPTIONS = 20


def drift() -> str:
    """Show which devices are not as their scripts want them, and which options that is about."""
    fleet, after = served().fleet(), _after()
    search, yardstick = fleet.understood(request.args.get("q", "")), fleet.yardstick
    drifts = served().site.drifts
    options = drifts.options(search, yardstick)
    some = options if request.args.get("options") == "all" else options[:_MOST_OPTIONS]
    found = drifts.listed(search, yardstick, _LISTED + 1, after)
    viewed("", f"which devices are not as wanted{f', of {search.text!r}' if search.text else ''}")
    return render_template(
        "backups/drift.html",
        live=served().live,
        enabled=policy().enabled,
        words=search.text,
        fault=retold(search.fault, "errors"),
        after=after,
        figures=drifts.figures(search, yardstick),
        options=some,
        more_options=len(options) - len(some),
        shown=found[:_LISTED],
        more=str(found[_LISTED - 1].serial) if len(found) > _LISTED else None,
        named=_NAMED,
    )


def _after() -> Serial | None:
    try:
        return parse_serial(request.args.get("after", ""))
    except MalformedRequest:
        return None
