"""The API for programs, ``/api/v1``: what it says is in ``gitupd/web/openapi.yaml``, to which tests hold it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.web.api import (
    admission,
    answers,
    backups,
    certificates,
    commits,
    deployments,
    description,
    devices,
    firmware,
    people,
    plans,
    preview,
    requests,
    restores,
    searches,
    trust,
    upstream,
    versions,
)
from gitupd.web.api.reading import RefusedRequest
from gitupd.web.problem import problem

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("api", __name__, url_prefix="/api/v1")
for each in (
    *(devices, searches, requests, admission, answers, backups, versions, restores),
    *(deployments, commits, firmware, plans, preview),
    *(people, trust, upstream, certificates, description),
):
    bp.register_blueprint(each.bp)


@bp.errorhandler(RefusedRequest)
def _refused(error: RefusedRequest) -> Response:
    return problem(error.status, HTTPStatus(error.status).phrase, error.detail)
