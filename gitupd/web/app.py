"""The Flask application for people and programs: its parts, its headers, and what becomes of its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from flask import Blueprint, Flask, Response, redirect, url_for
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from gitupd.errors import GitupdError, UnusableDatabase
from gitupd.resources import schema_folder
from gitupd.web import access, api, clock, layout, metrics, showing
from gitupd.web.asgi.complete import LARGEST_FORM
from gitupd.web.asgi.static import StaticFolder
from gitupd.web.context import serve_with
from gitupd.web.layout import KEPT_SECONDS
from gitupd.web.pages import (
    certificates,
    commits,
    configuration,
    devices,
    documentation,
    environments,
    everywhere,
    notices,
    onboarding,
    people,
    plans,
    preview,
    seen,
    trust,
    upstream,
)
from gitupd.web.pages.backups import overview as backups
from gitupd.web.pages.deployments import overview as deployments
from gitupd.web.problem import for_programs, mendable, refused
from gitupd.web.visible import visible

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response as BaseResponse

    from gitupd.web.context import Served

bp = Blueprint("pages", __name__)
BLUEPRINTS = (
    bp,
    devices.bp,
    environments.bp,
    deployments.bp,
    backups.bp,
    preview.bp,
    configuration.bp,
    commits.bp,
    seen.bp,
    plans.bp,
    onboarding.bp,
    certificates.bp,
    trust.bp,
    upstream.bp,
    notices.bp,
    people.bp,
    everywhere.bp,
    documentation.bp,
    api.bp,
)
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"  # the style sheet draws small signs by data:
)

SAFE_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_SCHEMA_SECONDS = 300  # they may be others after an upgrade

log = structlog.get_logger()


def create_app(parts: Served) -> Flask:
    """Return the Flask application that shows *parts*."""
    app = Flask("gitupd.web")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.finalize = visible
    serve_with(app, parts)
    clock.install(app, parts.site.settings.time_zone)
    layout.install(app)
    access.install(app)
    showing.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    metrics.serve_metrics(app, parts)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(GitupdError, _mendable)
    app.after_request(_secure)
    return app


def _refused(error: HTTPException) -> ResponseReturnValue:
    return refused(error) if for_programs() else layout.problem(error)


def _mendable(error: GitupdError) -> Response:
    if isinstance(error, UnusableDatabase):
        log.error("a page or an answer of the API could not be made", error=str(error))
    return mendable(error) if for_programs() else layout.mendable(error)


def _secure(response: Response) -> Response:
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def static_folders(app: Flask) -> dict[str, StaticFolder]:
    """Return where the files of *app* and of its parts are, which are no pages, by the prefix of their addresses.

    Besides them the schemas of documents, which editors ask for.
    """
    folders = {
        each.static_url_path: StaticFolder(each.static_folder, KEPT_SECONDS)
        for each in (app, *app.blueprints.values())
        if each.static_url_path is not None and each.static_folder is not None
    }
    return {**folders, "/schemas": StaticFolder(schema_folder(), _SCHEMA_SECONDS, for_all=True)}


@bp.get("/")
def index() -> BaseResponse:
    """Lead to the devices."""
    return redirect(url_for("devices.index"))
