"""Certificates of devices for programs: roll-outs, requests, what is decided on them, and the site's authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import GitupdError, InvalidEntry, MalformedRequest
from gitupd.service.certificates.own_authority import own_authority, own_authority_facts
from gitupd.service.certificates.rolling import RolloutView, rollout_facts
from gitupd.service.certificates.signing import Signing, SigningOutcome, outcome_facts
from gitupd.service.clock import now
from gitupd.service.rollouts.overview import CertificateOverview, summary_facts
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, missing, page
from gitupd.web.api.reading import FEW, PAGING, RefusedRequest, any_text, body, listed, one_of, query, text
from gitupd.web.context import served

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.caller import Serial
    from gitupd.service.certificates.rolling import DeviceRollout

bp = Blueprint("certificates", __name__)
_LONGEST_SEARCH, _LONGEST_PEM, _LONGEST_REASON = 500, 200_000, 200
_MOST_DEVICES = 1_000
_DECISIONS = ("approve", "reject", "restart", "revoke")
_WEEK = text(12, 1, r"ended|later|[0-9]{4}-W[0-9]{2}")


@bp.get("/certificates")
def index() -> Response:
    """Tell how far certificates are rolled out, to the devices of a search."""
    asked = query(q=text(_LONGEST_SEARCH), stage=one_of(Stage), week=_WEEK, **PAGING)
    limit, offset = asked.get("limit", FEW), asked.get("offset", 0)
    overview = CertificateOverview(served().site, served().live, now())
    stages = [asked["stage"]] if "stage" in asked else []
    try:
        choice = overview.choice(stages, asked.get("week", ""), served().fleet().checked(asked.get("q", "")))
    except InvalidEntry as error:
        raise RefusedRequest(400, str(error)) from error
    found, total = overview.listed(choice, limit, offset)
    goes_on = found and offset + limit < total
    facts = {"rollouts": [rollout_facts(each.record) for each in found], "total": total}
    return page(facts, offset=offset + limit if goes_on else None)


@bp.get("/certificates/summary")
def summary() -> Response:
    """Tell the roll-outs in numbers."""
    query()
    overview = CertificateOverview(served().site, served().live, now())
    return answer(summary_facts(overview.summary(), overview.endings()))


@bp.post("/certificates/decisions")
@needs(Role.OPERATOR)
def decide() -> Response:
    """Approve, reject, restart or revoke for some devices, and tell what became of each."""
    query()
    devices = listed(text(40, 1), _MOST_DEVICES)
    given = body({"decision": one_of(_DECISIONS), "devices": devices}, {"reason": text(_LONGEST_REASON, 1)})
    try:
        serials = list(dict.fromkeys(map(parse_serial, given["devices"])))
    except MalformedRequest as error:
        raise RefusedRequest(400, str(error)) from error
    try:
        outcomes = _decided(given["decision"], serials, given.get("reason", ""))
    except GitupdError as error:
        raise RefusedRequest(422, f"{capital(str(error))}.") from error
    return answer({"outcomes": [outcome_facts(each) for each in outcomes]})


def _decided(decision: str, serials: list[Serial], reason: str) -> list[SigningOutcome]:
    if decision == "restart":
        return [_restarted(serial) for serial in serials]
    signing = Signing(served().site)
    if decision == "approve":
        return signing.approve(serials, actor(), now())
    return (signing.reject if decision == "reject" else signing.revoke)(serials, reason, actor(), now())


def _restarted(serial: Serial) -> SigningOutcome:
    try:
        RolloutView(served().site).start_over(serial, actor(), now())
    except GitupdError as error:
        return SigningOutcome(serial, is_done=False, detail=str(error))
    return SigningOutcome(serial, is_done=True, detail="it starts over when it polls next")


@bp.get("/certificates/<sn>")
def show(sn: str) -> Response:
    """Tell how far the roll-out to a device has come."""
    query()
    return answer(rollout_facts(_known(sn)))


@bp.get("/certificates/<sn>/request")
@needs(Role.OPERATOR)
def signing_request(sn: str) -> Response:
    """Tell the signing request of a device."""
    query()
    record = _known(sn)
    if record.rollout.request is None:
        raise missing(f"signing request of device {record.serial}")
    return answer({"serial": str(record.serial), "pem": RolloutView(served().site).request(record.serial).decode()})


@bp.post("/certificates/<sn>/signed")
@needs(Role.OPERATOR)
def hand_in(sn: str) -> Response:
    """Hand in the certificate for the request of a device."""
    query()
    given = body({"pem": any_text(_LONGEST_PEM, 1)})
    record = _known(sn)
    try:
        content = given["pem"].encode(errors="replace")
        record = RolloutView(served().site).hand_in(record.serial, content, actor(), now())
    except GitupdError as error:
        raise RefusedRequest(422, f"{capital(str(error))}.") from error
    return answer(rollout_facts(record))


@bp.get("/authority")
def authority() -> Response:
    """Tell of the site's own authority."""
    query()
    facts = own_authority(served().site, now())
    if facts is None:
        raise missing("authority of this site")
    return answer(own_authority_facts(facts))


def _known(sn: str) -> DeviceRollout:
    """Return the roll-out to a device; raises MalformedRequest, RefusedRequest if nothing is remembered of one."""
    serial = parse_serial(sn)
    record = RolloutView(served().site).of(serial)
    if record is None:
        raise missing(f"roll-out to device {serial}")
    return record
