"""What a change does to the devices: any two commits compared, in words, in groups and in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from gitupd.errors import UnreadableRepository
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.pages import paging
from gitupd.web.planned import group_view, groups_of, plan_of, plan_veil, shown
from gitupd.web.revisions import describe, offers, resolve

if TYPE_CHECKING:
    from gitupd.core.snapshot import CommitId

bp = Blueprint("plans", __name__)

_SIZE = 10
_ROOM = 150_000  # bytes for lines
_DEVICES = 100
_LAST = 1_000_000


@bp.get("/plans")
def index() -> str:
    """Show what one commit does to devices that have another one; without ``base`` the deployed one."""
    base, head, faults = _asked()
    if base is None or head is None:
        return render_template("plans.html", base=base, head=head, faults=faults, offers=offers(), plan=None)
    plan = plan_of(base, head)
    comparison = groups_of(plan)
    number, _ = paging.asked(request.args, (_SIZE,))
    groups = shown(comparison, (number - 1) * _SIZE, _SIZE, _ROOM) if comparison else []
    return render_template(
        "plans.html",
        base=base,
        head=head,
        faults=faults,
        offers=offers(),
        plan=plan,
        groups=groups,
        paging=paging.Paging(number, _SIZE, len(comparison.groups) if comparison else 0),
        infos=describe(base, head),
    )


@bp.get("/plans/group")
def group() -> str:
    """Show one group of a plan: all lines, and all devices, page by page."""
    base, head, _ = _asked()
    if base is None or head is None:
        abort(404)
    plan = plan_of(base, head)
    comparison = groups_of(plan)
    number = paging.number(request.args.get("group"), 0, _LAST)
    if comparison is None or not 0 < number <= len(comparison.groups):
        abort(404)
    one = comparison.groups[number - 1]
    page, size = paging.asked(request.args, (_DEVICES,))
    return render_template(
        "plan_group.html",
        base=base,
        head=head,
        plan=plan,
        group=group_view(comparison, one, number, plan_veil(base, head), _ROOM),
        members=one.members[(page - 1) * size : page * size],
        paging=paging.Paging(page, size, len(one.members)),
    )


def _asked() -> tuple[CommitId | None, CommitId | None, dict[str, str]]:
    """Return the two commits that the address names, None for one that is not there, and what is wrong with them."""
    live, faults = served().live, dict[str, str]()
    commits: list[CommitId | None] = []
    for name in ("base", "head"):
        rev, commit = request.args.get(name, "").strip(), None
        try:
            commit = resolve(rev) if rev else None
        except UnreadableRepository as error:
            faults[name] = in_words(error)
        commits.append(commit)
    if commits[0] is None and "base" not in faults and live is not None:
        commits[0] = live.deployment.commit
    return commits[0], commits[1], faults
