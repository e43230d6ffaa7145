"""The API for programs, ``/api/v1``: what it says is in ``gitupd/web/openapi.yaml``, to which tests hold it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.errors import (
    GitupdError,
    InvalidConfiguration,
    InvalidEntry,
    MalformedRequest,
    UnreadableRepository,
    UnusableDatabase,
)
from gitupd.web.api import deployments, description, devices, people, preview
from gitupd.web.api.reading import Refused
from gitupd.web.problem import problem

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("api", __name__, url_prefix="/api/v1")
for each in (devices, deployments, preview, people, description):
    bp.register_blueprint(each.bp)

_STATUSES: dict[type[GitupdError], HTTPStatus] = {
    MalformedRequest: HTTPStatus.BAD_REQUEST,
    InvalidEntry: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnreadableRepository: HTTPStatus.SERVICE_UNAVAILABLE,
    UnusableDatabase: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What errors come to; any other is a conflict with how things are."""


@bp.errorhandler(Refused)
def _refused(error: Refused) -> Response:
    return problem(error.status, HTTPStatus(error.status).phrase, error.detail)


@bp.errorhandler(InvalidConfiguration)
def _invalid(error: InvalidConfiguration) -> Response:
    detail = "The configuration of this commit has errors."
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid configuration", detail, problems=error.problems)


@bp.errorhandler(GitupdError)
def _mendable(error: GitupdError) -> Response:
    status = _STATUSES.get(type(error), HTTPStatus.CONFLICT)
    return problem(status, status.phrase, str(error))
