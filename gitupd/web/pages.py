"""What people and monitoring ask for, in Flask: health, firmware files, and a first page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, render_template, send_file
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from gitupd.service.health import Health
    from gitupd.service.site import Site

bp = Blueprint("pages", __name__)


def create_app(site: Site, health: Health) -> Flask:
    """Return the Flask application for *site*."""
    app = Flask("gitupd.web")
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.config["GITUPD"] = {"site": site, "health": health}
    app.register_blueprint(bp)
    app.register_error_handler(HTTPException, _problem)
    app.after_request(_secure)
    return app


def _part(name: str) -> Any:
    return current_app.config["GITUPD"][name]


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


@bp.get("/healthz")
def healthz() -> Response:
    """Say that this process answers."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say what is served, and what keeps it from being right: 200 if nothing does, else 503."""
    report = _part("health").report()
    return jsonify(report), 200 if report["ready"] else 503


@bp.get("/fw/<build>/<path:name>")
@bp.get("/<path:directory>/fw/<build>/<path:name>")
def firmware(build: str, name: str, **_directory: str) -> Response:
    """Return a firmware file, whole or in ranges.

    Any directory may stand in front, as in front of ``update.php``, and further ones behind the build, as a policy's
    storage may say.
    """
    path = _part("site").firmware.find(build, name.rpartition("/")[2])
    if path is None or not path.is_file():
        abort(404)
    return send_file(path, mimetype="application/octet-stream", conditional=True, etag=True, max_age=300)


@bp.get("/")
def index() -> str:
    """Show what is served, and where devices are to poll."""
    return render_template("index.html", report=_part("health").report())
