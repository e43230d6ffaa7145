"""What programs do through the API. Each answer here is held against openapi.yaml, see ``programs``."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from openapi_spec_validator import validate
from support.fleets import device as device_of_fleet
from support.fleets import fill
from support.programs import Program, keys_of_each_role, operations
from support.serving import Server, serving
from support.visitors import PASSWORD, add_key, add_person, logged_in

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import parse_serial
from gitupd.core.people.audit import Event, Kind, Topic
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.health import Health
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Sightings
from gitupd.service.site import Site
from gitupd.web.api.description import document
from gitupd.web.app import create_app
from gitupd.web.context import Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

COUNT = 30
SECRET = b"config change USER0 /pw hunter2secret\n"
BY_HAND = {"policies/deploy.yaml": b"mode: manual\n"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with some devices, which commits reach by hand only, and whose snippets hold a secret."""
    site, _ = create_site(tmp_path_factory.mktemp("api") / "site", who="test", now=now())
    commit(site, {**BY_HAND, "snippets/update-phone-default.txt": SECRET})
    deploy(site, "main", who="test", now=now())
    fill(site, COUNT, now())
    yield site
    site.close()


@pytest.fixture(scope="module")
def api_server(place: Site, keys: dict[Role, str]) -> Iterator[Server]:
    assert keys
    live = place.deployments.live()
    with serving(place.path, workers=2) as running:
        running.ready(live.commit)
        yield running


@pytest.fixture
def auditor(api_server: Server, keys: dict[Role, str]) -> Iterator[Program]:
    with Program(api_server, keys[Role.AUDITOR]) as program:
        yield program


@pytest.fixture
def administrator(api_server: Server, keys: dict[Role, str]) -> Iterator[Program]:
    with Program(api_server, keys[Role.ADMINISTRATOR]) as program:
        yield program


def commit(site: Site, changes: dict[str, bytes]) -> str:
    files = {**template_files(), **BY_HAND, **changes}
    return site.config.commit_files(files, "Change", "Ada <ada@example.org>")


def a_device(site: Site, number: int) -> str:
    """Add a device that no other test knows, and return its serial number."""
    live = site.deployments.live()
    found = device_of_fleet(number, live.commit, now())
    site.inventory.save_sightings([found])
    return str(found.serial)


def app_of(site: Site) -> Flask:
    follower = Follower(site)
    health = Health(site, follower, Sightings(site.inventory), now())
    return create_app(Served(site, follower, health, Snapshots(site), Computing(site.settings)))


# The description


def test_the_description_is_valid_and_what_is_served(viewer: Program) -> None:
    validate(document())
    assert viewer.get("/openapi.json").json() == document()


