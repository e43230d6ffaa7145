"""The page of deployments: what is live, what waits, and what was; the others of its family hang on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from gitupd.core.deployments.convergence import Holding
from gitupd.core.deployments.objection import Gate
from gitupd.errors import UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments.changed import changed_files
from gitupd.service.deployments.waiting import waiting
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.pages import paging
from gitupd.web.pages.deployments import deciding, one
from gitupd.web.pages.deployments.reaching import fleet_segments, lasting, reached, segments, times
from gitupd.web.pages.seen import APPROVED, may_approve, may_deploy
from gitupd.web.planned import plan_lately
from gitupd.web.revisions import describe, readable_problems, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.convergence import Convergence
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.convergence import Measures
    from gitupd.service.deployments.waiting import Waiting

bp = Blueprint("deployments", __name__)
bp.add_url_rule("/deployments/<int:number>", "show", one.show)
bp.add_url_rule("/deployments/deploy", "confirm_deploy", deciding.confirm_deploy)
bp.add_url_rule("/deployments/rollback", "confirm_rollback", deciding.confirm_rollback)
bp.add_url_rule("/deployments/deploy", "deploy", deciding.deploy, methods=["POST"])
bp.add_url_rule("/deployments/rollback", "rollback", deciding.rollback, methods=["POST"])
bp.add_url_rule("/deployments/unblock", "unblock", deciding.unblock, methods=["POST"])
bp.add_app_template_filter(lasting, "lasting")

_LISTED = 30
_LAST = 10**9


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A deployment as the list shows it; ``may_return`` if it can be rolled back to.

    ``convergence`` is None if it was not measured. ``changed`` is how many files differ from the commit before, None if
    that can't be told.
    """

    deployment: Deployment
    info: CommitInfo | None
    blocked: str | None
    may_return: bool
    convergence: Convergence | None
    times: str
    holding: Holding
    changed: int | None


@bp.get("/deployments")
def index() -> str:
    """Show what is live, how far the fleet is, what waits, and what was deployed before."""
    live, site, measures = served().live, served().site, served().measures()
    next_up, trouble = _waiting()
    gates = {each.gate for each in next_up.objections if not each.is_pending} if next_up else set[Gate]()
    before = paging.number(request.args.get("before"), 0, _LAST) or None
    latest = site.deployments.latest(_LISTED + 1, before)
    overview = measures.overview()
    summary, holding, convergence = overview.standings, overview.holding, measures.live()
    counts = convergence is not None and convergence.counted > 0
    return render_template(
        "deployments/overview.html",
        live=live,
        info=describe(live.deployment.commit).get(live.deployment.commit) if live else None,
        summary=summary,
        missing_runs=holding.get(live.deployment.commit, Holding()).runs - summary.current if live else 0,
        convergence=convergence if counts else None,
        segments=segments(convergence) if convergence and counts else fleet_segments(summary),
        reached=reached(convergence) if convergence and counts else [],
        times=times(convergence) if convergence else "",
        pace=measures.pace(convergence),
        waiting=next_up,
        gates=gates,
        is_approval_enough=gates <= APPROVED,
        may_approve=next_up is not None and may_approve(next_up.commit.id, next_up.objections),
        may_deploy=next_up is not None and may_deploy(next_up.commit.id, next_up.objections),
        plan=plan_lately(next_up.commit.id) if next_up else None,
        trouble=trouble,
        seconds=_seconds(next_up),
        rows=_rows(latest[:_LISTED], live.deployment.commit if live else None, measures, holding),
        before=before,
        older=latest[_LISTED - 1].id if len(latest) > _LISTED else None,
    )


def _waiting() -> tuple[Waiting | None, str]:
    """Return what waits, or why that can't be told."""
    try:
        next_up = waiting(served().site, served().live, verdicts())
        return next_up and replace(next_up, problems=readable_problems(next_up.problems, next_up.commit.id)), ""
    except UnreadableRepository as error:
        return None, in_words(error)


def _seconds(next_up: Waiting | None) -> int:
    """Return in how many seconds that which waits deploys by itself, 0 if it is due or that can't be told."""
    return max(0, round((next_up.due - now()).total_seconds())) if next_up and next_up.due else 0


def _rows(
    deployments: list[Deployment], live: CommitId | None, measures: Measures, holding: Mapping[CommitId, Holding]
) -> list[DeploymentRow]:
    commits = describe(*(deployment.commit for deployment in deployments))
    blocked = served().site.deployments.blocked()
    measured = measures.of(deployments)
    changed = changed_files(served().site, deployments)
    offered: set[CommitId] = set()
    rows = []
    for each in deployments:
        may_return = each.commit != live and each.commit not in offered and each.commit in commits
        offered.add(each.commit)
        convergence = measured.get(each.id)
        rows.append(
            DeploymentRow(
                each,
                commits.get(each.commit),
                blocked.get(each.commit),
                may_return,
                convergence,
                times(convergence) if convergence else "",
                holding.get(each.commit, Holding()),
                changed[each.id],
            )
        )
    return rows
