"""Pages of people: log-in, one's own account, everybody's; the audit hangs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from flask import Blueprint, flash, redirect, render_template, request, url_for

from gitupd.core.people.person import Role, lower_role, parse_days, parse_role
from gitupd.errors import GitupdError, InvalidEntry, SiteError
from gitupd.language.languages import LANGUAGES, own_name
from gitupd.service.clock import now
from gitupd.service.people.access import LoggedIn
from gitupd.service.people.login import Refused, Slowed
from gitupd.service.people.passwords import generated_password
from gitupd.web.access import (
    access,
    actor,
    begin_session,
    client_address,
    end_session,
    is_logged_in,
    local_path,
    lost_form,
    needs,
)
from gitupd.web.context import served
from gitupd.web.language.choosing import by_browser, choose, chosen_language
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext, marked, ngettext, translated
from gitupd.web.pages import auditing
from gitupd.web.pages.listing import kept_columns, title_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from flask.typing import ResponseReturnValue

bp = Blueprint("people", __name__)
bp.add_url_rule("/audit", "audit", auditing.audit)
bp.add_url_rule("/audit.csv", "audit_table", auditing.audit_table)

_LARGEST_ID = 2**31 - 1
_WRONG = marked("The name or the password is wrong.")
_BACK = marked("Nothing was done: your session had ended when the form arrived. Here is its page again.")


# Log-in


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Ask who somebody is, and lead them to where they wanted to go."""
    target = local_path(request.values.get("next"))
    if request.method != "POST":
        return redirect(target) if is_logged_in() else _login_page(target)
    name, password = request.form.get("name", ""), request.form.get("password", "")
    outcome = access().log_in(name, password, client_address(), now())
    match outcome:
        case LoggedIn(_, key):
            is_lost = lost_form() == target
            begin_session(key)
            if is_lost:
                flash(gettext(_BACK), "warning")
            return redirect(target, 303)
        case Refused():
            return _login_page(target, name, gettext(_WRONG)), 403
        case Slowed(pause):
            return _login_page(target, name, _slowed(pause)), 429, {"Retry-After": str(_seconds(pause))}
    assert_never(outcome)


def _login_page(target: str, name: str = "", fault: str = "") -> str:
    nobody = not served().site.people.users()
    lost = lost_form() == target
    return render_template("login.html", target=target, name=name, fault=fault, nobody=nobody, lost=lost)