def test_every_route_is_described_and_every_description_has_a_route(place: Site) -> None:
    routes = {
        (method, re.sub(r"<(?:path:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app_of(place).url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert {(method, path) for method, path, _ in operations()} == routes


@pytest.mark.parametrize(
    ("method", "path", "operation"), list(operations()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_operation_needs_the_role_that_is_described(
    api_server: Server, keys: dict[Role, str], method: str, path: str, operation: dict[str, str]
) -> None:
    needed = Role(operation["x-role"])
    path = path.replace("{sn}", "00-90-33-00-00-00").replace("{commit}", "0" * 40).replace("{token}", "1")
    path = path.removeprefix("/api/v1").replace("{name}", "nobody").replace("{revision}", "latest")
    for role, key in {**keys, None: None, "wrong": "gitupd_wrong"}.items():
        with Program(api_server, key) as program:
            response = program.request(method, path, params={"nonsense": "1"})
        if role in (None, "wrong"):
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Bearer")
        elif not role.allows(needed):
            assert response.status_code == 403
            assert needed in response.json()["detail"]
        else:
            assert response.status_code == 400
            assert "unknown query parameter 'nonsense'" in response.json()["detail"]


# Errors


def test_what_is_not_there_is_a_problem(viewer: Program) -> None:
    for path in ("/nothing", "/", "/devices/00-90-33-00-00-00/nothing", "/devices/", "/users/a/b/c"):
        response = viewer.get(path)
        assert response.status_code == 404
        assert response.json()["instance"] == f"/api/v1{path}"


def test_another_method_is_a_problem_that_names_those_there_are(viewer: Program) -> None:
    response = viewer.put("/devices/00-90-33-00-00-00")
    assert response.status_code == 405
    assert {"GET", "DELETE"} <= set(response.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"revision": NaN}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"revision": "main", "revision": "main"}', "twice"),
        (b"[]", "no JSON object"),
        (b"null", "no JSON object"),
        (b"{}", "revision: missing"),
        (b'{"revision": 1}', "revision: 1 is no text"),
        (b'{"revision": ""}', "revision:"),
        (b'{"revision": "a\\u0000b"}', "control characters"),
        (b'{"revision": "\\ud800"}', "no character"),
        (b'{"revision": "main", "kind": "undo", "hurry": true}', "kind: 'undo' is none of deploy, rollback"),
        (b'{"revision": "main", "kind": "undo", "hurry": true}', "unknown key 'hurry'"),
        (b'{"revision": "main", "force": "yes"}', "force:"),
        (b'{"revision": "main", "reason": null}', "reason: None is no text"),
    ],
)
def test_a_body_that_is_not_as_described_is_refused(operator: Program, body: bytes, detail: str) -> None:
    response = operator.post("/deployments", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert detail in response.json()["detail"]


def test_bodies_of_other_types_and_sizes_are_refused(operator: Program) -> None:
    assert operator.post("/deployments", data={"revision": "main"}).status_code == 415
    assert operator.post("/deployments", content=b'{"revision": "main"}').status_code == 415
    large = b'{"revision": "' + b"x" * 2_000_000 + b'"}'
    assert operator.post("/deployments", content=large, headers={"Content-Type": "application/json"}).status_code == 413


def test_a_body_may_come_in_chunks(operator: Program) -> None:
    response = operator.post(
        "/deployments", content=iter([b'{"revision":', b' "nowhere"}']), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 422
    assert "'nowhere'" in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "limit: '0' is no whole number from 1 to 1000"),
        ("limit=1001", "limit:"),
        ("limit=1e3", "limit:"),
        ("limit=", "limit:"),
        ("limit=+1", "limit:"),
        ("offset=-1", "offset:"),
        ("limit=1&limit=2", "limit: given twice"),
        ("desc=yes", "desc: 'yes' is neither true nor false"),
        ("sort=colour&offset=x", "sort: 'colour' is none of"),
        ("sort=colour&offset=x", "offset: 'x' is no whole number"),
        ("q=%00", "q: holds control characters"),
        ("q=" + "x" * 501, "q:"),
        ("columns=sn,colour", "columns: 'colour' is no column; columns are state, name, sn,"),
        ("columns=,", "columns: name 1 to 40 columns"),
        ("Q=x", "unknown query parameter 'Q'; known: q, sort, desc, columns, limit, offset"),
    ],
)
def test_query_parameters_that_are_not_as_described_are_refused(viewer: Program, query: str, detail: str) -> None:
    response = viewer.get(f"/devices?{query}")
    assert response.status_code == 400
    assert detail in response.json()["detail"]


@pytest.mark.parametrize("path", [b"/api/v1/devices?q=\xe4", b"/api/v1/devices/%ff%fe", b"/api/v1/\xe4"])
def test_bytes_that_are_no_text_are_refused(api_server: Server, keys: dict[Role, str], path: bytes) -> None:
    head = f"HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {keys[Role.VIEWER]}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", api_server.port), timeout=60) as opened:
        opened.sendall(b"GET " + path + b" " + head.encode())
        answer = opened.makefile("rb").read()
    assert answer.split()[1] in (b"400", b"404")


