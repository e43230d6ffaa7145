"""The page of the audit: what was done lately, in numbers; lists narrowed down; and what is on them as a table."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from support.fleets import fill
from support.serving import serving
from support.visitors import add_person, logged_in, shown

from gitupd.core.people.audit import AuditFilter, Kind, Topic, deed
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy, rollback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server
    from support.visitors import Visitor

    from gitupd.service.site import Site


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site in Tokyo with a deployment and a rollback of today, and some log-ins of long ago."""
    site, first = create_site(tmp_path_factory.mktemp("audit") / "site", who="init", now=now() - timedelta(days=9))
    (site.path / "gitupd.toml").write_text('time_zone = "Asia/Tokyo"\n', "utf-8")
    fill(site, 20, now())
    add_person(site, "otto", Role.AUDITOR)
    files = {**template_files(), "snippets/all-all-all.txt": b"config add X /y z\n"}
    site.config.commit_files(files, "Gatekeeper", "Ada <ada@example.org>")
    deploy(site, "main", who="ada", now=now(), reason="=HYPERLINK(1)", force=True)
    rollback(site, first.commit, who="bob", now=now(), reason='phones; lost "it"')
    for number in range(50):
        at = now() - timedelta(days=30, minutes=number)
        site.audit.add(at, "zoe", Kind.LOGIN_REFUSED if number % 5 else Kind.LOGIN, "zoe", f"try {number}")
    return site


@pytest.fixture(scope="module")
def server(place: Site) -> Iterator[Server]:
    with serving(place.path) as running:
        running.ready()
        yield running


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    with logged_in(server, "otto") as visitor:
        yield visitor


def entries(page: str) -> list[str]:
    return re.findall(r'<tr id="E(\d+)">', page)


def table(visitor: Visitor, **asked: str) -> list[dict[str, str]]:
    response = visitor.get("/audit.csv", params=asked)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def test_what_was_done_since_yesterday_is_counted_and_each_number_leads_to_it(place: Site, visitor: Visitor) -> None:
    page = visitor.get("/audit").text
    assert "Since yesterday: 1 deployment, 1 rollback, 1 other change, 1 log-in." in shown(page)
    place.audit.add(now(), "nobody", Kind.LOGIN_REFUSED, "eve")
    place.audit.add(now(), "otto", Kind.LOGOUT)
    page = visitor.get("/audit").text
    assert "Since yesterday: 1 deployment, 1 rollback, 1 other change, 1 refused log-in, 1 log-in." in shown(page)
    links = re.findall(r'href="([^"]*)">(\d+) (deployment|rollback|refused log-in|log-in)s?</a>', page)
    assert len(links) == 4
    for address, count, _ in links:
        assert len(entries(visitor.get(address.replace("&amp;", "&")).text)) == int(count)


def test_a_deployment_says_on_how_many_devices_it_is_and_what_differed(place: Site, visitor: Visitor) -> None:
    page = visitor.get("/audit?kind=rollback")
    [link] = re.findall(r'href="(/deployments/\d+)">(\d+ of \d+ devices), (1 file)</a>', page.text)
    made = place.deployments.latest(1)[0]
    assert link[0] == f"/deployments/{made.id}"
    [row] = table(visitor, kind="rollback")
    assert link[1] == f"{row['confirmed']} of {row['devices']} devices"
    assert (row["who"], row["on what"], row["deployment"], row["files changed"]) == (
        "bob",
        made.commit,
        f"{made.id}",
        "1",
    )
    assert 'phones; lost "it"' in row["details"]
    assert f"{made.commit[:8]}" in visitor.get(link[0]).text


