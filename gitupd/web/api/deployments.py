"""Deployments, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.core.people.person import Role
from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments import deploying
from gitupd.service.facts import deployment_facts, problem_facts
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, missing, page
from gitupd.web.api.reading import FEW, LARGEST_ID, LATEST, RefusedRequest, body, boolean, one_of, query, text, whole
from gitupd.web.context import served
from gitupd.web.revisions import resolve

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.deployments.deployment import Deployment

bp = Blueprint("deployments", __name__)
LONGEST_REVISION = 200
_LONGEST_REASON = 500
_COMMIT = "[0-9a-f]{40}"


@bp.get("/deployments")
def index() -> Response:
    """Tell what was deployed when."""
    asked = query(**LATEST)
    limit = asked.get("limit", FEW)
    store = served().site.deployments
    latest, blocked = store.latest(limit + 1, asked.get("before")), store.blocked()
    measured = served().measures().of(latest[:limit])
    listed = [deployment_facts(deployment, blocked, measured.get(deployment.id)) for deployment in latest[:limit]]
    return page({"deployments": listed}, before=latest[limit - 1].id if len(latest) > limit else None)


@bp.get("/deployments/live")
def live() -> Response:
    """Tell what is deployed now, and how far it has come."""
    query()
    deployment = served().site.deployments.live()
    if deployment is None:
        raise missing("deployment yet")
    return answer(_measured(deployment))


@bp.get("/deployments/<deployment>")
def show(deployment: str) -> Response:
    """Tell one deployment, and how far it has come."""
    query()
    try:
        number: int = whole(1, LARGEST_ID)(deployment)
    except ValueError as error:
        raise RefusedRequest(400, f"deployment: {error}") from error
    found = served().site.deployments.made(number)
    if found is None:
        raise missing(f"deployment {number}")
    return answer(_measured(found))


def _measured(deployment: Deployment) -> dict[str, Any]:
    measures = served().measures()
    convergence = measures.one(deployment)
    blocked = served().site.deployments.blocked()
    return deployment_facts(deployment, blocked, convergence, measures.pace(convergence))


@bp.post("/deployments")
@needs(Role.OPERATOR)
def deploy() -> Response:
    """Deploy a commit, or go back to one."""
    query()
    asked = body(
        {"revision": text(LONGEST_REVISION, 1)},
        {"kind": one_of(("deploy", "rollback")), "reason": text(_LONGEST_REASON), "force": boolean},
    )
    commit, reason = commit_of(asked["revision"]), asked.get("reason", "")
    site, who, moment = served().site, actor(), now()
    decided: dict[str, Any] = {"who": who.name, "now": moment, "reason": reason, "address": who.address}
    if asked.get("kind", "deploy") == "deploy":
        deployment, warnings = deploying.deploy(site, commit, force=asked.get("force", False), patience=0, **decided)
    else:
        deployment, warnings = deploying.rollback(site, commit, **decided)
    return answer(
        {"deployment": _measured(deployment), "warnings": [problem_facts(problem) for problem in warnings]}, 201
    )


@bp.delete("/blocked/<commit>")
@needs(Role.OPERATOR)
def unblock(commit: str) -> Response:
    """Let a commit be deployed again."""
    query()
    try:
        blocked = CommitId(text(40, 40, _COMMIT)(commit))
    except ValueError as error:
        raise RefusedRequest(400, f"commit: {error}") from error
    site, who = served().site, actor()
    if blocked not in site.deployments.blocked():
        raise missing(f"block on commit {blocked}")
    deploying.unblock(site, blocked, who=who.name, now=now(), address=who.address)
    return done()


def commit_of(revision: str) -> CommitId:
    """Return the commit that *revision* names; raises RefusedRequest if there is none."""
    try:
        return resolve(revision)
    except UnreadableRepository as error:
        raise RefusedRequest(422, f"{error}.") from error
