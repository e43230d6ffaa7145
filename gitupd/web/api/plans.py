"""What changes do to the devices, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.core.snapshot import CommitId
from gitupd.service.clock import now
from gitupd.service.comparison.kept import KeptPlan, PlanFailed, PlanInProgress, Plans
from gitupd.service.comparison.reporting import group_facts, member_facts, plan_facts
from gitupd.web.api.answering import answer, missing, page
from gitupd.web.api.deployments import LONGEST_REVISION, commit_of
from gitupd.web.api.reading import LARGEST_ID, PAGING, RefusedRequest, body, query, text, whole
from gitupd.web.context import served
from gitupd.web.planned import failure_of, plan_veil
from gitupd.web.revisions import readable

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.comparison.grouping import FleetComparison
    from gitupd.service.comparison.kept import Plan

bp = Blueprint("plans", __name__)
_COMMIT = text(40, 40, "[0-9a-f]{40}")
_GROUPS, _MOST_GROUPS = 20, 100
_MEMBERS = 100
_REVISION = text(LONGEST_REVISION, 1)


@bp.get("/plans")
def index() -> Response:
    """Tell of which commits plans are kept."""
    limit = query(limit=PAGING["limit"]).get("limit", _MEMBERS)
    return answer({"plans": [_facts(plan.base, plan.head, plan) for plan in Plans(served().site).kept(limit)]})


@bp.post("/plans")
def ask() -> Response:
    """Have the plan of two commits made, unless it is known."""
    query()
    said = body({"head": _REVISION}, {"base": _REVISION})
    live = served().live
    if "base" not in said and live is None:
        raise RefusedRequest(409, "Nothing is deployed yet, so base must name a commit.")
    base = commit_of(said["base"]) if "base" in said or live is None else live.deployment.commit
    return _told(base, commit_of(said["head"]))


@bp.get("/plans/<base>/<head>")
def show(base: str, head: str) -> Response:
    """Tell the plan of two commits, or how far it is."""
    query()
    return _told(*_commits(base, head))


@bp.get("/plans/<base>/<head>/groups")
def groups(base: str, head: str) -> Response:
    """Tell which devices would get what else, those together that would get the same."""
    asked = query(limit=whole(1, _MOST_GROUPS), offset=PAGING["offset"])
    limit, offset = asked.get("limit", _GROUPS), asked.get("offset", 0)
    comparison = _comparison(*_commits(base, head))
    hide = plan_veil(comparison.base, comparison.head)
    listed = [
        group_facts(comparison, number, lambda line: readable(line, hide.line))
        for number in range(offset + 1, min(offset + limit, len(comparison.groups)) + 1)
    ]
    following = offset + limit if offset + limit < len(comparison.groups) else None
    return page({"groups": listed}, offset=following)


@bp.get("/plans/<base>/<head>/groups/<group>/devices")
def members(base: str, head: str, group: str) -> Response:
    """Tell which devices are in a group."""
    asked = query(**PAGING)
    limit, offset = asked.get("limit", _MEMBERS), asked.get("offset", 0)
    number = _path("group", group, whole(1, LARGEST_ID))
    comparison = _comparison(*_commits(base, head))
    if number > len(comparison.groups):
        raise missing(f"group {number} in this plan")
    all_of_them = comparison.groups[number - 1].members
    listed = [member_facts(member) for member in all_of_them[offset : offset + limit]]
    following = offset + limit if offset + limit < len(all_of_them) else None
    return page({"devices": listed}, offset=following)


def _path(name: str, value: str, read: Any) -> Any:
    """Return what a part of the path says; raises RefusedRequest if it is none."""
    try:
        return read(value)
    except ValueError as error:
        raise RefusedRequest(400, f"{name}: {error}") from error


def _commits(base: str, head: str) -> tuple[CommitId, CommitId]:
    """Return the commits in a path; raises RefusedRequest if there is no such commit."""
    ids = [CommitId(_path(name, value, _COMMIT)) for name, value in (("base", base), ("head", head))]
    with served().site.open_config() as repository:
        for commit in ids:
            if not repository.has(commit) and not served().site.deployments.was_deployed(commit):
                raise missing(f"commit {commit}")
    return ids[0], ids[1]


def _comparison(base: CommitId, head: CommitId) -> FleetComparison:
    comparison = Plans(served().site).comparison(base, head)
    if comparison is None:
        raise missing("plan of these commits yet; POST to /api/v1/plans has it made")
    return comparison


def _told(base: CommitId, head: CommitId) -> Response:
    """Return what is known of a plan: 202 while it is being made."""
    plan = Plans(served().site).wanted(base, head, now())
    response = answer(_facts(base, head, plan), 202 if isinstance(plan, PlanInProgress) else 200)
    if isinstance(plan, PlanInProgress):
        response.headers["Retry-After"] = "1"
    return response


def _facts(base: CommitId, head: CommitId, plan: Plan) -> dict[str, Any]:
    known: KeptPlan | None = None
    progress, reason = None, ""
    match plan:
        case KeptPlan():
            state, known = "made", plan
        case PlanInProgress(done, total, _, known):
            state, progress = "making", {"done": done, "total": total}
        case PlanFailed():
            state, reason = "failed", failure_of(plan)
    told = None if known is None else plan_facts(known)
    return {"base": base, "head": head, "state": state, "progress": progress, "reason": reason, "plan": told}