def _slowed(pause: timedelta) -> str:
    seconds = _seconds(pause)
    if seconds <= 90:  # noqa: PLR2004 - as people say it
        return ngettext(
            "There were too many failed log-ins. Wait %(number)s second, then try again.",
            "There were too many failed log-ins. Wait %(number)s seconds, then try again.",
            seconds,
        )
    return ngettext(
        "There were too many failed log-ins. Wait %(number)s minute, then try again.",
        "There were too many failed log-ins. Wait %(number)s minutes, then try again.",
        -(-seconds // 60),
    )


def _seconds(pause: timedelta) -> int:
    return int(pause.total_seconds()) + 1


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session."""
    end_session()
    flash(gettext("You are logged out."), "success")
    return redirect(url_for("people.login"), 303)


# One's own account


@bp.get("/account")
def account() -> str:
    """Show who one is, and one's tokens."""
    return _account_page()


def _account_page(fault: str = "", key: str | None = None) -> str:
    return render_template(
        "account.html",
        tokens=served().site.people.tokens(actor().name),
        roles=[role for role in Role if actor().role.allows(role)],
        lower_role=lower_role,
        now=now(),
        fault=fault,
        key=key,
        languages=[(each, own_name(each)) for each in LANGUAGES],
        chosen=chosen_language(),
        by_browser=own_name(by_browser()),
        columns=[title_of(column) for column in kept_columns()],
    )


@bp.post("/account/language")
def choose_language() -> ResponseReturnValue:
    """Choose the language that one reads pages in, or leave it to the browser."""
    language = request.form.get("language", "")
    if language and language not in LANGUAGES:
        return _account_page(gettext("There is no such language. Nothing was changed.")), 400
    access().set_language(actor(), language or None)
    choose(language or None)
    flash(gettext("The pages are in English now."), "success")
    return redirect(url_for("people.account"), 303)


@bp.post("/account/columns")
def forget_columns() -> ResponseReturnValue:
    """Have the usual columns in the list of devices again."""
    access().keep_device_columns(actor(), None)
    flash(gettext("The list of devices has the usual columns again."), "success")
    return redirect(url_for("people.account"), 303)


@bp.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Change one's own password; all other sessions end."""
    form = request.form
    if form.get("password", "") != form.get("again", ""):
        return _account_page(gettext("The two new passwords differ. Nothing was changed.")), 400
    try:
        outcome = access().change_own_password(actor(), form.get("present", ""), form.get("password", ""), now())
    except InvalidEntry as error:
        return _account_page(gettext("Nothing was changed: %(error)s.", error=in_words(error))), 400
    match outcome:
        case LoggedIn(_, key):
            begin_session(key)
            flash(gettext("Your password is changed, and you are logged out everywhere else."), "success")
            return redirect(url_for("people.account"), 303)
        case Refused():
            return _account_page(gettext("That is not your present password. Nothing was changed.")), 403
        case Slowed(pause):
            return _account_page(_slowed(pause)), 429, {"Retry-After": str(_seconds(pause))}
    assert_never(outcome)


@bp.post("/account/tokens")
def add_token() -> ResponseReturnValue:
    """Add a token of one's own, and show its key this once."""
    form = request.form
    try:
        role, days = parse_role(form.get("role", "")), parse_days(form.get("days", ""))
        _, key = access().add_token(actor(), actor().name, form.get("title", ""), now(), role=role, days=days)
    except InvalidEntry as error:
        return _account_page(gettext("No token was made: %(error)s.", error=in_words(error))), 400
    return _account_page(key=key)


@bp.post("/account/tokens/<int:token>/revoke")
def revoke_token(token: int) -> ResponseReturnValue:
    """Revoke a token of one's own."""
    try:
        revoked = access().revoke(actor(), min(token, _LARGEST_ID), now(), owner=actor().name)
    except SiteError:
        return _account_page(gettext("You have no such token any more.")), 404
    flash(gettext("The token “%(title)s” no longer opens anything.", title=revoked.title), "success")
    return redirect(url_for("people.account"), 303)


# Everybody


@bp.get("/people")
@needs(Role.ADMINISTRATOR)
def index() -> str:
    """Show who may log in, and as what."""
    return _people_page()


def _people_page(fault: str = "", shown: tuple[str, str] | None = None) -> str:
    """Return the page; *shown* is a name and its new password, which is shown this once."""
    people = served().site.people.users()
    return render_template("people.html", people=people, roles=list(Role), fault=fault, shown=shown)


@bp.post("/people")
@needs(Role.ADMINISTRATOR)
def add() -> ResponseReturnValue:
    """Add somebody with a password made here, which is shown this once."""
    password = generated_password()
    try:
        role = parse_role(request.form.get("role", ""))
        person = access().add(actor(), request.form.get("name", ""), role, password, now())
    except GitupdError as error:
        return _people_page(gettext("Nobody was added: %(error)s.", error=in_words(error))), 400
    return _people_page(shown=(person.name, password))


@bp.post("/people/<name>/role")
@needs(Role.ADMINISTRATOR)
def set_role(name: str) -> ResponseReturnValue:
    """Give somebody another role."""
    role = request.form.get("role", "")
    done = gettext("%(name)s is %(role)s now.", name=name, role=translated(role))
    return _done(lambda: access().set_role(actor(), name, parse_role(role), now()), done)


@bp.post("/people/<name>/disable")
@needs(Role.ADMINISTRATOR)
def disable(name: str) -> ResponseReturnValue:
    """Keep somebody out."""
    done = gettext("%(name)s is disabled, and logged out.", name=name)
    return _done(lambda: access().set_disabled(actor(), name, now(), disabled=True), done)


@bp.post("/people/<name>/enable")
@needs(Role.ADMINISTRATOR)
def enable(name: str) -> ResponseReturnValue:
    """Let somebody in again."""
    done = gettext("%(name)s may log in again.", name=name)
    return _done(lambda: access().set_disabled(actor(), name, now(), disabled=False), done)


@bp.post("/people/<name>/remove")
@needs(Role.ADMINISTRATOR)
def remove(name: str) -> ResponseReturnValue:
    """Remove somebody with their tokens."""
    return _done(lambda: access().remove(actor(), name, now()), gettext("%(name)s is removed.", name=name))


@bp.post("/people/<name>/password")
@needs(Role.ADMINISTRATOR)
def new_password(name: str) -> ResponseReturnValue:
    """Give somebody a new password, which is shown this once; their sessions end."""
    password = generated_password()
    try:
        access().set_password(actor(), name, password, now())
    except GitupdError as error:
        return _people_page(gettext("Nothing was changed: %(error)s.", error=in_words(error))), 400
    return _people_page(shown=(name, password))


def _done(deed: Callable[[], None], done: str) -> ResponseReturnValue:
    try:
        deed()
    except GitupdError as error:
        return _people_page(gettext("Nothing was changed: %(error)s.", error=in_words(error))), 400
    flash(done, "success")
    return redirect(url_for("people.index"), 303)
