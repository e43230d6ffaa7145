"""Devices and the fleet, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.core.caller import parse_serial
from gitupd.core.people import Role
from gitupd.core.search import parse_search
from gitupd.service.answers import shown
from gitupd.service.facts import device_facts, plain
from gitupd.service.fleet import SORTS
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, line_facts, missing, page
from gitupd.web.api.deployments import deployment_facts
from gitupd.web.api.reading import FEW, PAGING, one_of, query, switch, text
from gitupd.web.context import served
from gitupd.web.revisions import veil, veil_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Response

    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.service.answers import Shown
    from gitupd.service.fleet import Fleet, Share

bp = Blueprint("devices", __name__)
_LONGEST_SEARCH = 500


@bp.get("/devices")
def index() -> Response:
    """Find devices."""
    said = query(q=text(_LONGEST_SEARCH), sort=one_of(SORTS), desc=switch, **PAGING)
    limit, offset = said.get("limit", FEW), said.get("offset", 0)
    fleet = served().fleet()
    found = fleet.find(
        parse_search(said.get("q", "")),
        sort=said.get("sort", "serial"),
        descending=said.get("desc", False),
        limit=limit,
        offset=offset,
    )
    listed = [device_facts(fleet, device) for device in found.devices]
    goes_on = found.devices and offset + limit < found.total
    return page({"devices": listed, "total": found.total}, offset=offset + limit if goes_on else None)


@bp.get("/devices/<sn>")
def show(sn: str) -> Response:
    """Tell all that is remembered of a device."""
    query()
    fleet, device = _known(sn)
    hide = veil()
    messages = [{"at": plain(each.at), "text": hide.line(each.text)} for each in device.messages]
    next_step = hide.line(served().inspection(device).next_step())
    return answer({**device_facts(fleet, device), "messages": messages, "next_step": next_step})


@bp.delete("/devices/<sn>")
@needs(Role.OPERATOR)
def forget(sn: str) -> Response:
    """Forget a device."""
    query()
    fleet, device = _known(sn)
    if not fleet.forget([device.serial], actor()):
        raise missing(f"device {device.serial}")
    return done()


@bp.post("/devices/<sn>/touch")
@needs(Role.OPERATOR)
def touch(sn: str) -> Response:
    """Let a device count as seen now."""
    query()
    fleet, device = _known(sn)
    if not fleet.touch([device.serial], actor()):
        raise missing(f"device {device.serial}")
    return done()


@bp.get("/devices/<sn>/script")
def script(sn: str) -> Response:
    """Tell what a device would get now, or what it got last."""
    which = query(which=one_of(("now", "last"))).get("which", "now")
    _, device = _known(sn)
    inspection = served().inspection(device)
    found = inspection.now_lines() if which == "now" else inspection.last_lines()
    if found is None:
        nothing = "nothing is deployed, or the device never polled" if which == "now" else "it never got snippets"
        raise missing(f"such script: {nothing}")
    hide = veil_for(found)
    return answer(
        {
            "which": which,
            "commit": found.commit,
            "executed": found.executed,
            "failure": found.failure,
            "lines": [line_facts(line, hide) for line in found.lines],
            "snippets": [{"path": each.path, "reason": each.reason} for each in found.selected],
        }
    )


@bp.get("/devices/<sn>/answers")
def answers(sn: str) -> Response:
    """Tell what a device answered to queries."""
    query()
    _, device = _known(sn)
    live = served().live
    queries = live.snapshot.policy.queries if live else ()
    hide = veil()
    found = shown(queries, served().site.answers.of(device.serial))
    return answer({"answers": [_answer_facts(each, hide) for each in found]})


@bp.get("/fleet")
def summary() -> Response:
    """Tell the fleet in numbers."""
    query()
    live, found = served().live, served().fleet().summary()
    return answer(
        {
            "total": found.total,
            "present": found.present,
            "missing": found.missing,
            "current": found.current,
            "waiting": found.waiting,
            "warned": found.warned,
            "phases": _shares(found.phases),
            "firmware": _shares(found.firmware),
            "models": _shares(found.models),
            "environments": _shares(found.environments),
            "last_seen": [asdict(each) for each in found.last_seen],
            "convergence": [{"at": plain(each.at), "count": each.count} for each in found.convergence],
            "deployment": live and deployment_facts(live.deployment, served().site.deployments.blocked()),
        }
    )


def _known(sn: str) -> tuple[Fleet, Device]:
    """Return a device by its serial number; raises MalformedRequest, RefusedRequest if it is unknown."""
    serial = parse_serial(sn)
    fleet = served().fleet()
    device = fleet.device(serial)
    if device is None:
        raise missing(f"device {serial}")
    return fleet, device


def _answer_facts(found: Shown, hide: Veil) -> dict[str, Any]:
    return {
        "query": found.query,
        "title": found.title,
        "received": plain(found.received),
        "values": [{"title": title, "value": hide.variable(title, value)} for title, value in found.values],
        "error": found.error and hide.line(found.error),
    }


def _shares(shares: Iterable[Share]) -> list[dict[str, Any]]:
    return [{"value": share.value, "count": share.count} for share in shares]
