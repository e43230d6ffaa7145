"""Programs that use the API of a server, and hold each answer against its description."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
from jsonschema import Draft202012Validator

from gitupd.core.people.person import Role
from gitupd.web.api.description import document
from support.visitors import add_key, add_person

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.service.site import Site
    from support.serving import Server

METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield method, path and description of each operation."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def described(method: str, path: str) -> Mapping[str, Any] | None:
    """Return the description of the operation that answers *path*, None if there is none; plain paths come first."""
    found = [
        operation
        for each, template, operation in sorted(operations(), key=lambda operation: operation[1].count("{"))
        if each == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    return found[0] if found else None


def faults(response: httpx.Response) -> Iterator[str]:
    """Yield in what a response differs from its description."""
    operation = described(response.request.method, response.request.url.path)
    responses = operation["responses"] if operation else {}
    kind = response.headers.get("content-type")
    if response.status_code >= 400 or operation is None:
        expected = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    elif str(response.status_code) not in responses:
        yield f"status {response.status_code} is not described"
        return
    else:
        expected = responses[str(response.status_code)].get("content", {})
    if not expected:
        if response.content or kind:
            yield f"there should be no body: {response.text}"
        return
    if kind not in expected:
        yield f"content type {kind}"
        return
    if not kind.endswith("json"):
        return
    whole = {**expected[kind]["schema"], "components": document()["components"]}
    yield from (
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(response.json())
    )


class Program(httpx.Client):
    """A program with a token, None without; an answer that is not as described is an error."""

    def __init__(self, server: Server, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        super().__init__(base_url=f"{server.base}/api/v1", headers=headers, timeout=30)

    def request(self, *arguments: Any, **named: Any) -> httpx.Response:
        response = super().request(*arguments, **named)
        found = list(faults(response))
        assert not found, (response.request.method, str(response.request.url), response.text[:500], found)
        return response


def keys_of_each_role(site: Site) -> dict[Role, str]:
    """Add a person of each role, called like the role, and return the keys of their tokens."""
    for role in Role:
        add_person(site, role.value, role)
    return {role: add_key(site, role.value) for role in Role}
