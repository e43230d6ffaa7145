"""The page Notices: who is told of what, what came of it, and a button that tries it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.notices.notifying import send_test
from gitupd.service.notices.telling import state, told
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words, retold
from gitupd.web.language.texts import gettext
from gitupd.web.pages import paging

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("notices", __name__)
_LISTED = 50
_LAST = 2**31 - 1


@bp.get("/notices")
@needs(Role.OPERATOR)
def index() -> str:
    """Show who is told of what, and what there was to tell."""
    outbox = served().site.outbox
    before = paging.number(request.args.get("before"), 0, _LAST) or None
    latest = outbox.latest(_LISTED + 1, before)
    return render_template(
        "notices.html",
        people=told(served().site, served().live),
        counts=outbox.counts(),
        latest=latest[:_LISTED],
        state_of=state,
        older=latest[_LISTED - 1].waiting.number if len(latest) > _LISTED else None,
    )


@bp.post("/notices/test")
@needs(Role.ADMINISTRATOR)
def test() -> ResponseReturnValue:
    """Send a test message to somebody."""
    name = request.form.get("name", "")
    try:
        outcomes = send_test(served().site, name, actor(), now())
    except SiteError as error:
        flash(gettext("Nothing was sent: %(error)s.", error=in_words(error)), "danger")
        return redirect(url_for("notices.index"), 303)
    for channel, fault in outcomes.items():
        if fault is None:
            flash(gettext("%(channel)s to %(name)s: sent.", channel=capital(channel), name=name), "success")
        else:
            flash(
                gettext(
                    "%(channel)s to %(name)s: %(fault)s.",
                    channel=capital(channel),
                    name=name,
                    fault=retold(fault, "errors"),
                ),
                "danger",
            )
    return redirect(url_for("notices.index"), 303)
