"""The page Trust: whose certificates identify devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from gitupd.core.people.person import Role
from gitupd.errors import GitupdError
from gitupd.service.certificates.authorities import add_trust, remove_trust, trusted
from gitupd.service.clock import now
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("trust", __name__)


@bp.get("/trust")
@needs(Role.OPERATOR)
def index() -> str:
    """Show what the site trusts."""
    return _page()


def _page(fault: str = "") -> str:
    live = served().live
    policy = live.snapshot.policy if live else None
    return render_template(
        "trust.html",
        what=trusted(served().site.trust.read(), now()),
        is_required=policy is not None and policy.transport.wants_certificate,
        named=policy.certificates.authorities if policy else (),
        fault=fault,
    )


@bp.post("/trust")
@needs(Role.ADMINISTRATOR)
def add() -> ResponseReturnValue:
    """Trust the authorities in a file, or in a text."""
    file = request.files.get("file")
    content = file.read() if file else b""
    try:
        names = add_trust(served().site, content or request.form.get("text", "").encode(), actor(), now())
    except GitupdError as error:
        return _page(gettext("Nothing was changed: %(error)s.", error=in_words(error))), 400
    if names:
        flash(gettext("Added: %(names)s.", names=", ".join(names)), "success")
    else:
        flash(gettext("All of it is trusted already."), "success")
    return redirect(url_for("trust.index"), 303)


@bp.post("/trust/remove")
@needs(Role.ADMINISTRATOR)
def remove() -> ResponseReturnValue:
    """Trust what is in a file no more."""
    try:
        file = remove_trust(served().site, request.form.get("file", ""), actor(), now())
    except GitupdError as error:
        return _page(gettext("Nothing was changed: %(error)s.", error=in_words(error))), 400
    done = gettext(
        "Removed: %(file)s. Devices whose certificates lead up to it are not known by them any more.", file=file
    )
    flash(done, "success")
    return redirect(url_for("trust.index"), 303)
