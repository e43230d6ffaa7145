"""What people ask for, in Flask: a first page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, current_app, render_template
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from gitupd.service.health import Health

HEALTH = "GITUPD_HEALTH"
bp = Blueprint("pages", __name__)


def create_app(health: Health) -> Flask:
    """Return the Flask application that shows *health*."""
    app = Flask("gitupd.web")
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.config[HEALTH] = health
    app.register_blueprint(bp)
    app.register_error_handler(HTTPException, _problem)
    app.after_request(_secure)
    return app


def _problem(error: HTTPException) -> Response:
    code = error.code or 500
    return Response(f"{code} {error.name}\n", code, content_type="text/plain; charset=utf-8")


def _secure(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


@bp.get("/")
def index() -> str:
    """Show what is served, and where devices are to poll."""
    return render_template("index.html", report=current_app.config[HEALTH].report())