def test_a_failure_of_ours_is_logged_and_tells_no_details(place: Site, caplog: pytest.LogCaptureFixture) -> None:
    app = app_of(place)
    app.add_url_rule("/api/v1/broken", view_func=lambda: 1 // 0)
    add_person(place, "breaker")
    client = app.test_client()
    key = add_key(place, "breaker")
    response = client.get("/api/v1/broken", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    assert response.json["detail"] == "This is a fault of the server; its log says more."
    assert "ZeroDivisionError" in caplog.text


def test_while_the_database_can_not_be_used_that_is_said(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    key = keys_of_each_role(site)[Role.VIEWER]
    with site.database.connection() as connection:
        connection.exec_driver_sql("DROP TABLE devices")
    site.database.close()
    with serving(site.path) as server, Program(server, key) as program:
        server.ready()
        assert program.get("/devices").status_code == 503
    with site.database.connection() as connection:
        connection.exec_driver_sql("DROP TABLE tokens")
    site.close()
    with serving(site.path) as server, Program(server, key) as program:
        server.ready()
        for path in ("/devices", "/nothing", f"{server.base}/metrics"):
            response = program.get(path)
            assert response.status_code == 503
            assert response.json()["detail"] == "The database can't be used at the moment."


# Devices


def test_devices_are_found_as_on_the_page(viewer: Program) -> None:
    every = viewer.get("/devices").json()
    assert every["total"] >= COUNT
    assert every["next"] is None
    found = viewer.get("/devices", params={"q": "type:IP222 waiting"}).json()
    assert {device["type"] for device in found["devices"]} == {"IP222"}
    assert {device["state"] for device in found["devices"]} == {"waiting"}
    assert 0 < found["total"] < every["total"]
    serials = [device["serial"] for device in viewer.get("/devices", params={"desc": "true"}).json()["devices"]]
    assert serials == sorted(serials, reverse=True)
    refused = viewer.get("/devices", params={"q": "colour:red"})
    assert refused.status_code == 400
    assert "'colour' is nothing to search by; keys are " in refused.json()["detail"]


def test_pages_of_devices_lead_to_each_other(viewer: Program) -> None:
    found: list[str] = []
    path = "/api/v1/devices?limit=7&q=type%3AIP2*"
    while path:
        response = viewer.get(path.removeprefix("/api/v1"))
        said = response.json()
        assert len(said["devices"]) <= 7
        found += [device["serial"] for device in said["devices"]]
        assert response.headers.get("link") == (f'<{said["next"]}>; rel="next"' if said["next"] else None)
        path = said["next"]
    assert len(found) == len(set(found)) == said["total"] > 7


def test_beyond_the_last_device_there_are_none(viewer: Program) -> None:
    said = viewer.get("/devices", params={"offset": 5000}).json()
    assert said["devices"] == []
    assert said["next"] is None


def test_a_device_is_told_in_full(viewer: Program, place: Site) -> None:
    sn = a_device(place, 5003)
    said = viewer.get(f"/devices/{sn.replace('-', '').upper()}").json()
    assert said["serial"] == sn
    assert said["state"] == "current"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["last_seen"])
    assert said["next_step"]
    assert viewer.get("/devices/00-90-33-99-99-99").status_code == 404
    assert viewer.get("/devices/somewhere").status_code == 400


def test_a_device_is_touched_and_forgotten_and_that_is_recorded(
    operator: Program, auditor: Program, place: Site
) -> None:
    sn = a_device(place, 5103)
    seen = place.inventory.device(parse_serial(sn)).last_seen
    place.inventory.save_sightings([replace(place.inventory.device(parse_serial(sn)), last_seen=seen - timedelta(9))])
    assert operator.get(f"/devices/{sn}").json()["state"] == "missing"
    assert operator.post(f"/devices/{sn}/touch").status_code == 204
    assert operator.get(f"/devices/{sn}").json()["state"] == "current"
    assert operator.delete(f"/devices/{sn}").status_code == 204
    told = [("GET", f"/{each}") for each in ("script", "answers", "snippets", "timeline")]
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/touch"), *told):
        assert operator.request(method, f"/devices/{sn}{path}").status_code == 404
    entries = auditor.get("/audit", params={"subject": sn}).json()["entries"]
    assert [(each["who"], each["kind"]) for each in entries] == [
        ("operator", "device-forget"),
        ("operator", "device-touch"),
    ]


def test_scripts_are_told_and_secrets_are_not(viewer: Program, operator: Program, place: Site) -> None:
    sn = a_device(place, 5203)
    for which in ("now", "last"):
        texts = {}
        for program in (viewer, operator):
            said = program.get(f"/devices/{sn}/script", params={"which": which}).json()
            assert said["commit"] == place.deployments.live().commit
            lines = [line for line in said["lines"] if line["path"] == "snippets/update-phone-default.txt"]
            texts[program] = [line["text"] for line in lines]
            assert {each["path"] for each in said["snippets"]} >= {"snippets/update-phone-default.txt"}
        assert texts[viewer] == ["config change USER0 /pw ***"]
        assert texts[operator] == [SECRET.decode().strip()]
    names = viewer.get(f"/devices/{sn}/snippets").json()["snippets"]
    assert {"name": "update-phone-default", "path": "snippets/update-phone-default.txt"} in names
    assert {"name": "all-all-default", "path": None} in names


def test_answers_to_queries_are_told(viewer: Program, place: Site) -> None:
    sn = a_device(place, 5303)
    titles = {each["query"]: each for each in viewer.get(f"/devices/{sn}/answers").json()["answers"]}
    assert {each["received"] for each in titles.values()} == {None}
    serial = parse_serial(sn)
    place.answers.save([AnsweredQuery(serial, QueryAnswer("admin", now(), '<info name="Reception"/>'), "Reception")])
    said = {each["query"]: each for each in viewer.get(f"/devices/{sn}/answers").json()["answers"]}
    assert said["admin"]["received"] is not None
    assert "Reception" in [each["value"] for each in said["admin"]["values"]]


def test_answers_to_queries_are_columns_too(viewer: Program, place: Site) -> None:
    sn = a_device(place, 5305)
    place.answers.save(
        [AnsweredQuery(parse_serial(sn), QueryAnswer("admin", now(), '<info name="Cellar"/>'), "Cellar")]
    )
    (told,) = viewer.get("/devices", params={"q": f"sn:{sn}", "columns": "admin.name,env,seen"}).json()["devices"]
    assert told["columns"] == {"admin.name": "Cellar", "env": told["environments"], "seen": told["last_seen"]}
    (without,) = viewer.get("/devices", params={"q": f"sn:{sn}"}).json()["devices"]
    assert "columns" not in without


def test_the_story_of_a_device_is_told_page_by_page(viewer: Program, auditor: Program, place: Site) -> None:
    sn = a_device(place, 5353)
    place.inventory.touch([parse_serial(sn)], Event(now(), "otto", Kind.DEVICE_TOUCH))
    whole = auditor.get(f"/devices/{sn}/timeline").json()
    assert whole["next"] is None
    assert {"topic": "people", "text": "otto let it count as seen"}.items() <= next(
        each for each in whole["happenings"] if each["topic"] == "people"
    ).items()
    assert whole["happenings"][-1]["text"] == "Known since then"
    told, path = [], f"/api/v1/devices/{sn}/timeline?limit=1"
    while path:
        part = auditor.get(path.removeprefix("/api/v1")).json()
        told, path = told + part["happenings"], part["next"]
    assert told == whole["happenings"]
    assert {each["topic"] for each in viewer.get(f"/devices/{sn}/timeline").json()["happenings"]} >= {
        "calls",
        "scripts",
    }
    assert viewer.get(f"/devices/{sn}/timeline?topic=people").json()["happenings"] == []
    assert viewer.get(f"/devices/{sn}/timeline?topic=nothing").status_code == 400


def test_the_fleet_is_told_in_numbers(viewer: Program) -> None:
    said = viewer.get("/fleet").json()
    assert said["total"] == said["present"] + said["missing"] == viewer.get("/devices").json()["total"]
    assert said["present"] == said["current"] + said["waiting"]
    assert sum(each["count"] for each in said["firmware"]) == said["total"]
    assert said["deployment"] == viewer.get("/deployments/live").json()


def test_environments_are_told_as_they_stand(viewer: Program) -> None:
    listed = viewer.get("/environments", params={"sort": "devices"}).json()["environments"]
    assert {each["name"]: each["total"] for each in listed} == {
        each["value"]: each["count"] for each in viewer.get("/fleet").json()["environments"]
    }
    assert [each["total"] for each in listed] == sorted((each["total"] for each in listed), reverse=True)
    assert viewer.get("/environments", params={"sort": "phase"}).status_code == 400


# Deployments


@pytest.fixture
def deploying(tmp_path: Path) -> Iterator[tuple[Site, Program]]:
    """A site of its own, and an auditing operator of it."""
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    key = keys_of_each_role(site)[Role.OPERATOR]
    with serving(site.path) as server, Program(server, key) as program:
        yield site, program
    site.close()


def test_a_commit_is_deployed_and_taken_back(deploying: tuple[Site, Program]) -> None:
    site, program = deploying
    first = site.deployments.live().commit
    second = commit(site, {"notes.txt": b"2"})
    said = program.post("/deployments", json={"revision": "main", "reason": "for the berlin office"})
    assert said.status_code == 201
    assert said.json()["deployment"] | {"at": ""} == {
        "id": 2,
        "commit": second,
        "at": "",
        "who": "operator",
        "kind": "deploy",
        "replaced": first,
        "reason": "for the berlin office",
        "blocked": False,
        "convergence": None,
    }
    assert program.get("/deployments/live").json() == said.json()["deployment"]
    again = program.post("/deployments", json={"revision": second[:12]})
    assert (again.status_code, "deployed already" in again.json()["detail"]) == (409, True)
    back = program.post("/deployments", json={"revision": first, "kind": "rollback", "reason": "phones ring"})
    assert back.json()["deployment"]["kind"] == "rollback"
    blocked = program.post("/deployments", json={"revision": "main"})
    assert (blocked.status_code, "phones ring" in blocked.json()["detail"]) == (409, True)
    assert [each["blocked"] for each in program.get("/deployments").json()["deployments"]] == [False, True, False]
    assert program.delete(f"/blocked/{second}").status_code == 204
    assert program.delete(f"/blocked/{second}").status_code == 404
    assert program.delete("/blocked/main").status_code == 400
    assert program.post("/deployments", json={"revision": "main"}).status_code == 201
    entries = program.get("/audit", params={"who": "operator"}).json()["entries"]
    assert [(each["kind"], each["subject"], each["detail"]) for each in reversed(entries)] == [
        ("deploy", second, f"instead of {first[:12]}: for the berlin office"),
        ("rollback", first, f"instead of {second[:12]}: phones ring"),
        ("unblock", second, ""),
        ("deploy", second, f"instead of {first[:12]}"),
    ]


def test_a_commit_with_errors_is_not_deployed_and_they_are_listed(deploying: tuple[Site, Program]) -> None:
    site, program = deploying
    before = site.deployments.live()
    commit(site, {"policies/delivery.yaml": b"interval: 15\npolling: 5\ncheck: maybe\n"})
    for response in (
        program.post("/deployments", json={"revision": "main"}),
        program.get("/preview", params={"type": "IP222", "rev": "main"}),
    ):
        assert response.status_code == 422
        said = response.json()
        assert said["type"] == "urn:gitupd:invalid-configuration"
        found = [(each["path"], each["line"], each["severity"]) for each in said["errors"]]
        assert [each for each in found if each[2] == "error"] == [
            ("policies/delivery.yaml", 2, "error"),
            ("policies/delivery.yaml", 3, "error"),
        ]
    assert site.deployments.live() == before
    assert program.get("/audit", params={"kind": "deploy", "who": "operator"}).json()["entries"] == []


def test_a_revision_that_is_none_is_refused(deploying: tuple[Site, Program]) -> None:
    site, program = deploying
    never = commit(site, {"notes.txt": b"2"})
    for revision in ("nowhere", "HEAD~99", "refs/heads/../x", "ä"):
        assert program.post("/deployments", json={"revision": revision}).status_code == 422
        assert program.get("/preview", params={"type": "IP222", "rev": revision}).status_code == 422
    assert program.post("/deployments", json={"revision": never, "kind": "rollback"}).status_code == 409


def test_pages_of_deployments_lead_to_each_other(deploying: tuple[Site, Program]) -> None:
    site, program = deploying
    for number in range(4):
        commit(site, {"notes.txt": str(number).encode()})
        deploy(site, "main", who="test", now=now())
    first = program.get("/deployments", params={"limit": 3}).json()
    second = program.get(first["next"].removeprefix("/api/v1")).json()
    assert [each["id"] for each in (*first["deployments"], *second["deployments"])] == [5, 4, 3, 2, 1]
    assert second["next"] is None


def test_a_site_without_a_deployment_says_so(tmp_path: Path) -> None:
    site = Site.create(tmp_path / "site")
    key = keys_of_each_role(site)[Role.VIEWER]
    with serving(site.path) as server, Program(server, key) as program:
        assert program.get("/fleet").json()["deployment"] is None
        assert program.get("/deployments/live").status_code == 404
        assert program.get("/preview", params={"type": "IP222"}).status_code == 404
        assert program.get("/devices").json()["total"] == 0
    site.close()


# Previews


def test_a_preview_tells_each_line_with_its_origin(viewer: Program, operator: Program) -> None:
    asked = {"type": "IP222", "sn": "009033300001", "phase": "update", "env": "default"}
    said = operator.get("/preview", params=asked).json()
    delivered = [line for line in said["lines"] if line["path"] == "snippets/update-phone-default.txt"]
    assert [(line["text"], line["kind"], line["line"]) for line in delivered] == [
        (SECRET.decode().strip(), "snippet", 1)
    ]
    hidden = viewer.get("/preview", params=asked)
    assert "hunter2secret" not in hidden.text
    assert len(hidden.json()["lines"]) == len(said["lines"])


def test_a_preview_is_strict(viewer: Program) -> None:
    assert viewer.get("/preview").json()["detail"] == "type: missing"
    for wrong in ({"sn": "x"}, {"type": "a b"}, {"env": "a\nb"}, {"rev": ""}, {"hwid": "x"}):
        response = viewer.get("/preview", params={"type": "IP222", **wrong})
        assert response.status_code == 400, wrong


# People


def test_people_come_and_go(administrator: Program, api_server: Server, auditor: Program) -> None:
    grace = {"name": "Grace", "role": "viewer", "password": PASSWORD}
    added = administrator.post("/users", json=grace)
    assert (added.status_code, added.json()["name"], added.json()["disabled"]) == (201, "grace", False)
    assert administrator.post("/users", json=grace).status_code == 409
    assert administrator.get("/users/GRACE").json() == added.json()
    assert added.json() in administrator.get("/users").json()["users"]
    assert administrator.patch("/users/grace", json={"role": "operator"}).json()["role"] == "operator"
    assert administrator.patch("/users/grace", json={"password": PASSWORD + "!"}).status_code == 200
    with logged_in(api_server, "grace", PASSWORD + "!"):
        pass
    assert administrator.patch("/users/grace", json={"disabled": True}).json()["disabled"] is True
    assert administrator.delete("/users/grace").status_code == 204
    for method in ("GET", "DELETE"):
        assert administrator.request(method, "/users/grace").status_code == 404
    assert administrator.patch("/users/grace", json={"disabled": True}).status_code == 404
    kinds = [
        each["kind"]
        for each in auditor.get("/audit", params={"who": "administrator", "subject": "grace"}).json()["entries"]
    ]
    assert kinds == ["user-remove", "user-change", "password", "user-change", "user-add"]
    assert PASSWORD not in auditor.get("/audit").text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", {"name": "a b", "role": "viewer", "password": PASSWORD}),
        ("POST", "/users", {"name": "ada", "role": "root", "password": PASSWORD}),
        ("POST", "/users", {"name": "ada", "role": "viewer", "password": "short"}),
        ("POST", "/users", {"name": "ada", "role": "viewer"}),
        ("PATCH", "/users/viewer", {}),
        ("PATCH", "/users/viewer", {"role": "operator", "disabled": True}),
        ("PATCH", "/users/viewer", {"disabled": "true"}),
        ("PATCH", "/users/viewer", {"name": "other"}),
        ("POST", "/users/viewer/tokens", {"title": ""}),
        ("POST", "/users/viewer/tokens", {"title": "t", "days": "7"}),
        ("POST", "/users/viewer/tokens", {"title": "t", "days": True}),
        ("POST", "/users/viewer/tokens", {"title": "t", "days": 1.0}),
        ("DELETE", "/users/%20", None),
        ("DELETE", "/tokens/0", None),
        ("DELETE", "/tokens/99999999999999999999", None),
    ],
)
def test_what_can_not_be_of_people_is_refused(
    administrator: Program, method: str, path: str, body: dict[str, object] | None
) -> None:
    before = administrator.get("/users").json()
    assert administrator.request(method, path, json=body).status_code == 400
    assert administrator.get("/users").json() == before


