"""Secrets on pages: hidden from everybody, until somebody who may see them asks, which the audit keeps."""

from __future__ import annotations

from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flask import g, request

from gitupd.core.concealing import HIDDEN
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.web.access import actor, is_logged_in, record
from gitupd.web.context import served
from gitupd.web.problem import for_programs

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

P = ParamSpec("P")
R = TypeVar("R")

_ARGUMENT, _SHOW = "secrets", "show"
_REFRESHED = "X-Refresh"
_LOOKS_ON = timedelta(minutes=10)
"""How long somebody counts as still looking at a page that refreshes itself."""


def install(app: Flask) -> None:
    """Let templates of *app* ask what is shown."""
    app.jinja_env.globals.update(sees_secrets=sees_secrets, offer_of_secrets=offer_of_secrets)


def may_see_secrets() -> bool:
    """Whether who asks may see secrets."""
    return is_logged_in() and actor().role.allows(Role.OPERATOR)


def sees_secrets() -> bool:
    """Whether what is answered is to have secrets: to whoever may see them, programs and downloads have them.

    A page has them only if its address says ``secrets=show``; then the audit says who looked at which page.
    """
    if not may_see_secrets():
        return False
    if for_programs() or g.get("shows_secrets"):
        return True
    if request.args.get(_ARGUMENT) != _SHOW:
        return False
    looked(Kind.SECRETS_SHOW, request.path, "")
    g.shows_secrets = True
    return True


def show_secrets() -> None:
    """Have the answer at hand show secrets to whoever may see them: it says in another way that somebody looks."""
    g.shows_secrets = True


def downloaded(view: Callable[P, R]) -> Callable[P, R]:
    """Have a *view* that answers with a file show secrets to whoever may see them."""

    @wraps(view)
    def whole(*arguments: P.args, **named: P.kwargs) -> R:
        show_secrets()
        return view(*arguments, **named)

    return whole


def looked(kind: Kind, subject: str, detail: str) -> None:
    """Write into the audit that somebody looks at something; as long as a page refreshes itself, not again."""
    if request.headers.get(_REFRESHED):
        last = served().site.audit.entries(1, who=actor().name, kind=kind, subject=subject)
        if last and last[0].detail == detail and now() - last[0].at < _LOOKS_ON:
            return
    record(kind, subject, detail)


def offer_of_secrets(content: str) -> str | None:
    """Return what the page with this *content* offers: to ``show`` what it hides, to ``hide`` it again, or None."""
    if not may_see_secrets() or request.method != "GET":
        return None
    if request.args.get(_ARGUMENT) == _SHOW:
        return "hide"
    return "show" if HIDDEN in content else None
