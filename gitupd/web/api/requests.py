"""What a device asks and is answered while that is recorded, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.caller import parse_serial
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.stories.recording import recorded_facts, recording_facts, start_recording, stop_recording
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, missing
from gitupd.web.api.reading import RefusedRequest, query
from gitupd.web.context import served
from gitupd.web.showing import looked

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.caller import Serial

bp = Blueprint("requests", __name__)


@bp.get("/devices/<sn>/requests")
@needs(Role.OPERATOR)
def index(sn: str) -> Response:
    """Tell all that is recorded of a device."""
    query()
    serial, recordings = _known(sn), served().site.recordings
    facts = recorded_facts(recordings, serial, now())
    if facts["requests"]:
        looked(Kind.REQUESTS_VIEW, str(serial), "")
    return answer(facts)


@bp.put("/devices/<sn>/recording")
@needs(Role.OPERATOR)
def start(sn: str) -> Response:
    """Have the requests of a device recorded for an hour."""
    query()
    serial = _known(sn)
    try:
        recording = start_recording(served().site, serial, actor(), now())
    except SiteError as error:
        raise RefusedRequest(409, str(error)) from error
    return answer(recording_facts(recording, now()))


@bp.delete("/devices/<sn>/recording")
@needs(Role.OPERATOR)
def stop(sn: str) -> Response:
    """Record the requests of a device no longer."""
    query()
    serial = _known(sn)
    if not stop_recording(served().site, serial, actor(), now()):
        raise missing(f"recording of device {serial} that goes on")
    return done()


def _known(sn: str) -> Serial:
    serial = parse_serial(sn)
    if served().site.inventory.device(serial) is None:
        raise missing(f"device {serial}")
    return serial
