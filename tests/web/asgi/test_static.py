from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from gitupd.resources import schema, schema_names

if TYPE_CHECKING:
    from support.serving import Server

FILES = ("/static/gitupd.css", "/bootstrap/static/css/bootstrap.min.css")


@pytest.mark.parametrize("path", FILES)
def test_files_of_pages_may_be_kept_and_execute_nothing(server: Server, path: str) -> None:
    response = httpx.get(server.base + path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/css")
    assert response.headers["cache-control"] == "max-age=2592000"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers
    assert "default-src 'none'" in response.headers["content-security-policy"]
    again = httpx.get(server.base + path, headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", schema_names())
def test_editors_get_each_schema_without_log_in(server: Server, name: str) -> None:
    response = httpx.get(f"{server.base}/schemas/{name}.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "max-age=300"
    assert response.headers["access-control-allow-origin"] == "*", "editors in a browser are at another site"
    assert response.json() == schema(name)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/static/no-such-file", "GET", 404),
        ("/static/", "GET", 404),
        ("/static/%00", "GET", 404),
        ("/static/" + "x" * 5000, "GET", 404),
        ("/static//etc/passwd", "GET", 404),
        ("/static/..%2fsettings.py", "GET", 404),
        ("/static/gitupd.css", "POST", 405),
        ("/schemas/nosuch.json", "GET", 404),
        ("/schemas/", "GET", 404),
        ("/schemas/../pyproject.toml", "GET", 404),
    ],
)
def test_nothing_else_is_served(server: Server, path: str, method: str, status: int) -> None:
    assert server.get(path, method=method)[0] == status
