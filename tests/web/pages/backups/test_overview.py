"""The backup pages on a real server: what they answer, to whom, and how they bear what devices upload."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from support.fleets import fill
from support.histories import Upload, content, keep, secret, uploads
from support.pace import slowness
from support.serving import Server, serving
from support.visitors import Visitor, add_key, add_person, answer, logged_in, shown, unveiled

from gitupd.core.backups.change import Volatile
from gitupd.core.caller import Serial, parse_serial
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.web.pages.backups.heatmap import first_day, heatmap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

CHANGED = parse_serial("00-90-33-00-00-0d")
HOSTILE = parse_serial("00-90-33-00-00-0e")
LARGE = parse_serial("00-90-33-00-00-0f")
SILENT = parse_serial("00-90-33-00-00-13")
CANARY = "canary-of-a-secret"
VARIABLE = "hunter22-variable"
POLICIES = {
    "policies/backup.yaml": "enabled: true\n",
    "environments.yaml": (
        "environments:\n  default: {}\n  homeoffice: {implies: [intranet]}\n"
        f"  intranet: {{variables: {{sip_password: {VARIABLE}}}}}\n"
    ),
    "snippets/update-phone-all.txt": "config add PHONE/SIG /gatekeeper 10.1.0.1 /gk-pwd plain\nconfig add NTP0 /a 1\n",
}
PAGES = (
    f"/backups/{CHANGED}",
    f"/backups/{CHANGED}/latest",
    f"/backups/{CHANGED}/~1",
    f"/backups/{CHANGED}/latest/raw",
    f"/backups/{CHANGED}/diff",
    f"/backups/{CHANGED}/diff?view=split&all=1",
    f"/backups/{CHANGED}/diff?b=now",
    "/backups/search?q=gatekeeper",
    "/backups/search?q=gatekeeper&scope=history",
    f"/backups/search?q={CANARY}",
    f"/backups/search?q={CANARY}&scope=history&hidden=1",
    "/backups/search?q=pwd",
    "/backups",
    f"/devices/{CHANGED}",
)


@dataclass(frozen=True)
class Scene:
    """A site whose devices have uploaded for months; ``times`` are those of the last two uploads of CHANGED."""

    site: Site
    server: Server
    live: CommitId
    at: datetime


def changed(pwd: str, gatekeeper: str) -> bytes:
    lines = [
        *content(13, 5, 2_000).decode().splitlines()[:-2],
        f"config change PHONE/SIG /gatekeeper {gatekeeper} /gk-pwd {pwd} /other {VARIABLE}",
    ]
    return "\r\n".join([*lines, "", "config write", "config activate", ""]).encode()


HOSTILE_LINES = (
    "config change CMD0 /name <script>alert(1)</script>",
    'config change X /a "><img src=x onerror=alert(2)> {{ 7*7 }}',
    "config change Y /colour \x1b[31mred /turned \u202egnirts /nul \u2400 /wide \u3000",
    "config change LONG /value " + "x" * 50_000,
    "config change SLASHES /" + "/" * 30_000,
    "vars create C " + "c" * 30_000 + "!",
)


def prepare(site: Site, changes: Mapping[str, str]) -> CommitId:
    files = {**template_files(), **{path: text.encode() for path, text in changes.items()}}
    commit = site.config.commit_files(files, "Change", "Ada <ada@example.org>")
    deploy(site, commit, who="tess", now=now())
    return commit


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    site, _ = create_site(tmp_path_factory.mktemp("backups") / "site", who="test", now=now())
    live = prepare(site, POLICIES)
    fill(site, 20, now())
    at = now() - timedelta(minutes=4)
    ordinary = [
        each for each in uploads(12, 6, at - timedelta(days=2), size=2_000) if each.serial not in (CHANGED, HOSTILE)
    ]
    special = [
        Upload(CHANGED, at - timedelta(days=1), changed("first-of-secrets", "10.9.0.1")),
        Upload(CHANGED, at - timedelta(hours=25), changed("first-of-secrets", "10.9.0.1")),
        Upload(CHANGED, at, changed(CANARY, "10.9.0.2")),
        Upload(HOSTILE, at, "\r\n".join(HOSTILE_LINES).encode() + b"\r\nconfig change RAW /x \xff\xfe\r\n"),
    ]
    found = sorted([*ordinary, *special[1:]], key=lambda each: each.at)
    keep(site, found, Volatile(()), live)
    for name, role in (("vera", Role.VIEWER), ("adam", Role.AUDITOR), ("olga", Role.OPERATOR)):
        add_person(site, name, role)
    with serving(site.path, workers=1) as server:
        server.ready(live)
        yield Scene(site, server, live, at)
    site.close()


@pytest.fixture(scope="module")
def viewer(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "vera") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def operator(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "olga") as visitor:
        yield visitor


# What changed where


def test_the_answer_at_the_top_is_in_words_and_links(scene: Scene, viewer: Visitor) -> None:
    days = [now()]
    page = viewer.get("/backups").text
    days.append(now())
    versions = scene.site.backup_index.count()
    assert re.match(
        rf"14 devices have {versions} versions; (?:\d|none) changed today; "
        r"\d+ call, and have not uploaded for 7 days; "
        r"6 call, and never uploaded; 1 more is missing altogether",
        answer(page),
    )
    assert any(f'href="/backups?day={day:%Y-%m-%d}"' in page for day in days)
    assert 'href="/backups?show=never"' in page
    assert 'href="/backups?show=devices"' in page


def test_the_newest_changes_are_told_in_words(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/backups").text
    commit = scene.site.backup_index.of(CHANGED, 1)[0].commit
    assert (
        f'<a href="/backups/{CHANGED}/diff?b={commit}"><span class="named">Desk 13</span>: 1 line changed</a>' in page
    )
    assert f'href="/commits/{scene.live}"' in page


def test_the_calendar_has_a_link_for_each_day_with_changes(viewer: Visitor, scene: Scene) -> None:
    page = viewer.get("/backups").text
    svg = re.search(r"<svg[^>]*aria-label=\"Changes per day.*?</svg>", page, re.DOTALL)
    assert svg
    assert "style=" not in svg[0]
    linked = set(re.findall(r"day=(\d{4}-\d\d-\d\d)", svg[0]))
    newest = scene.site.backup_index.newest(1000)
    assert linked == {f"{version.received:%Y-%m-%d}" for version in newest}
    assert f"<title>{scene.at:%a %d %b %Y}: " in svg[0]
    words = re.search(r'<details class="words">.*?</details>', page, re.DOTALL)
    assert words
    assert set(re.findall(r"day=(\d{4}-\d\d-\d\d)", words[0])) == linked, "the same can be reached without it"


@pytest.mark.parametrize(
    "address",
    ["/backups?q=typ:x", "/backups?show=devices&q=typ:x", "/backups/drift?q=typ:x", "/backups/search?q=a&of=typ:x"],
)
def test_words_for_devices_that_can_find_none_are_told(operator: Visitor, address: str) -> None:
    page = html.unescape(operator.get(address).text)
    assert "'typ' is nothing to search by; keys are sn, hwid, name, type" in page


def test_changes_are_found_by_day_by_device_and_page(scene: Scene, viewer: Visitor) -> None:
    day = viewer.get(f"/backups?day={scene.at:%Y-%m-%d}").text
    total = sum(version.received.date() == scene.at.date() for version in scene.site.backup_index.newest(1000))
    assert day.count('<tr id="v') == total
    by_type = viewer.get("/backups?q=IP222").text
    assert set(re.findall(r'data-label="Type">([^<]*)<', by_type)) == {"IP222"}
    assert viewer.get("/backups?q=nosuchthing").text.count('<tr id="v') == 0
    first, seen = viewer.get("/backups").text, set()
    page = first
    while True:
        seen |= set(re.findall(r'<tr id="(v\d+)"', page))
        more = re.search(r'rel="next" href="([^"]*)"', page)
        if not more:
            break
        page = viewer.get(html.unescape(more[1])).text
    assert len(seen) == scene.site.backup_index.count()


@pytest.mark.parametrize(
    "query", ["day=2026-13-01", "day=x", "day=9999-12-31", "before=x", "before=-1", "after=x", "show=x"]
)
def test_senseless_addresses_are_no_fault_of_the_server(viewer: Visitor, query: str) -> None:
    page = viewer.get(f"/backups?{query}")
    assert page.status_code == 200
    assert ("is no day" in page.text) == (query.startswith("day"))


def test_lists_of_devices(viewer: Visitor) -> None:
    kept = viewer.get("/backups?show=devices").text
    assert kept.count('data-label="Versions"') == 14
    silent = viewer.get("/backups?show=never").text
    assert f"/devices/{SILENT}" in silent
    assert silent.count('data-label="Called last"') == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"policies/backup.yaml": "enabled: false\n"}, "The deployed configuration has them switched off."),
        ({"policies/backup.yaml": "enabled: true\n"}, "They are switched on"),
    ],
)
def test_an_empty_site_teaches(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    live = prepare(site, changes)
    add_person(site, "vera", Role.VIEWER)
    with serving(site.path, workers=1) as server:
        server.ready(live)
        with logged_in(server, "vera") as visitor:
            page = visitor.get("/backups").text
    site.close()
    assert answer(page).startswith("No device has uploaded a backup yet")
    assert said in shown(page)
    assert "policies/backup.yaml" in page


# One device


def test_a_device_shows_its_versions_and_the_latest_difference(operator: Visitor) -> None:
    page = operator.get(f"/backups/{CHANGED}").text
    assert re.match(r"Desk 13 has 2 versions since .*; 1 line changed \d+ min ago\.", answer(page))
    assert "<del>10.9.0.1</del>" in page
    assert "<ins>10.9.0.2</ins>" in page
    assert page.count('type="radio" name="a"') == 2
    assert f"/backups/{CHANGED}/restore?rev=" in page


def test_a_difference_is_shown_as_commands(operator: Visitor, viewer: Visitor) -> None:
    page = operator.get(f"/backups/{CHANGED}/diff?view=snippet").text
    assert "config add PHONE/SIG /gatekeeper 10.9.0.2" in shown(page)
    assert f"/backups/{CHANGED}/diff?" in page
    assert re.search(r'href="[^"]*view=snippet[^"]*" aria-current="true">As a snippet', page)
    secret = viewer.get("/backups/00-90-33-00-00-01/diff?view=snippet").text
    assert "# Write its secret here: config add" in shown(secret)
    assert "secret-1-6" not in secret


def test_any_two_versions_can_be_compared(scene: Scene, operator: Visitor) -> None:
    serial = Serial("009033000001")
    versions = scene.site.backup_index.of(serial)
    newest, oldest = versions[0].commit, versions[-1].commit
    page = operator.get(unveiled(f"/backups/{serial}/diff?a={oldest}&b={newest}")).text
    turned = operator.get(unveiled(f"/backups/{serial}/diff?a={newest}&b={oldest}")).text
    turned = turned.replace(f"a={newest}&amp;b={oldest}", f"a={oldest}&amp;b={newest}")
    code = '<div class="code'
    assert (
        page.partition(code)[2].partition("</table>")[0] == turned.partition(code)[2].partition("</table>")[0] != ""
    ), "the older one comes first whichever way they were chosen"
    assert "<del>secret-1-1</del>" in page
    assert "<ins>secret-1-6</ins>" in page
    split = operator.get(f"/backups/{serial}/diff?a={oldest}&b={newest}&view=split").text
    assert '<div class="code pair"' in split
    whole = operator.get(f"/backups/{serial}/diff?a={oldest}&b={newest}&all=1").text
    assert "equal line" not in whole
    assert "equal line" in page


def test_volatile_lines_are_in_no_difference_and_dimmed_in_a_version(operator: Visitor) -> None:
    assert "UPDATE/CHECK" not in operator.get("/backups/00-90-33-00-00-01/diff?all=1").text
    page = operator.get("/backups/00-90-33-00-00-01/latest").text
    assert re.search(
        r'class="volatile"><th><a href="#L\d+">\d+</a></th><td class="sign"></td><td class="text">vars create UPDATE',
        page,
    )


def test_the_first_version_has_nothing_before_it(operator: Visitor) -> None:
    assert "the first version" in answer(operator.get(f"/backups/{HOSTILE}/diff").text)
    assert "There is nothing to compare it with" in operator.get(f"/backups/{HOSTILE}").text


def test_a_version_is_downloaded_byte_for_byte(scene: Scene, operator: Visitor) -> None:
    version = scene.site.backup_index.of(CHANGED, 1)[0]
    file = operator.get(f"/backups/{CHANGED}/{version.commit[:10]}/raw")
    assert file.content == changed(CANARY, "10.9.0.2")
    assert (
        file.headers["content-disposition"] == f'attachment; filename="{CHANGED}-{version.received:%Y%m%d-%H%M%S}.txt"'
    )
    assert file.headers["content-type"].startswith("text/plain")
    assert file.headers["x-content-type-options"] == "nosniff"


def test_intent_is_held_against_what_is_there(operator: Visitor, viewer: Visitor) -> None:
    page = operator.get(unveiled(f"/backups/{CHANGED}/diff?b=now")).text
    text = shown(page)
    assert "PHONE/SIG /gatekeeper 10.1.0.1 10.9.0.2 ▲different" in text
    assert "NTP0 /a 1 none ▲not there" in text
    assert f"PHONE/SIG /gk-pwd plain {CANARY} ○can't be compared" in text
    assert "PHONE/SIG /gk-pwd *** *** ○can't be compared" in shown(viewer.get(f"/backups/{CHANGED}/diff?b=now").text)


@pytest.mark.parametrize(
    "path",
    [
        "/backups/00-90-33-ff-ff-ff",
        "/backups/nonsense",
        f"/backups/{CHANGED}/0123456789abcdef",
        f"/backups/{CHANGED}/~99",
        f"/backups/{CHANGED}/--help",
        f"/backups/{CHANGED}/9999-12-31T23:59:59/raw/x",
        f"/backups/{CHANGED}/0001-01-01T00:00:00+14:00",
        f"/backups/{CHANGED}/%00/raw",
        f"/backups/{CHANGED}/diff?a=ffff&b=latest",
        f"/backups/{CHANGED}/diff?a=~1&b=x",
        f"/backups/{CHANGED}/latest?page=999",
        f"/backups/{CHANGED}?before=ffffffff",
        f"/backups/{SILENT}/latest",
        f"/backups/{SILENT}/diff",
    ],
)
def test_what_is_not_there_is_not_found(operator: Visitor, path: str) -> None:
    assert operator.get(path).status_code == 404


def test_a_version_of_another_device_is_not_found(scene: Scene, operator: Visitor) -> None:
    other = scene.site.backup_index.of(Serial("009033000001"), 1)[0].commit
    for path in (f"{other}", f"{other}/raw", f"diff?a={other}&b=latest", f"restore?rev={other}"):
        assert operator.get(f"/backups/{CHANGED}/{path}").status_code == 404


def test_a_device_that_never_uploaded_says_so(viewer: Visitor) -> None:
    assert "has never uploaded a backup" in answer(viewer.get(f"/backups/{SILENT}").text)


def test_serial_numbers_may_be_written_in_any_way(viewer: Visitor) -> None:
    page = viewer.get("/backups/00903300000D/diff?view=split")
    assert (page.status_code, page.headers["location"]) == (301, f"/backups/{CHANGED}/diff?view=split")


# Who may see what


@pytest.mark.parametrize("name", ["vera", "adam"])
def test_secrets_are_on_no_page_of_those_who_may_not_see_them(scene: Scene, name: str) -> None:
    with logged_in(scene.server, name) as visitor:
        for path in PAGES:
            page = visitor.get(path)
            assert page.status_code == 200, path
            body = page.text.replace(f"q={CANARY}", "").replace(f'value="{CANARY}"', "").replace(f"“{CANARY}”", "")
            for each in (CANARY, "first-of-secrets", VARIABLE, secret(1, 6), secret(13, 5)):
                assert each not in body, (path, each)
        assert "No device has" in visitor.get(f"/backups/search?q={CANARY}").text
        assert "No device had" in visitor.get(f"/backups/search?q={CANARY}&scope=history&hidden=1").text
        assert "*** " in visitor.get(f"/backups/{CHANGED}/latest/raw").text


def test_operators_see_them(operator: Visitor) -> None:
    assert CANARY not in operator.get(f"/backups/{CHANGED}/latest").text
    assert CANARY in operator.get(unveiled(f"/backups/{CHANGED}/latest")).text
    assert "1 device has" in answer(operator.get(f"/backups/search?q={CANARY}&hidden=1").text)
    assert "1 device had" in answer(operator.get(f"/backups/search?q={CANARY}&scope=history&hidden=1").text)


def test_a_secret_that_alone_changed_shows_as_changed(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    live = prepare(site, POLICIES)
    keep(
        site,
        [Upload(CHANGED, now() - timedelta(hours=2 - n), changed(f"{CANARY}-{n}", "10.9.0.1")) for n in range(2)],
        Volatile(()),
        live,
    )
    add_person(site, "vera", Role.VIEWER)
    with serving(site.path, workers=1) as server:
        server.ready(live)
        with logged_in(server, "vera") as visitor:
            page = visitor.get(f"/backups/{CHANGED}/diff").text
    site.close()
    assert "1 line differs" in answer(page)
    assert CANARY not in page
    assert page.count('class="removed"') == page.count('class="added"') == 1
    assert "/gk-pwd <del>***</del> /other ***<" in page
    assert "/gk-pwd <ins>***</ins> /other ***<" in page


def test_every_view_of_a_configuration_is_in_the_audit(scene: Scene) -> None:
    add_person(scene.site, "watched", Role.VIEWER)
    with logged_in(scene.server, "watched") as visitor:
        for path in PAGES[:9]:
            visitor.get(path)
        visitor.get("/backups")
        visitor.get(f"/backups/{CHANGED}/ffffffff")
    new, old = (version.commit[:8] for version in scene.site.backup_index.of(CHANGED))
    entries = [(each.subject, each.detail) for each in scene.site.audit.entries(50, who="watched", kind="backup-view")]
    assert entries[::-1] == [
        (str(CHANGED), f"what version {new} changed against {old}"),
        (str(CHANGED), f"version {new}"),
        (str(CHANGED), f"version {old}"),
        (str(CHANGED), f"version {new} as a file"),
        (str(CHANGED), f"what version {new} changed against {old}"),
        (str(CHANGED), f"what version {new} changed against {old}"),
        (str(CHANGED), f"version {new} against what it would get now"),
        ("", "search for 'gatekeeper' in the latest versions"),
        ("", "search for 'gatekeeper' in the history"),
    ]


def test_strangers_see_nothing(scene: Scene) -> None:
    with Visitor(scene.server) as stranger:
        for path in PAGES:
            assert stranger.get(path).headers["location"].startswith("/login?next=")


def test_a_token_does_not_open_pages(scene: Scene) -> None:
    headers = {"Authorization": f"Bearer {add_key(scene.site, 'olga')}"}
    assert scene.server.get(f"/backups/{CHANGED}/latest/raw", headers)[0] == 303


# Search


def test_the_latest_versions_are_searched(scene: Scene, operator: Visitor) -> None:
    assert "1 device has “10.9.0.2”" in answer(operator.get("/backups/search?q=10.9.0.2").text)
    page = operator.get("/backups/search?q=10.9.0.1").text
    assert "No device has" in answer(page)
    assert "scope=history" in page
    many = operator.get("/backups/search?q=GATEKEEPER").text
    assert "13 devices have" in answer(many), "letter case does not matter"
    commit = scene.site.backup_index.of(CHANGED, 1)[0].commit
    assert re.search(rf"/backups/{CHANGED}/{commit}#L\d+", many), "a link that stays what it is"
    assert "/<mark>gatekeeper</mark> 10.9.0.2" in many


def test_the_history_is_searched(scene: Scene, operator: Visitor) -> None:
    page = operator.get("/backups/search?q=10.9.0.1&scope=history").text
    assert "1 device had “10.9.0.1”" in answer(page)
    assert f"{scene.site.backup_index.count()} versions were looked through: all there are" in answer(page)
    older = operator.get("/backups/search?q=10.9.0.1&scope=history&before=3").text
    assert "2 versions were looked through" in answer(older)


@pytest.mark.parametrize("text", ["%20", "a%0Ab", "a%00b", "x" * 300])
def test_what_can_not_be_looked_for_is_told(operator: Visitor, text: str) -> None:
    page = operator.get(f"/backups/search?q={text}")
    assert page.status_code == 400
    assert re.match(r"Type (what to look for|no more than)", answer(page.text))


@pytest.mark.parametrize("text", ["--help", "-e", "<b>", ".*", "\\", "%FF", "'\"", "*"])
def test_anything_else_may_be_looked_for(operator: Visitor, text: str) -> None:
    for scope in ("latest", "history"):
        assert operator.get("/backups/search", params={"q": text, "scope": scope}).status_code == 200


# What devices upload


def test_hostile_content_is_shown_as_it_is(scene: Scene, viewer: Visitor, operator: Visitor) -> None:
    for visitor in (viewer, operator):
        before = scene.server.work()
        page = visitor.get(unveiled(f"/backups/{HOSTILE}/latest")).text
        assert scene.server.work() - before < 5 * slowness()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<img" not in page
        assert "{{ 7*7 }}" in page
        assert "\u202e" not in page
        assert "\x1b" not in page
        assert "␛[31mred /turned ⟨U+202E⟩gnirts" in page
        assert len(page) < 100_000
        assert ("config change LONG" in page) == (visitor is operator), "too long to be looked through for secrets"
    assert "… (48,026 more characters)" in operator.get(unveiled(f"/backups/{HOSTILE}/latest")).text


def test_hostile_content_comes_back_byte_for_byte(operator: Visitor) -> None:
    file = operator.get(f"/backups/{HOSTILE}/latest/raw").content
    assert file == "\r\n".join(HOSTILE_LINES).encode() + b"\r\nconfig change RAW /x \xff\xfe\r\n"


def test_a_very_large_version_stays_readable(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    live = prepare(site, POLICIES)
    lines = [
        f"mod cmd FLASHDIR0 add-item {number} (cn=Person%20{number})(e164={number})(x=y)" for number in range(100_000)
    ]
    before = "\r\n".join(lines).encode()
    after = "\r\n".join([*lines[:1_000], *lines[1_001:80_000], "config change NEW /x 1", *lines[80_000:]]).encode()
    assert len(before) > 5_500_000
    keep(site, [Upload(LARGE, now() - timedelta(hours=1), before), Upload(LARGE, now(), after)], Volatile(()), live)
    add_person(site, "vera", Role.VIEWER)
    with serving(site.path, workers=1) as server:
        server.ready(live)
        with logged_in(server, "vera") as visitor:
            for path in ("/latest", "/latest?page=50", "/diff", "/diff?all=1", "/diff?b=now", ""):
                before_it = server.work()
                page = visitor.get(f"/backups/{LARGE}{path}")
                # Some four seconds where nothing else runs; comparing each line with each would take hours.
                assert server.work() - before_it < 15 * slowness(), path
                assert page.status_code == 200
                assert len(page.content) < 1_500_000, path
            page = visitor.get(f"/backups/{LARGE}/diff").text
            assert "2 lines differ" not in answer(page)
            assert "1 line differs" in answer(page)
            assert "config change NEW /x 1" in page
            assert 'id="L100000"' in visitor.get(f"/backups/{LARGE}/latest?page=50").text
            assert "more lines: too much for a page" in visitor.get(f"/backups/{LARGE}/diff?all=1").text
    site.close()


# Going back to a version


def test_a_restore_is_confirmed_with_what_it_changes(scene: Scene, operator: Visitor, viewer: Visitor) -> None:
    old = scene.site.backup_index.of(CHANGED)[1]
    path = f"/backups/{CHANGED}/restore?rev={old.commit}"
    assert viewer.get(path).status_code == 403
    page = operator.get(path).text
    assert answer(page).startswith("Put Desk 13 back to the version of ")
    assert "<del>10.9.0.2</del>" in page, "what is there now goes"
    assert "<ins>10.9.0.1</ins>" in page
    assert "What it can't undo" in shown(page)
    assert SiteRestores(scene.site).of(CHANGED) == []
    assert viewer.submit(f"/backups/{CHANGED}/restore", {"rev": old.commit}, page="/account").status_code == 403
    assert operator.post(f"/backups/{CHANGED}/restore", data={"rev": old.commit}).status_code == 400, (
        "without its token"
    )
    done = operator.submit(f"/backups/{CHANGED}/restore", {"rev": old.commit}, page=path)
    assert (done.status_code, done.headers["location"]) == (303, f"/backups/{CHANGED}")
    (asked,) = SiteRestores(scene.site).of(CHANGED)
    assert (asked.commit, asked.who) == (old.commit, "olga")
    page = operator.get(f"/backups/{CHANGED}").text
    assert "olga asked" in shown(page)
    assert asked.token not in page
    assert operator.submit(f"/backups/{CHANGED}/cancel", page=f"/backups/{CHANGED}").status_code == 303
    assert "Restore taken back" in shown(operator.get(f"/backups/{CHANGED}").text)
    again = operator.submit(
        f"/backups/{CHANGED}/cancel",
        page="/account",
    )
    assert again.status_code == 303
    assert "No restore of device" in shown(operator.get(f"/backups/{CHANGED}").text)


def test_the_page_of_a_device_leads_to_its_backups(viewer: Visitor) -> None:
    page = viewer.get(f"/devices/{CHANGED}").text
    assert re.search(rf'<a href="/backups/{CHANGED}">2 versions</a>, the latest <time', page)
    assert "never uploaded" in viewer.get(f"/devices/{SILENT}").text


# The calendar


def test_the_calendar_has_a_square_for_each_day_of_a_year() -> None:
    today = date(2026, 11, 23)
    found = heatmap({date(2026, 11, 22): 5, date(2026, 1, 1): 1, date(2024, 1, 1): 9}, today)
    assert first_day(today).weekday() == 0
    assert (found.days[0].day, found.days[-1].day) == (first_day(today), today)
    assert len({(day.x, day.y) for day in found.days}) == len(found.days) == (today - first_day(today)).days + 1
    assert {day.day: day.level for day in found.days if day.count} == {date(2026, 1, 1): 1, date(2026, 11, 22): 2}
    assert found.total == 6, "what is older is left out"
    assert [(month.title, month.count) for month in found.months] == [("November 2026", 5), ("January 2026", 1)]
    labels = [label for label in found.labels if label.y < 20]
    assert all(one.x + 30 < other.x for one, other in pairwise(labels))


def test_one_busy_day_does_not_pale_all_others() -> None:
    today = date(2026, 11, 23)
    counts = {today - timedelta(days=number): number for number in range(1, 9)} | {today: 10_000}
    levels = [day.level for day in heatmap(counts, today).days[-9:]]
    assert levels == [4, 3, 3, 2, 2, 1, 1, 1, 4]
    assert heatmap({}, today).total == 0


def test_days_with_deployments_are_marked() -> None:
    today = date(2026, 11, 23)
    found = heatmap({today: 3}, today, {today - timedelta(days=1): 2})
    assert [(day.count, day.level, day.deployments) for day in found.days[-2:]] == [(0, 0, 2), (3, 1, 0)]
    assert [[day.day for day in month.days] for month in found.months] == [[today, today - timedelta(days=1)]]
