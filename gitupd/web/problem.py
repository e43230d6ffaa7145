"""Errors for programs, as RFC 9457 has them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, request

from gitupd.errors import (
    GitupdError,
    InvalidConfiguration,
    InvalidEntry,
    MalformedRequest,
    UnreadableRepository,
    UnusableDatabase,
)
from gitupd.service.facts import problem_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from werkzeug.exceptions import HTTPException

    from gitupd.errors import Problem

KIND = "application/problem+json"
INVALID_CONFIGURATION = "urn:gitupd:invalid-configuration"


def for_programs() -> bool:
    """Whether the request at hand is one of the API or of monitoring, where a token counts, and errors are JSON."""
    return request.path in ("/api", "/metrics") or request.path.startswith("/api/")


def problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, problems: Sequence[Problem] = ()
) -> Response:
    """Return an error; *problems* are those of a configuration that has errors."""
    facts: dict[str, Any] = {
        "type": INVALID_CONFIGURATION if problems else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    if problems:
        facts["errors"] = [problem_facts(each) for each in problems]
    response = Response(json.dumps(facts) + "\n", status, content_type=KIND)
    response.headers.update(headers or {})
    return response


def refused(error: HTTPException) -> ResponseReturnValue:
    """Return what Flask refuses by itself as a problem: no such path, another method, a body that is too large."""
    status = error.code or 500
    if error.response is not None or status < 400:  # noqa: PLR2004 - it leads somewhere else, and is no problem
        return error.get_response()
    kept = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return problem(status, error.name, _DETAILS.get(status) or error.description or error.name, kept)


def mendable(error: GitupdError) -> Response:
    """Return what somebody can mend as a problem; what is not named here is a conflict with how things are."""
    match error:
        case InvalidConfiguration():
            detail = "The configuration of this commit has errors."
            return problem(422, "Invalid configuration", detail, problems=error.problems)
        case MalformedRequest():
            status, detail = HTTPStatus.BAD_REQUEST, str(error)
        case InvalidEntry():
            status, detail = HTTPStatus.UNPROCESSABLE_ENTITY, str(error)
        case UnreadableRepository():  # whoever asks may be a stranger, and need not know where the site is
            status, detail = HTTPStatus.SERVICE_UNAVAILABLE, "The repository can't be read at the moment."
        case UnusableDatabase():
            status, detail = HTTPStatus.SERVICE_UNAVAILABLE, "The database can't be used at the moment."
        case _:
            status, detail = HTTPStatus.CONFLICT, str(error)
    return problem(status, status.phrase, detail)


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This method is not for this address.",
    413: "The body is too large.",
    500: "This is a fault of the server; its log says more.",
}