def test_a_password_that_is_refused_is_not_repeated(administrator: Program) -> None:
    said = administrator.patch("/users/viewer", json={"password": "hunter2"})
    assert said.status_code == 400
    assert "hunter2" not in said.text


def test_the_last_administrator_stays(deploying: tuple[Site, Program]) -> None:
    site, program = deploying
    program.headers["Authorization"] = f"Bearer {add_key(site, 'administrator')}"
    for each in site.people.users():
        if each.role is Role.ADMINISTRATOR and each.name != "administrator":
            assert program.delete(f"/users/{each.name}").status_code == 204
    assert program.delete("/users/administrator").status_code == 409
    assert program.patch("/users/administrator", json={"role": "viewer"}).status_code == 409


def test_tokens_are_given_and_revoked(administrator: Program, api_server: Server) -> None:
    said = administrator.post("/users/auditor/tokens", json={"title": "report", "role": "viewer", "days": 7})
    assert said.status_code == 201
    token, key = said.json()["token"], said.json()["key"]
    assert (token["user"], token["title"], token["role"], token["used"]) == ("auditor", "report", "viewer", None)
    with Program(api_server, key) as report:
        assert report.get("/fleet").status_code == 200
        assert report.get("/audit").status_code == 403
        listed = administrator.get("/users/auditor/tokens")
        assert token["id"] in [each["id"] for each in listed.json()["tokens"]]
        assert key not in listed.text
        assert administrator.delete(f"/tokens/{token['id']}").status_code == 204
        assert report.get("/fleet").status_code == 401
    assert administrator.delete(f"/tokens/{token['id']}").status_code == 404
    above = administrator.post("/users/auditor/tokens", json={"title": "t", "role": "operator"})
    assert above.status_code == 422


