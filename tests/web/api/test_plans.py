"""What changes do to the devices, as programs ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.programs import Program, keys_of_each_role
from support.serving import serving
from support.showcase import HIDING, SECRETS, Scene, commit, showing
from support.waiting import until

from gitupd.core.people.person import Role
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEVICES = 30


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with showing(tmp_path_factory.mktemp("plans"), devices=DEVICES) as running:
        yield running


@pytest.fixture(scope="module")
def keys(scene: Scene) -> dict[Role, str]:
    return keys_of_each_role(scene.site)


@pytest.fixture
def viewer(scene: Scene, keys: dict[Role, str]) -> Iterator[Program]:
    with Program(scene.server, keys[Role.VIEWER]) as program:
        yield program


@pytest.fixture
def operator(scene: Scene, keys: dict[Role, str]) -> Iterator[Program]:
    with Program(scene.server, keys[Role.OPERATOR]) as program:
        yield program


def made(program: Program, **asked: str) -> dict[str, Any]:
    """Ask for a plan until it is there."""

    def answered() -> dict[str, Any] | None:
        response = program.post("/plans", json=asked)
        assert response.status_code in (200, 202)
        assert ("Retry-After" in response.headers) == (response.status_code == 202)
        return response.json() if response.status_code == 200 else None

    return until(answered)


def test_whoever_asks_with_the_least_role_is_told_what_a_commit_does(scene: Scene, viewer: Program) -> None:
    said = made(viewer, head="main")
    assert (said["base"], said["head"], said["state"]) == (scene.live, scene.head, "made")
    numbers = said["plan"]["numbers"]
    assert numbers["devices"] == DEVICES
    assert 0 < numbers["changed"] < DEVICES
    assert said["plan"]["active"]["devices"] == DEVICES - 1
    again = viewer.get(f"/plans/{scene.live}/{scene.head}").json()
    assert again["plan"]["numbers"] == numbers
    listed = viewer.get("/plans?limit=1").json()["plans"]
    assert [(each["base"], each["head"]) for each in listed] == [(scene.live, scene.head)]


def test_groups_and_their_devices_lead_on(scene: Scene, viewer: Program) -> None:
    plan = made(viewer, base=scene.first, head=scene.live)["plan"]
    path, groups = f"/plans/{scene.first}/{scene.live}/groups?limit=1", []
    while path:
        page = viewer.get(path).json()
        groups += page["groups"]
        path = (page["next"] or "").removeprefix("/api/v1")
    assert len(groups) == plan["groups"] > 1
    assert [group["number"] for group in groups] == list(range(1, len(groups) + 1))
    assert sum(group["devices"] for group in groups) == plan["numbers"]["changed"]
    serials = []
    for group in groups:
        path = f"/plans/{scene.first}/{scene.live}/groups/{group['number']}/devices?limit=4"
        while path:
            page = viewer.get(path).json()
            serials += [each["serial"] for each in page["devices"]]
            path = (page["next"] or "").removeprefix("/api/v1")
    assert len(serials) == len(set(serials)) == plan["numbers"]["changed"]


def test_secrets_are_for_operators(scene: Scene, viewer: Program, operator: Program) -> None:
    made(viewer, base=scene.first, head=scene.live)
    path = f"/plans/{scene.first}/{scene.live}/groups?limit=100"
    seen, hidden = operator.get(path).text, viewer.get(path).text
    assert SECRETS[0] in seen
    assert not any(secret in hidden for secret in SECRETS)
    assert len(hidden) > len(seen) / 2


def test_of_a_commit_with_errors_there_is_none(scene: Scene, viewer: Program, operator: Program) -> None:
    said = made(operator, head=scene.broken)
    assert (said["state"], said["plan"]) == ("failed", None)
    assert "unknown key 'intervall'" in said["reason"]
    assert made(viewer, head=scene.broken)["reason"].endswith("operators are told more")
    assert viewer.get(f"/plans/{scene.live}/{scene.broken}/groups").status_code == 404


def test_what_there_is_not(scene: Scene, viewer: Program) -> None:
    nowhere = "0" * 40
    assert viewer.post("/plans", json={"head": "nowhere"}).status_code == 422
    assert viewer.get(f"/plans/{scene.live}/{nowhere}").status_code == 404
    assert viewer.get(f"/plans/{nowhere}/{scene.live}/groups").status_code == 404
    assert viewer.get(f"/plans/{scene.live}/main").status_code == 400
    other = commit(scene.site, {**HIDING, "snippets/all-all-all.txt": "x\n"}, branch="other")
    assert viewer.get(f"/plans/{scene.live}/{other}/groups").json()["detail"].startswith("There is no plan of these")
    made(viewer, head=scene.head)
    path = f"/plans/{scene.live}/{scene.head}/groups"
    assert viewer.get(f"{path}/1000/devices").status_code == 404
    assert viewer.get(f"{path}/x/devices").status_code == 400
    assert viewer.get(f"{path}?offset=100").json() == {"groups": [], "next": None}


def test_where_nothing_is_deployed_base_must_be_named(tmp_path: Path) -> None:
    site = Site.create(tmp_path / "site")
    head = commit(site, {})
    key = keys_of_each_role(site)[Role.VIEWER]
    with serving(site.path) as server, Program(server, key) as program:
        assert program.post("/plans", json={"head": head}).status_code == 409
        said = made(program, base=head, head=head)
        assert said["plan"]["summary"] == "There is no device that anything could change for."
    site.close()
