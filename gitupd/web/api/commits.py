"""Commits of the followed branch and what became of them, approvals, and the freeze, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.deployments.state import CommitState
from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import InvalidEntry, UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments import words
from gitupd.service.deployments.telling import commit_facts, freeze_facts, freezes_now
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, missing, page
from gitupd.web.api.reading import FEW, LATEST, RefusedRequest, body, one_of, query, text
from gitupd.web.context import served
from gitupd.web.revisions import resolve

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.snapshot import CommitId

bp = Blueprint("commits", __name__)
_LONGEST_REVISION = 200
_LONGEST_TIME = 40


@bp.get("/commits")
def index() -> Response:
    """Tell which commits were seen, and what became of each."""
    asked = query(state=one_of(CommitState), **LATEST)
    limit, site = asked.get("limit", FEW), served().site
    states = [asked["state"]] if "state" in asked else []
    found = site.commits.latest(limit + 1, asked.get("before"), states)
    listed = [commit_facts(record, site.approvals.of(record.commit)) for record in found[:limit]]
    return page({"commits": listed}, before=found[limit - 1].id if len(found) > limit else None)


@bp.get("/commits/<path:commit>")
def show(commit: str) -> Response:
    """Tell what became of one commit."""
    query()
    site, named = served().site, _commit(commit)
    record = site.commits.of(named)
    if record is None:
        raise missing(f"record of commit {named}")
    return answer(commit_facts(record, site.approvals.of(named)))


@bp.post("/commits/<path:commit>/approvals")
@needs(Role.OPERATOR)
def approve(commit: str) -> Response:
    """Approve a commit."""
    query()
    asked = body({}, {"reason": text(words.LONGEST_REASON)})
    site, who, named = served().site, actor(), _commit(commit)
    words.approve(site, named, who=who.name, now=now(), reason=asked.get("reason", ""), address=who.address)
    return answer({"commit": named, "approvals": [each.who for each in site.approvals.of(named)]}, 201)


@bp.get("/freeze")
def freeze() -> Response:
    """Tell whether deployments are frozen, and why."""
    query()
    return answer(_frozen())


@bp.put("/freeze")
@needs(Role.OPERATOR)
def order_freeze() -> Response:
    """Have nothing be deployed by itself."""
    query()
    asked = body({"reason": text(words.LONGEST_REASON, 1)}, {"until": text(_LONGEST_TIME, 1)})
    site, who, moment = served().site, actor(), now()
    try:
        until = words.parse_end(asked["until"], site.settings.zone) if "until" in asked else None
        words.freeze(site, who=who.name, now=moment, reason=asked["reason"], until=until, address=who.address)
    except InvalidEntry as error:
        raise RefusedRequest(422, f"{capital(str(error))}.") from error
    return answer(_frozen())


@bp.delete("/freeze")
@needs(Role.OPERATOR)
def unfreeze() -> Response:
    """Lift the freeze that somebody has ordered."""
    query()
    site, who = served().site, actor()
    if site.freezes.current(now()) is None:
        raise missing("freeze that somebody has ordered")
    words.unfreeze(site, who=who.name, now=now(), address=who.address)
    return done()


def _frozen() -> dict[str, object]:
    site, moment = served().site, now()
    reasons = [each.text for each in freezes_now(site, served().live, moment)]
    return {"frozen": bool(reasons), "reasons": reasons, "freeze": freeze_facts(site.freezes.current(moment))}


def _commit(revision: str) -> CommitId:
    try:
        return resolve(revision[: _LONGEST_REVISION + 1])
    except UnreadableRepository as error:
        raise missing(f"such commit: {error}") from error