def test_tabs_and_times_narrow_the_list_down(place: Site, visitor: Visitor) -> None:
    log_ins = visitor.get("/audit?show=log-ins&who=zoe")
    assert "50 entries" in shown(log_ins.text)
    assert len(entries(log_ins.text)) == 25
    assert f'value="{Kind.LOGIN}"' in log_ins.text
    assert f'value="{Kind.DEPLOY}"' not in log_ins.text
    assert "Nothing like that was done." in visitor.get("/audit?show=looks&who=zoe").text
    assert len(entries(visitor.get("/audit?show=changes").text)) == place.audit.count(AuditFilter(Topic.CHANGES), 100)
    assert entries(visitor.get("/audit?show=changes&kind=login&who=zoe").text)  # a kind says what it is about
    assert not entries(visitor.get("/audit?who=zoe&from=29d").text)
    assert "50 entries" in shown(visitor.get("/audit?who=zoe&from=31d&to=29d").text)
    assert "50 entries" in shown(visitor.get("/audit?who=zoe&to=yesterday").text)
    [last] = [each for each in place.audit.entries(50, who="zoe") if each.detail == "try 0"]
    tokyo = last.at.astimezone(ZoneInfo("Asia/Tokyo"))
    page = visitor.get("/audit", params={"who": "zoe", "from": f"{tokyo:%Y-%m-%d %H:%M:%S}"}).text
    assert entries(page) == [str(last.id)]
    assert f"{tokyo:%d %b %Y, %H:%M:%S}" in page
    assert "When (Asia/Tokyo)" in page
    wrong = visitor.get("/audit?from=soon&who=zoe")
    assert wrong.status_code == 400
    assert "&#39;soon&#39; is no time; write a day, " in wrong.text
    assert 'value="soon"' in wrong.text
    assert not entries(wrong.text)
    assert visitor.get("/audit.csv?to=soon").status_code == 400


def test_the_table_holds_what_is_found_and_nothing_else(place: Site, visitor: Visitor) -> None:
    found = table(visitor, who="zoe", kind="login-refused")
    wanted = place.audit.entries(100, who="zoe", kind="login-refused")
    assert [row["id"] for row in found] == [str(each.id) for each in wanted]
    assert found[0]["time (UTC)"] == f"{wanted[0].at:%Y-%m-%d %H:%M:%S}"
    assert {row["what"] for row in found} == {deed("login-refused")}
    assert len(table(visitor)) == place.audit.count(AuditFilter(), 1_000)
    link = re.search(
        r'class="csv" href="([^"]+)"', visitor.get("/audit?show=log-ins&who=zoe&text=try+1&before=9999").text
    )
    assert link
    listed = csv.DictReader(io.StringIO(visitor.get(link[1].replace("&amp;", "&")).content.decode("utf-8-sig")))
    assert [row["details"] for row in listed] == [f"try {number}" for number in range(50) if f"{number}"[0] == "1"][
        ::-1
    ]


def test_whoever_reads_german_gets_a_table_that_german_excel_opens(place: Site, visitor: Visitor) -> None:
    asked, german = {"kind": "deploy", "who": "ada"}, {"Accept-Language": "de-DE,de;q=0.9,en;q=0.8"}
    response = visitor.get("/audit.csv", params=asked, headers=german)
    assert response.content.startswith(b"\xef\xbb\xbfID;Zeit (UTC);wer;Art;")
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""), delimiter=";"))
    in_english = table(visitor, **asked)
    assert len(rows) == len(in_english)
    assert {row["was"] for row in rows} == {"hat einen Commit bereitgestellt"}
    assert [row["Einzelheiten"] for row in rows] == [row["details"] for row in in_english]
    assert "=HYPERLINK(1)" in rows[0]["Einzelheiten"]
    assert f"{place.audit.entries(1, kind='deploy')[0].subject}" == rows[0]["woran"]
    page = visitor.get("/audit", params=asked, headers=german).text
    assert re.search(r'href="/audit.csv[?][^"]*separator=comma[^"]*" download>mit Kommas<', page)
    assert re.search(r'href="/audit.csv[?][^"]*separator=semicolon', visitor.get("/audit", params=asked).text)


def test_the_longest_page_is_short(place: Site, visitor: Visitor) -> None:
    for _ in range(60):
        place.audit.add(now() - timedelta(days=60), "x" * 100, Kind.DEPLOY, "y" * 200, "<&" * 1_000)
    page = visitor.get("/audit?who=" + "x" * 100)
    assert len(entries(page.text)) == 25
    assert len(page.content) < 300_000


def test_the_page_says_how_long_what_is_kept(place: Site, server: Server, visitor: Visitor) -> None:
    assert "The audit keeps changes for ever, log-ins for ever and looks for ever." in shown(visitor.get("/audit").text)
    files = {**template_files(), "policies/audit.yaml": b"keep_log_ins: 365d\n"}
    commit = place.config.commit_files(files, "Keep", "Ada <ada@example.org>")
    deploy(place, commit, who="ada", now=now(), reason="x", force=True)
    server.ready(commit)
    assert "The audit keeps changes for ever, log-ins for 365 days and looks for ever." in shown(
        visitor.get("/audit").text
    )
