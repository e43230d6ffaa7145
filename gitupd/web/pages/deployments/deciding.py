"""Deploying, rolling back and unblocking: what each would change is shown first, and asked about."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for

from gitupd.core.deployments.objection import Doubtful
from gitupd.core.describing import delivery
from gitupd.core.people.person import Role
from gitupd.errors import InvalidConfiguration, SiteError, UnreadableRepository, has_errors
from gitupd.service.clock import now
from gitupd.service.deployments import deploying
from gitupd.service.deployments.live import FOLLOW_SECONDS
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.pages.commits import diffs
from gitupd.web.planned import plan_to, stays_of
from gitupd.web.revisions import resolve, signatures_of, snapshot_of, veil, verdicts, worries
from gitupd.web.wording import short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Response

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.deployments.signature import SignatureVerdict
    from gitupd.core.snapshot import CommitId
    from gitupd.web.pages.commits import FileDiff

_LISTED = 30
_MOST_COMMITS = 50
_MOST_FILES = 100
_LONGEST_REASON = 500
_LAST = 10**9
_PATIENCE = 50


@dataclass(frozen=True, slots=True)
class Step:
    """What a deployment or a rollback would change, to be confirmed.

    ``commits`` are those that come, or with a rollback those that go. ``files`` are those that differ from what is
    live, None if that can't be read any more. ``signatures`` are those of commits, as far as there is something to be
    said of them.
    """

    commit: CommitId
    info: CommitInfo
    commits: list[CommitInfo]
    files: list[FileDiff] | None
    signatures: Mapping[CommitId, SignatureVerdict] = field(default_factory=dict)


@needs(Role.OPERATOR)
def confirm_deploy() -> tuple[str, int]:
    """Show what deploying a commit would change, and ask."""
    return _confirm(_commit(request.args.get("rev", "")), back=False)


@needs(Role.OPERATOR)
def confirm_rollback() -> tuple[str, int]:
    """Show what going back to a commit would change, and ask."""
    return _confirm(_commit(request.args.get("rev", "")), back=True)


@needs(Role.OPERATOR)
def deploy() -> Response | tuple[str, int]:
    """Deploy a commit."""
    who = actor()
    commit = _commit(request.form.get("rev", ""))
    reason = " ".join(request.form.get("reason", "").split())
    if len(reason) > _LONGEST_REASON:
        return _confirm(commit, back=False, trouble=_too_long(), code=400)
    force = request.form.get("force") == "yes"

    def decide() -> str:
        asked = partial(deploying.deploy, served().site, commit, who=who.name, address=who.address)
        asked(now=now(), reason=reason, force=force, patience=0)
        return gettext("%(commit)s is deployed.", commit=short(commit))

    return _decide(commit, decide, back=False)


@needs(Role.OPERATOR)
def rollback() -> Response | tuple[str, int]:
    """Go back to a commit, and block the one that it replaces."""
    who = actor()
    commit = _commit(request.form.get("rev", ""))
    reason = " ".join(request.form.get("reason", "").split())
    if len(reason) > _LONGEST_REASON:
        return _confirm(commit, back=True, trouble=_too_long(), code=400)

    def decide() -> str:
        made, _ = deploying.rollback(served().site, commit, who=who.name, now=now(), reason=reason, address=who.address)
        if not made.replaced:
            return gettext("Rolled back to %(commit)s.", commit=short(commit))
        replaced = short(made.replaced)
        return gettext("Rolled back to %(commit)s; %(replaced)s is blocked.", commit=short(commit), replaced=replaced)

    return _decide(commit, decide, back=True)


@needs(Role.OPERATOR)
def unblock() -> Response:
    """Let a commit be deployed again that a rollback has blocked."""
    who = actor()
    commit = _commit(request.form.get("rev", ""))
    try:
        deploying.unblock(served().site, commit, who=who.name, now=now(), address=who.address)
        flash(gettext("%(commit)s may be deployed again.", commit=short(commit)))
    except SiteError as error:
        flash(f"{in_words(error)}.", "error")
    return redirect(url_for("deployments.index"), 303)


def _too_long() -> str:
    return gettext("the reason is longer than %(number)s characters", number=_LONGEST_REASON)


def _meanwhile(live: Deployment | None) -> str:
    """Return why nothing was decided: not what somebody has looked at is live now."""
    if live is None:
        return gettext("something has changed meanwhile; look again at what would change")
    return gettext(
        "%(who)s has deployed %(commit)s meanwhile; look again at what would change",
        who=live.who,
        commit=short(live.commit),
    )


def _commit(rev: str) -> CommitId:
    try:
        return resolve(rev.strip())
    except UnreadableRepository:
        abort(404)


def _decide(commit: CommitId, decide: Callable[[], str], *, back: bool) -> Response | tuple[str, int]:
    """Decide, if things still are as they were when that was asked; show the page with what came of it."""
    seen = request.form.get("after", "")
    live = served().site.deployments.live()
    if seen != str(live.id if live else 0):
        return _confirm(commit, back=back, trouble=_meanwhile(live), code=409)
    try:
        sentence = decide()
    except InvalidConfiguration:
        return _confirm(commit, back=back, trouble=gettext("the commit has errors, so it was not deployed"), code=409)
    except Doubtful:
        trouble = gettext("it was not deployed: decide, and say why")
        return _confirm(commit, back=back, trouble=trouble, code=409)
    except SiteError as error:
        return _confirm(commit, back=back, trouble=in_words(error), code=409)
    _await_it()
    flash(sentence)
    return redirect(url_for("deployments.index"), 303)


def _await_it() -> None:
    """Give this worker the time to take over what is deployed, so that the next page shows it."""
    decided = served().site.deployments.live()
    for _attempt in range(_PATIENCE):
        live = served().live
        if decided is None or (live is not None and live.deployment.id >= decided.id):
            return
        time.sleep(FOLLOW_SECONDS)


def _confirm(commit: CommitId, *, back: bool, trouble: str = "", code: int = 200) -> tuple[str, int]:
    live = served().site.deployments.live()
    problems = verdicts().of(commit)
    interval, rules = _delivery(commit)
    step = _step(commit, live, back=back)
    is_live = live is not None and live.commit == commit
    faulty = has_errors(problems)
    objections = () if back or faulty else verdicts().objections(commit, now(), actor().name)
    told = {each.subject for each in objections}
    plan = None if is_live else plan_to(commit)
    page = render_template(
        "deployments/confirm.html",
        step=step,
        back=back,
        deployment=live,
        problems=problems,
        worries=worries(commit, told) if not is_live and not faulty else (),
        objections=objections,
        may_be_forced=all(each.gate.is_overruled for each in objections),
        faulty=faulty,
        blocked=served().site.deployments.blocked().get(commit) if not back else None,
        is_live=is_live,
        was_deployed=served().site.deployments.was_deployed(commit),
        summary=served().fleet().summary(),
        interval=interval,
        rules=rules,
        trouble=trouble,
        reason=request.form.get("reason", ""),
        needs_reason=back and deploying.needs_reason(served().site),
        plan=plan,
        stays=stays_of(plan) if back and plan else None,
        most_commits=_MOST_COMMITS,
        most_files=_MOST_FILES,
    )
    return page, code


def _step(commit: CommitId, live: Deployment | None, *, back: bool) -> Step:
    present = live.commit if live else None
    with served().site.open_config() as repository:
        info = repository.describe(commit)
        try:
            base, head = (commit, present) if back and present else (present, commit)
            commits = repository.between(base, head, _MOST_COMMITS + 1)
            changes = repository.changes(present, commit, _MOST_FILES + 1)
        except UnreadableRepository:  # the deployed commit may be gone, and this is how to get out of that
            return Step(commit, info, [], None)
        return Step(commit, info, commits, diffs(changes, veil()), signatures_of(repository, commits[:_MOST_COMMITS]))


def _delivery(commit: CommitId) -> tuple[int | None, list[str]]:
    """Return how many minutes pass until every device has called, and what keeps it from executing, in sentences."""
    snapshot = snapshot_of(commit)
    if snapshot is None:
        return None, []
    policy = snapshot.policy
    rules = delivery(policy.delivery, policy.phases) if policy.delivery.window else ()
    return policy.delivery.interval, [each.text for each in rules if each.keys == ("window",)]
