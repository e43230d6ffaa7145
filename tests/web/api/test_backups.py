"""Backups, restores, firmware and answers through the API, beside what the command line and pages tell of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from support.fleets import fill
from support.histories import judged, keep, secret, uploads
from support.visitors import logged_in

from gitupd.cli.main import cli
from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.backups.change import Volatile
from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.programs import Program
    from support.serving import Server

    from gitupd.service.site import Site

DEVICES, VERSIONS = 12, 4
SN, OTHER = "00-90-33-00-00-01", "00-90-33-00-00-02"
QUERIES = b"""\
queries:
  admin:
    title: Administration
    command: mod cmd CMD0 xml-info
    applies: [all]
    show:
      - {title: Name, xpath: "string(/info/@name)"}
      - {title: Password, xpath: "string(/info/@pw)"}
      - {title: Room, xpath: "string(/info/@room)"}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a fleet, and a history of each device."""
    site, _ = create_site(tmp_path_factory.mktemp("backups") / "site", who="test", now=now())
    files = {**template_files(), "policies/deploy.yaml": b"mode: manual\n", "queries.yaml": QUERIES}
    site.config.commit_files(files, "Change", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now())
    fill(site, DEVICES, now())
    live = live_now(site)
    assert live is not None
    keep(
        site,
        uploads(DEVICES, VERSIONS, now(), size=2_000),
        Volatile(live.snapshot.policy.backup.ignore),
        live.deployment.commit,
    )
    judged(site, parse_serial(SN), parse_serial(OTHER))
    yield site
    site.close()


def gitupd(site: Site, *arguments: str) -> Any:
    done = CliRunner().invoke(cli, [*arguments, "--site", str(site.path)])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def everything(program: Program, path: str, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while path:
        said = program.get(path.removeprefix("/api/v1")).json()
        found += said[what]
        path = said["next"]
    return found


def views(site: Site, who: Role) -> list[tuple[str, str]]:
    return [(each.subject, each.detail) for each in site.audit.entries(5, who=who.value)]


# Versions


def test_programs_are_told_the_same_versions_on_the_command_line_and_by_http(place: Site, viewer: Program) -> None:
    told = everything(viewer, "/backups?limit=7", "versions")
    assert len(told) == DEVICES * VERSIONS
    assert [{k: v for k, v in each.items() if k != "number"} for each in told] == gitupd(
        place, "backups", "log", "--limit", "1000", "--json"
    )
    assert everything(viewer, f"/devices/{SN}/backups?limit=3", "versions") == gitupd(
        place, "backups", "log", SN, "--json"
    )
    assert viewer.get(f"/devices/{SN}/backups").json()["total"] == VERSIONS


def test_versions_are_those_of_some_devices_and_days(viewer: Program) -> None:
    told = everything(viewer, "/backups?limit=1000", "versions")
    day = told[10]["received"][:10]
    assert everything(viewer, f"/backups?limit=2&since={day}&until={day}", "versions") == [
        each for each in told if each["received"].startswith(day)
    ]
    moment = told[5]["received"]
    assert all(each["received"] >= moment for each in everything(viewer, f"/backups?since={moment}", "versions"))
    assert {each["serial"] for each in everything(viewer, f"/backups?q={SN}&limit=1", "versions")} == {SN}
    for faulty in ("since=yesterday", "until=2026-13-01", "since=9999-12-31T23:59-12:00x", "q=colour:red", "before=0"):
        assert viewer.get(f"/backups?{faulty}").status_code == 400
    assert viewer.get("/backups?since=0001-01-01&until=9999-12-31").status_code == 200


def test_what_is_kept_of_devices(place: Site, viewer: Program) -> None:
    told = everything(viewer, "/backups/devices?limit=5", "devices")
    assert [each["count"] for each in told] == [VERSIONS] * DEVICES
    latest = gitupd(place, "backups", "log", SN, "--limit", "1", "--json")[0]
    assert next(each["latest"] for each in told if each["serial"] == SN) == latest
    assert [each["serial"] for each in everything(viewer, f"/backups/devices?q={SN}", "devices")] == [SN]


def test_a_version_by_each_of_its_names(viewer: Program) -> None:
    commits = [each["commit"] for each in viewer.get(f"/devices/{SN}/backups").json()["versions"]]
    shown = viewer.get(f"/devices/{SN}/backups/~1").json()
    assert (shown["version"]["commit"], shown["previous"], shown["following"]) == (commits[1], commits[2], commits[0])
    for name in ("latest", commits[0], commits[0][:12], "9000-01-01"):
        assert viewer.get(f"/devices/{SN}/backups/{name}").json()["version"]["commit"] == commits[0]
    for nothing in ("~99", "0" * 40, "2001-01-01", "main"):
        assert viewer.get(f"/devices/{SN}/backups/{nothing}").status_code == 404
        assert viewer.get(f"/devices/{SN}/backups/{nothing}/text").status_code == 404
    assert viewer.get("/devices/00-90-33-ff-ff-ff/backups").status_code == 404
    assert viewer.get(f"/devices/{SN}/backups?before={'0' * 40}").status_code == 404


# What they say


def test_secrets_are_for_operators(place: Site, viewer: Program, operator: Program) -> None:
    plain = operator.get(f"/devices/{SN}/backups/latest/text")
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"/gk-pwd {secret(1, VERSIONS)}\r\n" in plain.text
    assert views(place, Role.OPERATOR)[0] == (SN, f"version {commit_of(viewer)[:8]} as a file")
    hidden = viewer.get(f"/devices/{SN}/backups/latest/text").text
    assert "/gk-pwd ***\r\n" in hidden
    assert "secret-" not in hidden
    rows = viewer.get(f"/devices/{SN}/backups/latest/difference").json()["rows"]
    assert "secret-" not in str(rows)
    assert [row["new"]["secret"] for row in rows if row["new"] and "/gk-pwd" in row["new"]["text"]] == [True]
    assert "secret-" in str(operator.get(f"/devices/{SN}/backups/latest/difference").json()["rows"])


def commit_of(program: Program, revision: str = "latest", serial: str = SN) -> str:
    commit: str = program.get(f"/devices/{serial}/backups/{revision}").json()["version"]["commit"]
    return commit


def test_a_difference_is_that_of_the_command_line_and_of_the_page(
    place: Site, api_server: Server, viewer: Program
) -> None:
    told = viewer.get(f"/devices/{SN}/backups/latest/difference?context=0").json()
    assert (told["old"]["commit"], told["new"]["commit"]) == (commit_of(viewer, "~1"), commit_of(viewer))
    old, new = told["old"]["commit"][:8], told["new"]["commit"][:8]
    assert views(place, Role.VIEWER)[0] == (SN, f"what version {new} changed against {old}")
    changed = [row for row in told["rows"] if row["kind"] == "changed"]
    gone = {row["old"]["text"] for row in changed if row["old"]}
    come = {row["new"]["text"] for row in changed if row["new"]}
    printed = gitupd(place, "backups", "diff", SN, "--context", "0").splitlines()
    assert gone == {line[1:] for line in printed if line.startswith("-") and not line.startswith("---")}
    assert come == {line[1:] for line in printed if line.startswith("+") and not line.startswith("+++")}
    assert (told["added"], told["removed"]) == (len(come), len(gone))
    with logged_in(api_server, Role.VIEWER.value) as browser:
        page = browser.get(f"/backups/{SN}/diff").text
    assert all(line.split()[2] in page for line in come)


def test_a_difference_of_two_devices_and_of_a_first_version(place: Site, viewer: Program) -> None:
    told = viewer.get(f"/devices/{SN}/backups/~2/difference?of={OTHER}&against=~1").json()
    assert (told["old"]["serial"], told["new"]["serial"]) == (OTHER, SN)
    assert {subject for subject, _ in views(place, Role.VIEWER)[:2]} == {SN, OTHER}
    first = viewer.get(f"/devices/{SN}/backups/~{VERSIONS - 1}/difference").json()
    assert first["old"] is None
    assert first["removed"] == 0
    assert viewer.get(f"/devices/{SN}/backups/latest/difference?of={OTHER}").json()["old"]["serial"] == OTHER
    assert viewer.get(f"/devices/{SN}/backups/latest/difference?of=00-90-33-ff-ff-ff").status_code == 404


# Questions


def test_devices_are_found_by_a_text(place: Site, viewer: Program, operator: Program) -> None:
    found = viewer.get("/backups/search", params={"text": "Desk%201 ", "q": SN}).json()
    assert [(each["serial"], each["count"]) for each in found["devices"]] == [(SN, 1)]
    assert (found["complete"], found["unread"], found["different_lines"]) == (True, 0, len(found["lines"]))
    assert views(place, Role.VIEWER)[0] == ("", f"search for 'Desk%201 ' in the latest versions of '{SN}'")
    first = viewer.get("/backups/search", params={"text": "config write", "limit": 1}).json()
    assert (first["total"], first["lines"]) == (DEVICES, [{"text": "config write", "devices": DEVICES}])
    assert len(everything(viewer, "/backups/search?text=config%20write&limit=3", "devices")) == DEVICES
    without = viewer.get("/backups/search", params={"text": "Desk%201 ", "scope": "without"}).json()
    assert (without["total"], SN in str(without)) == (DEVICES - 1, False)
    ever = viewer.get("/backups/search", params={"text": "/version 1", "word": "true", "scope": "history"}).json()
    assert (ever["total"], ever["complete"], ever["next"]) == (DEVICES, True, None)
    assert ever["devices"][0]["first_received"] <= ever["devices"][0]["last_received"]
    hidden = {"text": secret(1, VERSIONS)}
    assert viewer.get("/backups/search", params=hidden).json()["devices"] == []
    assert operator.get("/backups/search", params=hidden).json()["total"] == 0
    hidden |= {"hidden": "true"}
    assert viewer.get("/backups/search", params=hidden).json()["devices"] == []
    assert [each["serial"] for each in operator.get("/backups/search", params=hidden).json()["devices"]] == [SN]
    assert views(place, Role.OPERATOR)[0][1] == "search in the latest versions for a text that is hidden, or nowhere"
    for faulty in ({}, {"text": ""}, {"text": "   "}, {"text": "x", "scope": "all"}, {"text": "x", "q": "colour:red"}):
        assert viewer.get("/backups/search", params=faulty).status_code == 400


def test_who_is_overdue_and_who_drifted_is_told_as_on_the_command_line(place: Site, viewer: Program) -> None:
    late, never = (
        everything(viewer, f"/backups/overdue?because={why}&limit=3", "devices") for why in ("late", "never")
    )
    assert late + never == gitupd(place, "backups", "overdue", "--json")
    assert late
    assert sum(viewer.get("/backups/overdue?days=1").json()["counts"].values()) >= len(late + never)
    assert viewer.get("/backups/overdue?days=0").status_code == 400
    drift = everything(viewer, "/backups/drift", "devices")
    assert drift == gitupd(place, "backups", "drift", "--json")
    assert drift
    told = viewer.get("/backups/drift?limit=1").json()
    assert told["figures"]["drifted"] == len(drift)
    assert (
        sum(told["figures"][each] for each in ("drifted", "in_force", "pending", "untold"))
        == told["figures"]["executed"]
    )
    first = told["options"][0]
    those = [each for each in drift if {name: first[name] for name in ("module", "option", "how")} in each["options"]]
    assert first["devices"] == len(those)
    assert all(each["serial"] == SN for each in everything(viewer, f"/backups/drift?q={SN}", "devices"))


# Restores


def test_a_restore_is_ordered_seen_and_withdrawn(place: Site, viewer: Program, operator: Program) -> None:
    wanted = commit_of(viewer, "~2")
    assert viewer.post(f"/devices/{SN}/restores", json={"revision": wanted}).status_code == 403
    ordered = operator.post(f"/devices/{SN}/restores", json={"revision": "~2"})
    assert ordered.status_code == 201
    assert (ordered.json()["commit"], ordered.json()["state"], ordered.json()["who"]) == (wanted, "asked", "operator")
    assert "token" not in ordered.text
    assert views(place, Role.OPERATOR)[0][0] == SN
    assert viewer.get("/restores?state=open").json()["restores"] == [ordered.json()]
    assert viewer.get(f"/devices/{SN}/restores").json()["restores"][0] == ordered.json()
    assert gitupd(place, "backups", "restores", "--json")[0] == ordered.json()
    again = operator.post(f"/devices/{SN}/restores", json={"revision": wanted}).json()
    assert viewer.get("/restores?state=open").json()["restores"] == [again]
    assert operator.delete(f"/devices/{SN}/restores").status_code == 204
    assert operator.delete(f"/devices/{SN}/restores").status_code == 404
    listed = everything(viewer, "/restores?limit=1", "restores")
    assert [each["state"] for each in listed] == ["cancelled", "cancelled"]
    assert operator.post(f"/devices/{SN}/restores", json={"revision": "~99"}).status_code == 404
    assert operator.post(f"/devices/{SN}/restores", json={"revision": "../x"}).status_code == 400


def test_a_restore_that_was_fetched_is_not_withdrawn(place: Site, operator: Program) -> None:
    number = operator.post(f"/devices/{OTHER}/restores", json={"revision": "~1"}).json()["id"]
    assert place.restores.fetch(number, now())
    refused = operator.delete(f"/devices/{OTHER}/restores")
    assert refused.status_code == 409
    assert "has fetched it already" in refused.json()["detail"]


# Firmware, answers


def test_firmware_files_are_listed(place: Site, viewer: Program) -> None:
    for build, name in (("137213", "ip222.bin"), ("137213", "ip232.bin"), ("134250", "ip222.bin")):
        (place.path / "firmware" / build).mkdir(parents=True, exist_ok=True)
        (place.path / "firmware" / build / name).write_bytes(b"x" * 9)
    told = everything(viewer, "/firmware?limit=2", "files")
    assert told == gitupd(place, "firmware", "list", "--json")
    assert [each["build"] for each in told] == ["134250", "137213", "137213"]
    assert [each["name"] for each in everything(viewer, "/firmware?build=134250", "files")] == ["ip222.bin"]


def test_answers_of_a_fleet_stand_in_columns(place: Site, viewer: Program, operator: Program) -> None:
    said = f'<info name="=1+1" pw="{secret(1, 1)}"/>'
    answer = QueryAnswer("admin", now() - timedelta(minutes=1), said)
    place.answers.save([AnsweredQuery(parse_serial(SN), answer, None)])
    told = viewer.get("/answers", params={"query": "admin", "limit": 5}).json()
    assert (told["columns"], told["total"]) == (["Name", "Password", "Room"], DEVICES)
    rows = {row["serial"]: row for row in everything(viewer, "/answers?query=admin&limit=5", "devices")}
    assert len(rows) == DEVICES
    assert rows[SN]["values"] == ["=1+1", "***", ""]
    assert rows[OTHER]["values"] == [None, None, None]
    assert rows[OTHER]["received"] is None
    alone = operator.get("/answers", params={"query": "admin", "q": SN}).json()
    assert [row["values"][1] for row in alone["devices"]] == [secret(1, 1)]
    one = viewer.get(f"/devices/{SN}/answers").json()["answers"]
    shown = next(each["values"] for each in one if each["query"] == "admin")
    assert [each["value"] for each in shown] == rows[SN]["values"]
    assert viewer.get("/answers?query=nothing").status_code == 404
    assert viewer.get("/answers").status_code == 400


def test_answers_of_a_fleet_are_a_table_for_programs_as_they_are(place: Site, viewer: Program) -> None:
    place.answers.save([AnsweredQuery(parse_serial(SN), QueryAnswer("admin", now(), '<info name="=1+1"/>'), None)])
    table = viewer.get("/answers.csv?query=admin")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    lines = table.content.decode().split("\r\n")
    assert lines.pop() == ""
    assert lines[0] == "serial number,name,type,answered (UTC),Name,Password,Room,error"
    assert len(lines) == DEVICES + 1
    assert ",=1+1,," in next(line for line in lines if line.startswith(SN))
    assert len(viewer.get(f"/answers.csv?query=admin&q={SN}").text.splitlines()) == 2
    assert viewer.get("/answers.csv?query=nothing").status_code == 404