def test_the_audit_is_filtered_and_paged(auditor: Program, administrator: Program) -> None:
    for number in range(4):
        administrator.patch("/users/viewer", json={"disabled": number % 2 == 0})
    only = {"kind": "user-change", "subject": "viewer"}
    everything = auditor.get("/audit", params=only).json()["entries"]
    first = auditor.get("/audit", params={**only, "limit": 3}).json()
    rest = auditor.get(first["next"].removeprefix("/api/v1")).json()
    assert [*first["entries"], *rest["entries"]] == everything
    assert len(everything) >= 4
    assert auditor.get("/audit", params={"text": "DISABLED", **only}).json()["entries"] == [
        each for each in everything if each["detail"] == "disabled"
    ]


def test_the_description_names_every_kind_and_topic_of_the_audit() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["AuditKind"]["enum"] == list(Kind)
    assert schemas["AuditTopic"]["enum"] == list(Topic)


def test_the_audit_is_found_by_what_it_is_about_and_when(place: Site, auditor: Program) -> None:
    for number, kind in enumerate((Kind.LOGIN, Kind.DEPLOY, Kind.BACKUP_VIEW)):
        place.audit.add(datetime(2020, 5, 1 + number, 12, tzinfo=UTC), "zoe", kind, str(number))

    def found(**asked: str) -> str:
        entries = auditor.get("/audit", params={"who": "zoe", **asked}).json()["entries"]
        return "".join(each["subject"] for each in entries)

    assert (found(show="changes"), found(show="log-ins"), found(show="looks")) == ("1", "0", "2")
    assert (found(since="2020-05-02"), found(until="2020-05-02"), found(since="2020-05-04")) == ("21", "10", "")
    assert found(since="2020-05-02T12:00Z", until="2020-05-02T12:00:00Z", show="changes") == "1"
    for wrong in ({"since": "yesterday"}, {"until": "2020-02-30"}, {"show": "everything"}):
        assert auditor.get("/audit", params=wrong).status_code == 400


# Browsers


def test_a_browser_session_may_look_and_changes_nothing_without_a_form(place: Site, api_server: Server) -> None:
    add_person(place, "surfer")
    with logged_in(api_server, "surfer") as visitor:
        assert visitor.get("/api/v1/fleet").status_code == 200
        response = visitor.delete("/api/v1/devices/00-90-33-00-00-00")
        assert response.status_code == 400
        assert json.loads(response.text)["status"] == 400


def test_no_answer_is_for_other_origins(viewer: Program) -> None:
    response = viewer.get("/fleet", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in response.headers if name.startswith("access-control")]
