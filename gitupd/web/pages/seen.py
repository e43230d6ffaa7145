"""The page of commits that were seen on the followed branch, and what people say before one is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from gitupd.core.deployments.objection import Gate
from gitupd.core.deployments.state import CommitState
from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import InvalidEntry, SiteError, UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments import words
from gitupd.web import clock
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.pages import paging
from gitupd.web.revisions import resolve, verdicts
from gitupd.web.wording import short

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from werkzeug.wrappers import Response

    from gitupd.core.deployments.objection import Objection
    from gitupd.core.snapshot import CommitId

bp = Blueprint("seen", __name__)

_LISTED = 50
_LAST = 10**9


APPROVED = frozenset({Gate.FREEZE, Gate.BRAKE, Gate.APPROVAL})
"""Gates that no longer hold a commit, or not for good, once a second person has approved it."""


def may_approve(commit: CommitId, objections: Iterable[Objection]) -> bool:
    """Whether whoever asks may approve *commit*, and *objections* to it are such that this helps."""
    who, live = actor(), served().live
    helps = any(each.gate in APPROVED - {Gate.FREEZE} and not each.is_pending for each in objections)
    if not helps or not who.role.allows(Role.OPERATOR):
        return False
    signers = live.snapshot.signers if live else words.NOBODY
    return not words.is_own(served().site, commit, who.name, signers, now())


def may_deploy(commit: CommitId, objections: Collection[Objection]) -> bool:
    """Whether whoever asks may deploy *commit* from a page, in spite of *objections* that the server has to it.

    Whoever does so by hand approves it by that, unless it is their own.
    """
    who = actor()
    if not who.role.allows(Role.OPERATOR):
        return False
    own = verdicts().objections(commit, now(), who.name) if objections else ()
    return all(each.gate.is_overruled for each in own)


@bp.get("/commits")
def index() -> str:
    """Show the latest commits of the branch, what became of each, and whether deployments are frozen."""
    site, live = served().site, served().live
    before = paging.number(request.args.get("before"), 0, _LAST) or None
    chosen = request.args.get("state", "")
    states = [CommitState(chosen)] if chosen in set(CommitState) else []
    found = site.commits.latest(_LISTED + 1, before, states)
    return render_template(
        "commits.html",
        live=live,
        records=found[:_LISTED],
        counts={state.value: count for state, count in site.commits.counts().items() if count},
        chosen=states[0].value if states else "",
        before=before,
        older=found[_LISTED - 1].id if len(found) > _LISTED else None,
        freeze=site.freezes.current(now()),
        zone=clock.zone_name(),
        longest=words.LONGEST_REASON,
    )


@bp.post("/commits/<path:rev>/approve")
@needs(Role.OPERATOR)
def approve(rev: str) -> Response:
    """Approve a commit."""
    who = actor()
    try:
        commit = resolve(rev)
    except UnreadableRepository:
        abort(404)
    try:
        reason = request.form.get("reason", "")
        words.approve(served().site, commit, who=who.name, now=now(), reason=reason, address=who.address)
        flash(gettext("You have approved %(commit)s.", commit=short(commit)))
    except (SiteError, InvalidEntry) as error:
        flash(f"{capital(in_words(error))}.", "error")
    return redirect(url_for("commits.show", rev=commit), 303)


@bp.post("/deployments/freeze")
@needs(Role.OPERATOR)
def freeze() -> Response:
    """Have nothing be deployed by itself."""
    site, who = served().site, actor()
    until = request.form.get("until", "").strip()
    try:
        end = words.parse_end(until, site.settings.zone) if until else None
        reason = request.form.get("reason", "")
        words.freeze(site, who=who.name, now=now(), reason=reason, until=end, address=who.address)
        flash(gettext("Deployments are frozen."))
    except InvalidEntry as error:
        flash(f"{capital(in_words(error))}.", "error")
    return redirect(url_for("seen.index"), 303)


@bp.post("/deployments/unfreeze")
@needs(Role.OPERATOR)
def unfreeze() -> Response:
    """Lift the freeze that somebody has ordered."""
    who = actor()
    try:
        words.unfreeze(served().site, who=who.name, now=now(), address=who.address)
        flash(gettext("The freeze is lifted."))
    except SiteError as error:
        flash(f"{capital(in_words(error))}.", "error")
    return redirect(url_for("seen.index"), 303)
