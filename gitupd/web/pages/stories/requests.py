"""The page of a device's requests and what they were answered with, while it is recorded and for a day afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Response, flash, redirect, render_template, request, url_for

from gitupd.core.caller import parse_serial
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.stories.recording import (
    REQUESTS_KEPT,
    all_requests,
    recorded_facts,
    request_lines,
    start_recording,
    stop_recording,
)
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.forms import decimal
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.pages import paging
from gitupd.web.pages.stories.device import device_at
from gitupd.web.showing import looked

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from gitupd.core.caller import Serial
    from gitupd.core.stories.recorded import RecordedRequest

_ON_A_PAGE = 25
_LAST = 2**31 - 1


@needs(Role.OPERATOR)
def show(serial: str) -> str:
    """Show what the device of a *serial* number asked, and what it was answered, the latest first."""
    device, at = device_at(served().fleet(), serial), now()
    before = paging.number(request.args.get("before"), 0, _LAST) or None
    recording = served().site.recordings.of(device.serial)
    found = served().site.recordings.requests(device.serial, _ON_A_PAGE + 1, before)
    if found:
        looked(Kind.REQUESTS_VIEW, str(device.serial), "")
    return render_template(
        "stories/requests.html",
        device=device,
        recording=recording,
        is_on=recording is not None and recording.is_on(at),
        requests=found[:_ON_A_PAGE],
        before=before,
        earlier=found[_ON_A_PAGE - 1][0] if len(found) > _ON_A_PAGE else None,
        took=_took,
        how=_how,
        kept_hours=int(REQUESTS_KEPT.total_seconds() // 3600),
        masked_for_all=True,
    )


def _took(found: RecordedRequest) -> str:
    return decimal(found.seconds * 1000)


def _how(found: RecordedRequest) -> str:
    """Return as what state an answer is shown."""
    if not found.status:
        return "failed"
    return ("good", "good", "good", "off", "warning", "failed")[min(found.status // 100, 5)]


@needs(Role.OPERATOR)
def start(serial: str) -> ResponseReturnValue:
    """Have the requests of a device recorded for an hour from now on."""
    number = parse_serial(serial)
    try:
        start_recording(served().site, number, actor(), now())
    except SiteError as error:
        flash(gettext("Nothing is recorded: %(error)s.", error=in_words(error)), "danger")
    else:
        flash(gettext("From now on, each request of this device is recorded, for an hour."), "success")
    return redirect(url_for("devices.requests", serial=str(number)), 303)


@needs(Role.OPERATOR)
def stop(serial: str) -> ResponseReturnValue:
    """Record the requests of a device no longer."""
    number = parse_serial(serial)
    if stop_recording(served().site, number, actor(), now()):
        flash(gettext("Requests of this device are no longer recorded."), "success")
    else:
        flash(gettext("Its requests were not recorded any more."), "warning")
    return redirect(url_for("devices.requests", serial=str(number)), 303)


@needs(Role.OPERATOR)
def as_text(serial: str) -> Response:
    """Return all that is recorded of a device as text, the newest first."""
    number = _opened(serial)
    blocks = ("\n".join(request_lines(each)) for each in all_requests(served().site.recordings, number))
    return _file(f"requests-{number}.txt", "text/plain; charset=utf-8", "\n\n".join(blocks) + "\n")


@needs(Role.OPERATOR)
def as_json(serial: str) -> Response:
    """Return all that is recorded of a device as JSON, the newest first."""
    number = _opened(serial)
    facts = recorded_facts(served().site.recordings, number, now())
    return _file(f"requests-{number}.json", "application/json", json.dumps(facts, indent=2) + "\n")


def _opened(serial: str) -> Serial:
    """Return the serial number of a device whose requests somebody saves, which the audit has."""
    device = device_at(served().fleet(), serial)
    looked(Kind.REQUESTS_VIEW, str(device.serial), "downloaded")
    return device.serial


def _file(name: str, kind: str, content: str) -> Response:
    return Response(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
