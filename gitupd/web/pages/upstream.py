"""What people do about the repository that is followed: have it fetched, and agree to a branch that was rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, request, url_for

from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.service.upstream.fetching import accept as accept_head
from gitupd.service.upstream.news import spread_news
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("upstream", __name__)
_LONGEST_REASON = 500


@bp.post("/upstream/fetch")
@needs(Role.OPERATOR)
def fetch() -> ResponseReturnValue:
    """Have it fetched."""
    if served().site.settings.upstream.address is None:
        abort(404)
    spread_news(served().site.path)
    flash(gettext("It is fetched now; in a moment this page says what came of it."), "success")
    return _back()


@bp.post("/upstream/accept")
@needs(Role.ADMINISTRATOR)
def accept() -> ResponseReturnValue:
    """Agree to what was refused."""
    site, who = served().site, actor()
    reason = request.form.get("reason", "")[:_LONGEST_REASON]
    try:
        commit = accept_head(
            site, request.form.get("commit", ""), who=who.name, now=now(), reason=reason, address=who.address
        )
    except GitupdError as error:
        flash(gettext("Nothing was changed: %(error)s.", error=capital(in_words(error))), "danger")
        return _back()
    spread_news(site.path)
    done = gettext("The branch follows to %(commit)s with the next fetch, which is now.", commit=commit[:12])
    flash(done, "success")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("configuration.index", _anchor="upstream"), 303)
