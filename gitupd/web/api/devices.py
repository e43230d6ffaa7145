"""Devices and the fleet, for programs."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.core.stories.happening import StoryTopic
from gitupd.errors import InvalidEntry
from gitupd.service.answers import shown_answers
from gitupd.service.backups.history import parse_moment
from gitupd.service.comparison.fleet_file import poll_facts
from gitupd.service.facts import (
    answer_facts,
    device_facts,
    fleet_facts,
    happening_facts,
    inspected_facts,
    line_facts,
    name_facts,
)
from gitupd.service.fleet import SORTS
from gitupd.service.listing.columns import LONGEST, Listing, chosen
from gitupd.service.listing.environments import ORDERS, environment_facts, environments_of
from gitupd.service.stories.beside import pair_facts, paired_scripts
from gitupd.service.stories.telling import Story
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, missing, page
from gitupd.web.api.reading import (
    FEW,
    LONGEST_SEARCH,
    PAGING,
    RefusedRequest,
    one_of,
    query,
    search_of,
    serial,
    switch,
    text,
    time_of,
)
from gitupd.web.context import served
from gitupd.web.revisions import veil, veil_for

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.device import Device
    from gitupd.core.policy import Query
    from gitupd.service.fleet import Fleet
    from gitupd.service.listing.columns import Column

bp = Blueprint("devices", __name__)
_COLUMNS = text(LONGEST, 1)


@bp.get("/devices")
def index() -> Response:
    """Find devices."""
    asked = query(q=text(LONGEST_SEARCH), sort=one_of(SORTS), desc=switch, columns=_columns, **PAGING)
    limit, offset = asked.get("limit", FEW), asked.get("offset", 0)
    fleet = served().fleet()
    matches = fleet.find(
        search_of(asked.get("q", "")),
        sort=asked.get("sort", "serial"),
        descending=asked.get("desc", False),
        limit=limit,
        offset=offset,
    )
    hide = veil()
    polls = served().site.inventory.last_polls(device.serial for device in matches.devices)
    listed = [
        {**device_facts(fleet, device, hide=hide), "last_poll": poll_facts(polls.get(device.serial, device), hide)}
        for device in matches.devices
    ]
    if "columns" in asked:
        listing = Listing(served().site, fleet, asked["columns"], _queries(), hide)
        for facts, columns in zip(listed, listing.facts(matches.devices), strict=True):
            facts["columns"] = columns
    goes_on = matches.devices and offset + limit < matches.total
    return page({"devices": listed, "total": matches.total}, offset=offset + limit if goes_on else None)


def _columns(value: Any) -> tuple[Column, ...]:
    """Return the columns that a query parameter names; raises ValueError."""
    try:
        return chosen(_COLUMNS(value), _queries())
    except InvalidEntry as error:
        raise ValueError(str(error)) from error


def _queries() -> tuple[Query, ...]:
    live = served().live
    return live.snapshot.policy.queries if live else ()


@bp.get("/devices/<sn>")
def show(sn: str) -> Response:
    """Tell all that is remembered of a device."""
    query()
    fleet, device = _known(sn)
    next_step, progress = served().inspection(device).next_step(), served().measures().progress(device)
    return answer(inspected_facts(fleet, device, next_step, veil(), progress))


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
    script = inspection.now_lines() if which == "now" else inspection.last_lines()
    if script is None:
        nothing = "nothing is deployed, or the device never polled" if which == "now" else "it never got snippets"
        raise missing(f"such script: {nothing}")
    hide = veil_for(script)
    return answer(
        {
            "which": which,
            "commit": script.commit,
            "executed": script.executed,
            "failure": script.failure,
            "lines": [line_facts(line, hide) for line in script.lines],
            "snippets": [{"path": each.path, "reason": each.reason} for each in script.selected],
        }
    )


@bp.get("/devices/<sn>/difference")
def difference(sn: str) -> Response:
    """Tell what a device has in common with another one, and what not."""
    other_serial = query(**{"with": serial}).get("with")
    if other_serial is None:
        raise RefusedRequest(400, "with: missing")
    device, other = _known(sn)[1], _known(str(other_serial))[1]
    if other.serial == device.serial:
        raise RefusedRequest(400, "with: that is this very device")
    scripts = paired_scripts(*(served().inspection(each).now_lines() for each in (device, other)))
    return answer(pair_facts(device, other, scripts, veil()))


@bp.get("/devices/<sn>/snippets")
def snippets(sn: str) -> Response:
    """Tell under which names a device would get snippets, whether there are such snippets or not."""
    query()
    _, device = _known(sn)
    return answer({"snippets": name_facts(served().inspection(device).snippet_names())})


@bp.get("/devices/<sn>/timeline")
def timeline(sn: str) -> Response:
    """Tell what happened to a device."""
    asked = query(topic=one_of(StoryTopic), before=time_of(parse_moment), limit=PAGING["limit"])
    _, device = _known(sn)
    site, live = served().site, served().live
    answers = shown_answers(live.snapshot.policy.queries if live else (), site.answers.of(device.serial))
    story = Story(site, device, veil(), answers, with_deeds=actor().role.allows(Role.AUDITOR))
    found = story.page(asked.get("limit", FEW), asked.get("before"), asked.get("topic"))
    before = None if found.earlier is None else found.earlier.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return page({"happenings": [happening_facts(each) for each in found.happenings]}, before=before)


@bp.get("/devices/<sn>/answers")
def answers(sn: str) -> Response:
    """Tell what a device answered to queries."""
    query()
    _, device = _known(sn)
    hide = veil()
    found = shown_answers(_queries(), served().site.answers.of(device.serial))
    return answer({"answers": [answer_facts(each, hide) for each in found]})


@bp.get("/fleet")
def summary() -> Response:
    """Tell the fleet in numbers."""
    query()
    live, blocked, measures = served().live, served().site.deployments.blocked(), served().measures()
    convergence = measures.live()
    told = (convergence, measures.pace(convergence))
    return answer(fleet_facts(served().fleet().summary(), live.deployment if live else None, blocked, *told))


@bp.get("/environments")
def environments() -> Response:
    """Tell how the environments stand that devices are in."""
    order = query(sort=one_of(ORDERS)).get("sort", "worst")
    return answer({"environments": environment_facts(environments_of(served().fleet(), order))})


def _known(sn: str) -> tuple[Fleet, Device]:
    """Return a device by its serial number; raises MalformedRequest, RefusedRequest if it is unknown."""
    serial = parse_serial(sn)
    fleet = served().fleet()
    device = fleet.device(serial)
    if device is None:
        raise missing(f"device {serial}")
    return fleet, device
