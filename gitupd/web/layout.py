"""What stands around the content of every page: style, the bar at the top, refreshing, and pages for errors."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, render_template, request, url_for
from flask_bootstrap import Bootstrap5

from gitupd import __version__
from gitupd.core.words import capital
from gitupd.errors import GitupdError, InvalidEntry, MalformedRequest, UnreadableRepository, UnusableDatabase
from gitupd.service.clock import now
from gitupd.service.deployments.telling import freezes_now
from gitupd.web import wording
from gitupd.web.context import served
from gitupd.web.language import choosing, sentences, texts
from gitupd.web.language.texts import gettext, marked, translated
from gitupd.web.tables import other_separator

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.exceptions import HTTPException

    from gitupd.naming import SiteName

KEPT_SECONDS = 30 * 86400
_PAGES = (
    (marked("Devices"), "devices.index", "viewer"),
    (marked("Environments"), "environments.index", "viewer"),
    (marked("Deployments"), "deployments.index", "viewer"),
    (marked("Backups"), "backups.index", "viewer"),
    (marked("Preview"), "preview.index", "viewer"),
    (marked("Certificates"), "certificates.index", "viewer"),
    (marked("Configuration"), "configuration.index", "viewer"),
    (marked("Add a device"), "onboarding.index", "viewer"),
    (marked("Audit"), "people.audit", "auditor"),
    (marked("People"), "people.index", "administrator"),
)
"""Title, endpoint, and the role that one needs."""

_BELONGS_TO = {"commits": "deployments", "seen": "deployments", "trust": "certificates", "notices": "configuration"}
"""To which room of the bar pages belong whose own room is not there."""

_HELP = {
    "devices": "how-to/look-after-a-fleet",
    "environments": "how-to/look-after-a-fleet",
    "deployments": "how-to/deploy-and-roll-back",
    "commits": "how-to/deploy-and-roll-back",
    "seen": "how-to/deploy-and-roll-back",
    "plans": "how-to/see-what-a-change-would-do",
    "backups": "how-to/backups",
    "preview": "how-to/write-snippets",
    "configuration": "reference/configuration",
    "certificates": "how-to/give-devices-certificates",
    "trust": "how-to/require-client-certificates",
    "onboarding": "how-to/bring-devices-here",
    "upstream": "how-to/follow-a-repository-elsewhere",
    "notices": "how-to/be-told",
    "people": "how-to/people-and-roles",
}
"""Which page of the documentation helps in a room; the map of all of them in others."""

_WORDS = {
    400: (
        marked("That can't be understood"),
        marked("The address or the form holds something that does not belong there."),
    ),
    403: (marked("Not for you"), marked("Your role does not allow this.")),
    404: (marked("Not found"), marked("There is no such page.")),
    405: (marked("Not found"), marked("There is no such page.")),
    413: (marked("Too large"), marked("That is more than fits into a form.")),
    500: (marked("Something went wrong"), marked("This is a fault of the server; its log says more.")),
    503: (marked("Not now"), marked("The server can't answer this at the moment.")),
}
_CURES = {
    400: marked("Go back, reload the page, and try again."),
    403: marked("Ask an administrator for it, or log in as someone else."),
    404: marked("Perhaps the address is mistyped, or what it stood for is gone."),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A page of the bar; ``current`` is what ``aria-current`` says: page, true for one below it, None for others."""

    title: str
    url: str
    current: str | None


def install(app: Flask) -> None:
    """Give the pages of *app* their layout."""
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    # What changes has an address of its own for each content.
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = KEPT_SECONDS
    Bootstrap5(app)
    choosing.install(app)
    texts.install(app)
    sentences.install(app)
    wording.install(app)
    app.jinja_env.globals["other_separator"] = other_separator
    app.jinja_env.globals.update(
        navigation=navigation, refresh_seconds=refresh_seconds, frozen=frozen, site_name=site_name
    )
    app.jinja_env.globals.update(gitupd_version=__version__, helping=helping)


def site_name() -> SiteName:
    """Return by what people tell this site from others."""
    return served().site.settings.site


def navigation() -> list[Item]:
    """Return the pages for who is logged in, in order."""
    allowed: Any = current_app.jinja_env.globals["allowed"]
    return [
        Item(translated(title), url_for(endpoint), _current(endpoint))
        for title, endpoint, role in _PAGES
        if endpoint in current_app.view_functions and allowed(role)
    ]


def _current(endpoint: str) -> str | None:
    if request.endpoint == endpoint:
        return "page"
    room, at = endpoint.partition(".")[0], (request.endpoint or "").partition(".")[0]
    below = _BELONGS_TO.get(at, at) == room and room != "people"
    return "true" if below else None


def helping() -> str:
    """Return the address of the page of help that is about the page at hand."""
    name = _HELP.get((request.endpoint or "").partition(".")[0])
    return url_for("help.show", name=name) if name else url_for("help.index")


def refresh_seconds() -> int:
    """Return how often pages that show what happens are to refresh, 0 for never."""
    live = served().live
    return live.snapshot.policy.status.refresh if live else 0


def frozen() -> list[str]:
    """Return why nothing is deployed by itself now, for the head of every page; nothing if that can't be told."""
    with suppress(GitupdError):
        return [each.text for each in freezes_now(served().site, served().live, now())]
    return []


def problem(error: HTTPException) -> Response:
    """Answer a request that can't be met: with a page for browsers, with one line for anything else."""
    code = error.code or 500
    if not _wants_page():
        return Response(f"{code} {error.name}\n", code, content_type="text/plain; charset=utf-8")
    title, text = _WORDS.get(code, (error.name, error.description or ""))
    return error_page(code, translated(title), translated(text), translated(_CURES.get(code, "")))


def mendable(error: GitupdError) -> Response:
    """Answer a request that fails on what a user can mend."""
    code = {MalformedRequest: 400, InvalidEntry: 400, UnreadableRepository: 503, UnusableDatabase: 503}.get(
        type(error), 409
    )
    # Whoever asks may be a stranger, and need not know where the database is.
    text = "the database can't be used at the moment" if isinstance(error, UnusableDatabase) else str(error)
    if not _wants_page():
        return Response(f"{code} {text}\n", code, content_type="text/plain; charset=utf-8")
    # Its English may begin with a quoted word, and its translation with a word of its own.
    return error_page(code, gettext("That does not work"), f"{capital(sentences.told_error(text))}.", "")


def error_page(code: int, title: str, text: str, cure: str = "") -> Response:
    """Return a page that says what is wrong, and in *cure* what to do."""
    return Response(render_template("error.html", code=code, title=title, text=text, cure=cure), code)


def _wants_page() -> bool:
    return "text/html" in request.headers.get("Accept", "")
