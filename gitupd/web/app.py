"""The Flask application for people and programs: its parts, its headers, and what becomes of its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, render_template
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from gitupd.web.context import serve_with, served

if TYPE_CHECKING:
    from gitupd.web.context import Served

bp = Blueprint("pages", __name__)
BLUEPRINTS = (bp,)
_LARGEST_FORM = 1024 * 1024
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",  # the style sheet draws its small signs so
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def create_app(parts: Served) -> Flask:
    """Return the Flask application that shows *parts*."""
    app = Flask("gitupd.web")
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_FORM
    app.jinja_env.undefined = StrictUndefined
    serve_with(app, parts)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _problem)
    app.after_request(_secure)
    return app


def _problem(error: HTTPException) -> Response:
    code = error.code or 500
    return Response(f"{code} {error.name}\n", code, content_type="text/plain; charset=utf-8")


def _secure(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


@bp.get("/")
def index() -> str:
    """Show what is served, and where devices are to poll."""
    return render_template("index.html", report=served().health.report())
