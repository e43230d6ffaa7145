"""Answers of the API: JSON, and where a list goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response, request

from gitupd.web.api.reading import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping


def answer(facts: Mapping[str, Any], status: int = 200) -> Response:
    """Return *facts* as JSON."""
    return Response(json.dumps(facts) + "\n", status, content_type="application/json")


def done() -> Response:
    """Return that what was asked for is done, and that there is nothing to say about it."""
    response = Response(status=204)
    del response.headers["Content-Type"]  # of nothing
    return response


def page(facts: Mapping[str, Any], **further: int | str | None) -> Response:
    """Return a part of a list; *further* are the query parameters that lead to the next part, None at the end."""
    changes = {name: str(value) for name, value in further.items() if value is not None}
    following = f"{request.path}?{urlencode(request.args.to_dict() | changes)}" if changes else None
    response = answer({**facts, "next": following})
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def missing(what: str) -> RefusedRequest:
    """Return the error that there is no such thing as *what*."""
    return RefusedRequest(404, f"There is no {what}.")
