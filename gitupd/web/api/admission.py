"""Whom to let in, and one-time codes, for programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.admission.admittance import Decision
from gitupd.core.caller import parse_serial
from gitupd.core.people.person import LONGEST_TITLE, Role
from gitupd.core.search import InState
from gitupd.errors import InvalidEntry
from gitupd.service.admission.codes import LONGEST_DAYS, MOST_AT_ONCE, make_codes, revoke_codes
from gitupd.service.clock import now
from gitupd.service.facts import code_facts
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, missing
from gitupd.web.api.reading import LARGEST_ID, RefusedRequest, body, number, one_of, query, text, whole
from gitupd.web.context import served

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("admission", __name__)
_DECISION = one_of(Decision)
_LONGEST_SEARCH = 500
_MOST_DEVICES = 100_000


@bp.put("/devices/<sn>/admission")
@needs(Role.OPERATOR)
def decide(sn: str) -> Response:
    """Decide on a device, whether it ever called or not."""
    query()
    given = body({"decision": _DECISION})
    served().fleet().decide([parse_serial(sn)], given["decision"], actor())
    return done()


@bp.post("/admissions")
@needs(Role.OPERATOR)
def decide_on_some() -> Response:
    """Decide on the unknown devices that a search finds, unless they are more than was agreed to."""
    query()
    given = body({"q": text(_LONGEST_SEARCH), "decision": _DECISION, "most": number(1, _MOST_DEVICES)})
    fleet, decision = served().fleet(), given["decision"]
    try:
        search = fleet.checked(given["q"])
    except InvalidEntry as error:
        raise RefusedRequest(400, str(error)) from error
    if decision is Decision.WITHDRAWN:
        serials = fleet.decided(search)
    else:
        serials = fleet.serials(replace(search, terms=(*search.terms, InState("unknown"))))
    if len(serials) > given["most"]:
        raise RefusedRequest(409, f"These are {len(serials):,} devices, more than {given['most']:,}; nothing was done.")
    if serials:
        fleet.decide(serials, decision, actor())
    return answer({"decision": decision.value, "devices": sorted(map(str, serials))})


@bp.get("/codes")
@needs(Role.OPERATOR)
def codes() -> Response:
    """Tell which codes there are."""
    query()
    return answer({"codes": [code_facts(code, now()) for code in served().site.codes.listed()]})


@bp.post("/codes")
@needs(Role.OPERATOR)
def add_codes() -> Response:
    """Make codes, and tell them this once."""
    query()
    given = body({"title": text(LONGEST_TITLE, 1)}, {"count": number(1, MOST_AT_ONCE), "days": number(1, LONGEST_DAYS)})
    made = make_codes(served().site, actor(), now(), **given)
    return answer({"codes": [code_facts(code, now()) | {"code": shown} for code, shown in made]}, 201)


@bp.delete("/codes/<code>")
@needs(Role.OPERATOR)
def revoke_code(code: str) -> Response:
    """Revoke a code that no device has used."""
    query()
    try:
        number_of: int = whole(1, LARGEST_ID)(code)
    except ValueError as error:
        raise RefusedRequest(400, f"code: {error}") from error
    if not revoke_codes(served().site, [number_of], actor(), now()):
        raise missing(f"open code {number_of}")
    return done()
