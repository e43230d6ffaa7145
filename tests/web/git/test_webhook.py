"""A real server that follows a repository: told of news by its host, by a page and by the API; and where to push."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest
from support.serving import Server, serving
from support.upstreams import Elsewhere, elsewhere, follow
from support.visitors import add_key, add_person, logged_in
from support.waiting import until

from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

SECRET = "correct horse battery staple"


class Scene:
    """A server that follows a repository, asks it once an hour, and is told of news."""

    def __init__(self, server: Server, there: Elsewhere, keys: dict[str, str]) -> None:
        self.server, self.there, self.keys = server, there, keys

    def post(self, body: bytes = b"{}", headers: dict[str, str] | None = None, method: str = "POST") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request(method, "/webhook", body, headers or {})
        response = connection.getresponse()
        answer = response.status, response.read().decode().strip()
        connection.close()
        return answer

    def signed(self, body: bytes) -> tuple[int, str]:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return self.post(body, {"X-Hub-Signature-256": f"sha256={signature}"})

    def api(self, path: str, role: str = "administrator", fields: dict[str, str] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[role]}"}
        url = f"{self.server.base}/api/v1/upstream{path}"
        if path:
            return httpx.post(url, headers=headers, json=fields) if fields else httpx.post(url, headers=headers)
        return httpx.get(url, headers=headers)

    def head(self) -> str | None:
        told: str | None = self.api("").json()["head"]
        return told


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    place = tmp_path_factory.mktemp("webhook")
    site, _ = create_site(place / "site", who="test", now=now())
    files = {**template_files(), "policies/deploy.yaml": b"grace: 0s\n"}
    deploy(site, site.config.commit_files(files, "At once", "Ada <ada@example.org>"), who="test", now=now())
    for role in Role:
        add_person(site, f"{role}-1", role)
    keys = {role.value: add_key(site, f"{role}-1") for role in Role}
    there = elsewhere(site, place / "there.git")
    (site.path / "secret").write_text(f"{SECRET}\n")
    follow(site, there.path, every="1h", webhook_secret_file="secret")
    site.close()
    with serving(site.path) as server:
        server.ready()
        scene = Scene(server, there, keys)
        until(lambda: scene.head() == there.head)
        yield scene


def test_what_was_pushed_is_served_when_the_host_says_so(scene: Scene) -> None:
    commit = scene.there.commit()
    assert scene.signed(b'{"after": "one"}') == (202, "it is fetched")
    scene.server.ready(commit)


def test_a_flood_costs_one_fetch(scene: Scene) -> None:
    before = scene.server.log.read_text().count('"fetched"')
    commit = scene.there.commit()
    answers = [scene.signed(b'{"after": "flood"}') for _ in range(50)]
    assert answers == [(202, "it is fetched"), *[(202, "that was said already")] * 49]
    scene.server.ready(commit)
    assert scene.server.log.read_text().count('"fetched"') == before + 1


@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ({}, "POST", 403),
        ({"X-Hub-Signature-256": "sha256=00"}, "POST", 403),
        ({"X-Gitlab-Token": "guessed"}, "POST", 403),
        ({"X-Gitlab-Token": SECRET}, "GET", 405),
        ({"X-Gitlab-Token": SECRET}, "POST", 202),
    ],
)
def test_who_does_not_know_the_secret_is_sent_away(
    scene: Scene, headers: dict[str, str], method: str, status: int
) -> None:
    assert scene.post(json.dumps(headers).encode(), headers, method)[0] == status
    assert SECRET not in scene.server.log.read_text()


def test_no_message_is_larger_than_those_of_hosts(scene: Scene) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=30)
    connection.putrequest("POST", "/webhook")
    connection.putheader("X-Gitlab-Token", SECRET)
    connection.putheader("Content-Length", str(26 * 2**20))
    connection.endheaders()
    try:
        for _ in range(26):
            connection.send(bytes(2**20))
    except OSError:
        return  # it has heard enough
    assert connection.getresponse().status == 413
    connection.close()


def test_pages_and_the_api_have_it_fetched(scene: Scene) -> None:
    commit = scene.there.commit()
    with logged_in(scene.server, "viewer-1") as viewer:
        page = viewer.get("/configuration").text
        assert str(scene.there.path) in page
        assert "Fetch now" not in page
        assert viewer.submit("/upstream/fetch", page="/configuration").status_code == 403
    with logged_in(scene.server, "operator-1") as operator:
        assert operator.submit("/upstream/fetch", page="/configuration").status_code == 303
    scene.server.ready(commit)
    commit = scene.there.commit()
    assert scene.api("/fetch", "viewer").status_code == 403
    assert scene.api("/fetch", "operator").status_code == 202
    scene.server.ready(commit)


def test_a_rewritten_branch_is_agreed_to_on_the_page_or_by_the_api(scene: Scene) -> None:
    for way in ("page", "api"):
        before = scene.there.head
        commit = scene.there.commit(parents=(f"{before}~1",))
        scene.api("/fetch")
        until(lambda: scene.api("").json()["state"] == "refused")
        assert scene.api("/accept", "operator", {"commit": commit, "reason": "meant"}).status_code == 403
        assert scene.api("/accept", fields={"commit": before, "reason": "meant"}).status_code == 409
        if way == "page":
            with logged_in(scene.server, "administrator-1") as administrator:
                page = administrator.get("/configuration").text
                assert f"Agree to {commit[:12]}" in page
                fields = {"commit": commit, "reason": "meant"}
                assert administrator.submit("/upstream/accept", fields, page="/configuration").status_code == 303
        else:
            assert scene.api("/accept", fields={"commit": commit, "reason": "meant"}).status_code == 202
        until(lambda: scene.api("").json()["state"] == "following")
        scene.server.ready(commit)
    log = scene.server.log.read_text()
    assert log.count("the upstream is not followed") == 2, "each is told once"


def test_a_push_to_the_site_is_told_where_to_go(scene: Scene, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(scene.there.path), str(tmp_path / "clone")], check=True)
    url = f"http://operator-1:{scene.keys['operator']}@127.0.0.1:{scene.server.port}/git/config.git"
    environment = {"PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "HOME": "/nonexistent"}
    command = ["git", "-C", str(tmp_path / "clone"), "push", url, "HEAD:refs/heads/topic"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert f"push to {scene.there.path}: this site follows it" in done.stderr


def test_a_failure_is_named_once_and_what_was_deployed_is_served(scene: Scene) -> None:
    commit, path = scene.there.head, scene.there.path
    away = path.with_name("away.git")
    path.rename(away)
    for failures in (1, 2, 3):
        scene.api("/fetch")
        until(lambda expected=failures: scene.api("").json()["failures"] == expected)  # type: ignore[misc] # a number
    stands = scene.api("").json()
    assert stands["state"] == "failing"
    log = [json.loads(line) for line in scene.server.log.read_text().splitlines() if line.startswith("{")]
    named = [line for line in log if line.get("event") == "the upstream can't be fetched"]
    assert [line["error"] for line in named] == [stands["error"]]
    ready = json.loads(scene.server.get("/readyz")[1])
    assert (ready["ready"], ready["commit"]) == (True, commit)
    assert any(stands["error"] in warning for warning in ready["warnings"])
    assert commit[:12] in scene.server.get("/update.php?type=IP222&sn=00-90-33-30-00-af")[1].decode()
    with logged_in(scene.server, "viewer-1") as viewer:
        page = viewer.get("/configuration").text
        assert "not fetched" in page
        assert stands["error"].partition(" (git")[0] in page
    metrics = httpx.get(
        f"{scene.server.base}/metrics", headers={"Authorization": f"Bearer {scene.keys['viewer']}"}
    ).text
    assert "gitupd_upstream_failures 3.0" in metrics
    away.rename(path)
    scene.api("/fetch")
    until(lambda: scene.api("").json()["state"] == "following")


def test_without_a_secret_there_is_nothing(own_site: Site) -> None:
    with serving(own_site.path) as server:
        server.ready()
        assert Scene(server, None, {}).post(headers={"X-Gitlab-Token": ""})[0] == 404  # type: ignore[arg-type] # none
