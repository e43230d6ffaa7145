"""Commits, approvals and the freeze through the API. Each answer is held against openapi.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.programs import Program, keys_of_each_role
from support.serving import Server, serving
from support.waiting import until

from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

_RULE = {"policies/deploy.yaml": b"mode: manual\napproval: second-person\n"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("api-commits") / "site", who="test", now=now())
    _commit(site, _RULE)
    deploy(site, "main", who="test", now=now())
    yield site
    site.close()


@pytest.fixture(scope="module")
def running(place: Site) -> Iterator[tuple[Server, dict[Role, str]]]:
    keys = keys_of_each_role(place)
    live = place.deployments.live()
    assert live is not None
    with serving(place.path) as server:
        server.ready(live.commit)
        yield server, keys


def _commit(site: Site, changes: dict[str, bytes]) -> CommitId:
    return site.config.commit_files({**template_files(), **changes}, "Change", "Ada <ada@example.org>")


def test_what_became_of_commits_is_told_and_somebody_approves_one(
    place: Site, running: tuple[Server, dict[Role, str]]
) -> None:
    server, keys = running
    first = place.config.head("main")
    head = _commit(place, {**_RULE, "snippets/all-all-all.txt": b"config add X /y\n"})
    until(lambda: "approval" in (record.reason if (record := place.commits.of(head)) else ""))
    with Program(server, keys[Role.VIEWER]) as viewer, Program(server, keys[Role.OPERATOR]) as operator:
        told = viewer.get(f"/commits/{head}").json()
        assert (told["state"], told["author"], told["approvals"]) == ("waiting", "Ada <ada@example.org>", [])
        assert [each["commit"] for each in viewer.get("/commits?limit=1").json()["commits"]] == [head]
        following = viewer.get("/commits?limit=1").json()["next"].removeprefix("/api/v1")
        assert [each["commit"] for each in viewer.get(following).json()["commits"]] == [first]
        assert [each["commit"] for each in viewer.get("/commits?state=waiting").json()["commits"]] == [head]
        assert viewer.get("/commits?state=odd").status_code == 400
        assert viewer.get(f"/commits/{'0' * 40}").status_code == 404
        assert viewer.post(f"/commits/{head}/approvals", json={}).status_code == 403
        approved = operator.post(f"/commits/{head}/approvals", json={"reason": "looked at it"})
        assert (approved.status_code, approved.json()["commit"]) == (201, head)
        assert [each["reason"] for each in viewer.get(f"/commits/{head}").json()["approvals"]] == ["looked at it"]
        assert operator.post(f"/commits/{first}/approvals", json={}).status_code == 409
        assert operator.post("/commits/no-such/approvals", json={}).status_code == 404


def test_deployments_are_frozen_and_a_reason_goes_through(running: tuple[Server, dict[Role, str]]) -> None:
    server, keys = running
    with Program(server, keys[Role.VIEWER]) as viewer, Program(server, keys[Role.OPERATOR]) as operator:
        assert viewer.get("/freeze").json() == {"frozen": False, "reasons": [], "freeze": None}
        assert viewer.put("/freeze", json={"reason": "x"}).status_code == 403
        assert operator.put("/freeze", json={}).status_code == 400
        for until_ in ("tomorrow", "2001-01-01"):
            assert operator.put("/freeze", json={"reason": "x", "until": until_}).status_code == 422
        ordered = operator.put("/freeze", json={"reason": "holidays", "until": "2099-12-31T12:00Z"}).json()
        assert (ordered["frozen"], ordered["freeze"]["until"]) == (True, "2099-12-31T12:00:00Z")
        held = operator.post("/deployments", json={"revision": "main"})
        assert (held.status_code, "holidays" in held.json()["detail"]) == (409, True)
        forced = {"revision": "main", "force": True, "reason": "phones are silent"}
        assert operator.post("/deployments", json=forced).status_code == 201
        assert operator.delete("/freeze").status_code == 204
        assert operator.delete("/freeze").status_code == 404
