"""The description of the API, for programs that read it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.config.yaml_tree import Mapping, Scalar, Sequence, read
from gitupd.web.api.answering import answer
from gitupd.web.api.reading import query

if TYPE_CHECKING:
    from flask import Response

    from gitupd.config.yaml_tree import Node

bp = Blueprint("description", __name__)
FILE = "openapi.yaml"


@bp.get("/openapi.json")
def show() -> Response:
    """Tell what the API can do."""
    query()
    return answer(document())


@cache
def document() -> dict[str, Any]:
    """Return the description as an OpenAPI document."""
    root, problems = read(FILE, (files("gitupd.web") / FILE).read_bytes())
    if root is None or problems:
        raise RuntimeError(f"{FILE} can't be read: {problems}")
    description: dict[str, Any] = _value(root)
    return description


def _value(node: Node) -> Any:
    match node:
        case Mapping(entries):
            return {key: _value(each) for key, each in entries.items()}
        case Sequence(items):
            return [_value(each) for each in items]
        case Scalar():
            return node.value
