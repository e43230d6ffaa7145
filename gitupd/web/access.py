"""Who may see what: every request of people and programs passes here first, and is refused unless somebody may."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import Forbidden

from gitupd.core.people.person import Actor, Role
from gitupd.service.clock import now
from gitupd.service.people.access import Access, session_key
from gitupd.web.context import served
from gitupd.web.language.choosing import choose
from gitupd.web.language.texts import gettext, translated
from gitupd.web.layout import error_page
from gitupd.web.problem import for_programs, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from gitupd.core.people.audit import Kind
    from gitupd.core.people.person import User

P = ParamSpec("P")
R = TypeVar("R")

LOGIN = "people.login"
_LOGOUT = "people.logout"
_STATIC = frozenset({"static", "bootstrap.static"})
_PUBLIC = _STATIC | {LOGIN}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ACCESS = "GITUPD_ACCESS"
_SESSION_KEY = "key"
_LOST = "lost"
_LONGEST_NEXT = 2000

_csrf = CSRFProtect()


class _Sessions(SecureCookieSessionInterface):
    """Signed cookies, which browsers send back by https only if they came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - the base class names it
        return request.is_secure


def install(app: Flask) -> None:
    """Put the guard before everything that *app* answers; call it once the app knows what it serves."""
    with app.app_context():
        site = served().site
    app.config[_ACCESS] = Access(site)
    app.config.update(
        SESSION_COOKIE_NAME="gitupd_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=site.settings.session_hours * 3600,
        WTF_CSRF_CHECK_DEFAULT=False,  # the guard checks, once it knows who asks
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.secret_key = session_key(site.path)
    app.session_interface = _Sessions()
    _csrf.init_app(app)
    app.jinja_env.globals.update(actor=_actor_or_none, allowed=_is_allowed)
    app.before_request(_guard)
    app.after_request(_keep_from_caches)
    app.register_error_handler(CSRFError, _refuse_form)
    app.register_error_handler(Forbidden, _refuse_role)


def needs(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view answer only to *role* and those above it; without this, everybody who is logged in is answered."""

    def guarded(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*arguments: P.args, **named: P.kwargs) -> R:
            if not actor().role.allows(role):
                raise Forbidden(
                    gettext(
                        "This needs the role %(role)s; yours is %(own)s.",
                        role=translated(role),
                        own=translated(actor().role),
                    )
                )
            return view(*arguments, **named)

        return checked

    return guarded


def is_logged_in() -> bool:
    """Whether it is known who asks."""
    return _actor_or_none() is not None


def actor() -> Actor:
    """Return who asks."""
    who = _actor_or_none()
    if who is None:
        raise RuntimeError("nobody is logged in, and yet the guard let the request pass")
    return who


def person() -> User | None:
    """Return the person whose session it is, None for a program with a token."""
    found: User | None = g.get("person")
    return found


def record(kind: Kind, subject: str, detail: str = "") -> None:
    """Write into the audit what the one who asks has done."""
    who = actor()
    served().site.audit.add(now(), who.name, kind, subject, detail, address=who.address)


def access() -> Access:
    """Return the way into the site."""
    found: Access = current_app.config[_ACCESS]
    return found


def client_address() -> str | None:
    """Return the address of the browser or program that asks, as trusted proxies tell it."""
    return request.remote_addr or None


# Sessions


def begin_session(key: str) -> None:
    """Let the browser have the session *key*, and nothing of what it had before."""
    session.clear()
    session[_SESSION_KEY] = key


def end_session() -> None:
    """End the session at hand here, and have the browser forget it."""
    if key := session.get(_SESSION_KEY):
        access().log_out(actor(), key, now())
    session.clear()


def local_path(text: str | None) -> str:
    """Return *text* if it is a path on this server and nothing else, the first page if not."""
    if not text or not text.startswith("/") or text.startswith("//") or len(text) > _LONGEST_NEXT:
        return "/"
    if "\\" in text or not text.isprintable():
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else text


def lost_form() -> str | None:
    """Return the page with the form that this browser has sent after its session had ended; None if there is none."""
    page = session.get(_LOST)
    return page if isinstance(page, str) else None


def _page_of_the_form() -> str | None:
    """Return the page of this server that a form was sent from, None if none can be told.

    What other sites have a browser send must leave its cookie alone: they know no page here.
    """
    try:
        page = urlsplit(request.referrer or "")
    except ValueError:
        return None
    if request.endpoint == _LOGOUT or page.netloc != request.host:
        return None
    routes = current_app.create_url_adapter(request)
    if routes is None or not routes.test(page.path, "GET"):
        return None
    return local_path(f"{page.path}?{page.query}" if page.query else page.path)


# The guard


def _guard() -> ResponseReturnValue | None:
    """Refuse what comes from nobody, and what a browser was made to send; let pass what remains."""
    g.actor = None
    if request.endpoint in _STATIC:
        return None
    key = _bearer() if for_programs() else None
    g.actor = _by_session() if key is None else access().by_token(key, client_address(), now())
    if g.actor is None and request.endpoint not in _PUBLIC:
        return _refuse(wrong_key=key is not None)
    if key is None and request.method not in _SAFE_METHODS:
        _csrf.protect()
    return None


def _bearer() -> str | None:
    scheme, _, key = request.headers.get("Authorization", "").strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _by_session() -> Actor | None:
    key = session.get(_SESSION_KEY)
    if not isinstance(key, str):
        return None
    person = access().by_session(key, now())
    if person is None:
        return None
    choose(person.language)
    g.person = person
    return Actor(person.name, person.role, client_address())


def _actor_or_none() -> Actor | None:
    found: Actor | None = g.get("actor")
    return found


def _is_allowed(role: str) -> bool:
    """Whether who asks may do what *role* may, for templates."""
    found = _actor_or_none()
    return found is not None and found.role.allows(Role(role))


def _refuse(*, wrong_key: bool) -> ResponseReturnValue:
    if for_programs():
        said = 'Bearer realm="gitupd"' + (', error="invalid_token"' if wrong_key else "")
        detail = (
            "The token is wrong, expired or revoked." if wrong_key else "Send a token: Authorization: Bearer TOKEN."
        )
        return problem(401, "Unauthorized", detail, {"WWW-Authenticate": said})
    if request.method in ("GET", "HEAD"):
        wanted = local_path(request.full_path.removesuffix("?"))
    else:
        form = _page_of_the_form()
        if form is not None:
            session[_LOST] = form
        wanted = form or "/"
    return redirect(url_for(LOGIN) if wanted == "/" else url_for(LOGIN, next=wanted), 303)


def _refuse_form(error: CSRFError) -> Response:
    if for_programs():
        return problem(400, "Bad Request", f"{error.description} Use a token, or send the CSRF token of a page.")
    text = gettext("This form is out of date, or was not sent from a page of this server. Nothing was done.")
    return error_page(
        400, gettext("That form does not count"), text, gettext("Go back, load the page again, and try again.")
    )


def _refuse_role(error: Forbidden) -> Response:
    detail = error.description or gettext("Your role does not allow this.")
    if for_programs():
        return problem(403, "Forbidden", detail)
    return error_page(
        403, gettext("Not for you"), detail, gettext("Ask an administrator for it, or log in as someone else.")
    )


def _keep_from_caches(response: Response) -> Response:
    """Keep what one person may see out of caches, that the next one at the same machine doesn't."""
    if for_programs():
        response.headers.setdefault("Cache-Control", "no-store")
    elif request.endpoint not in _STATIC:
        response.headers["Cache-Control"] = "no-store"
    return response
