"""What else pages of backups answer: since when a line is there, which devices lack it, drift, or give no backup."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.fleets import fill
from support.histories import Upload, content, judged, keep, secret
from support.serving import serving
from support.visitors import add_person, answer, logged_in, shown

from gitupd.core.backups.change import Volatile
from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from support.serving import Server
    from support.visitors import Visitor

    from gitupd.core.backups.version import BackupVersion
    from gitupd.service.site import Site

DESK, OTHER, LATE = (parse_serial(f"00-90-33-00-00-{number}") for number in ("0d", "0b", "0f"))
NEVER = parse_serial("00-90-33-00-00-13")


@dataclass(frozen=True)
class Scene:
    """A site with three devices that upload, of which one has not for long; ``versions`` are those of the desk."""

    site: Site
    server: Server
    versions: list[BackupVersion]


def ago(days: float) -> datetime:
    return now() - timedelta(days=days)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    site, first = create_site(tmp_path_factory.mktemp("questions") / "site", who="tess", now=ago(100))
    fill(site, 20, now())
    found = [Upload(DESK, ago(days), content(13, version, 2_000)) for version, days in ((1, 90), (2, 60), (3, 1))]
    found += [Upload(OTHER, ago(3), content(11, 2, 2_000)), Upload(LATE, ago(40), content(15, 1, 2_000))]
    keep(site, sorted(found, key=lambda each: each.at), Volatile(()), first.commit)
    judged(site, DESK, OTHER)
    for name, role in (("vera", Role.VIEWER), ("adam", Role.AUDITOR), ("olga", Role.OPERATOR)):
        add_person(site, name, role)
    with serving(site.path, workers=1) as server:
        server.ready(first.commit)
        yield Scene(site, server, site.backup_index.of(DESK)[::-1])
    site.close()


@pytest.fixture(scope="module")
def operator(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "olga") as visitor:
        yield visitor


def last_view(scene: Scene) -> tuple[str, str]:
    entry = scene.site.audit.entries(1)[0]
    assert entry.kind == "backup-view"
    return entry.subject, entry.detail


# Since when


def test_beside_each_line_is_the_change_that_brought_it(scene: Scene, operator: Visitor) -> None:
    first, _, last = scene.versions
    page = operator.get(f"/backups/{DESK}/latest/since").text
    assert "its lines came with 2 changes" in answer(page)
    rows = {
        shown(text): origin
        for text, origin in re.findall(r'<td class="text">(.*?)</td><td class="origin">(.*?)</td>', page)
    }
    (name,) = [row for row in rows if "/version 3" in row]
    assert f"b={last.commit}" in rows[name]
    assert f"b={first.commit}" in rows["config write"]
    assert rows["config activate"] == "", "said once for lines that follow each other"
    assert last_view(scene) == (str(DESK), f"since when the lines of version {last.commit[:8]} are there")
    version = operator.get(f"/backups/{DESK}/{last.commit}").text
    assert f'href="/backups/{DESK}/{last.commit}/since"' in version
    search = operator.get("/backups/search?q=gatekeeper").text
    assert re.search(rf'href="/backups/{DESK}/{last.commit}/since#L\d+"', search)


def test_there_is_no_page_behind_the_last_line(operator: Visitor) -> None:
    assert operator.get(f"/backups/{DESK}/latest/since?page=2").status_code == 404
    assert operator.get(f"/backups/{NEVER}/latest/since").status_code == 404


# Two devices


def test_two_devices_are_compared(scene: Scene, operator: Visitor) -> None:
    path = f"/backups/{DESK}/against"
    page = operator.get(path).text
    assert "With which device is Desk 13 to be compared?" in answer(page)
    page = operator.get(f"{path}?with={OTHER}").text
    assert re.match(r"Desk 13 and Desk 11 : \d+ lines differ\.|Desk 13 and Desk 11: \d+ lines differ\.", answer(page))
    assert "<del>" in page
    (link,) = set(re.findall(r'data-copy="(http[^"]*)"', page))
    last, other = scene.versions[-1], scene.site.backup_index.of(OTHER)[0]
    assert f"a={last.commit}" in link
    assert f"b={other.commit}" in link
    again = operator.get(html.unescape(link))
    assert answer(again.text) == answer(page)
    subjects = {entry.subject for entry in scene.site.audit.entries(2)}
    assert subjects == {str(DESK), str(OTHER)}, "both were looked at"
    older = operator.get(f"{path}?with={OTHER}&a={scene.versions[1].commit}&view=split").text
    assert f"/backups/{DESK}/{scene.versions[1].commit}" in older


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("nosuch", "No other device is found by “nosuch”."),
        ("<b>\u202e", "No other device is found by “<b>"),
        (str(DESK), "That is this very device; choose another one."),
        ("Desk 13", "That is this very device; choose another one."),
    ],
)
def test_what_is_no_other_device_is_said(operator: Visitor, other: str, said: str) -> None:
    assert said in answer(operator.get(f"/backups/{DESK}/against?with={other}").text)


def test_the_other_device_is_named_in_any_way_that_finds_it(operator: Visitor) -> None:
    by_serial = operator.get(f"/backups/{DESK}/against?with={OTHER}")
    by_name = operator.get(f"/backups/{DESK}/against?with=desk+11")
    assert answer(by_name.text) == answer(by_serial.text)
    several = operator.get(f"/backups/{DESK}/against?with=desk").text
    assert re.search(r"(\d+|More than 20) devices are meant by “desk”: which one\?", answer(several))
    assert f"/backups/{DESK}/against?with={OTHER}" in html.unescape(several)


def test_a_device_without_a_version_can_not_be_compared(operator: Visitor) -> None:
    page = operator.get(f"/backups/{DESK}/against?with={NEVER}")
    assert page.status_code == 404
    assert f"Device {NEVER} has no version at all." in answer(page.text)


# Who has it, and who has not


def test_whole_words_of_some_devices(operator: Visitor) -> None:
    found = operator.get("/backups/search?q=10.1.0&of=name:*13").text
    assert "1 device of “name:*13” has “10.1.0” in its latest configuration." in answer(found)
    assert "No device has “10.1.0” in" not in answer(operator.get("/backups/search?q=10.1.0").text)
    assert "No device has “0.1” in" not in answer(operator.get("/backups/search?q=10.1.0.1&word=1").text)
    assert "No device has “Des” in" in answer(operator.get("/backups/search?q=Des&word=1").text)


def test_who_does_not_have_it(scene: Scene, operator: Visitor) -> None:
    page = operator.get("/backups/search?q=Desk%252013&scope=without").text
    assert "2 devices do not have “Desk%2013” in their latest configuration." in answer(page)
    listed = re.findall(r'<span class="sn">([0-9a-f-]+)</span>', page)
    assert listed == [str(OTHER), str(LATE)]
    assert last_view(scene) == ("", "search for 'Desk%2013' in versions without it")
    assert "There is no device without “config write”" in answer(
        operator.get("/backups/search?q=config+write&scope=without").text
    )


def test_what_is_hidden_is_lacked_by_all(scene: Scene, operator: Visitor) -> None:
    hidden = secret(13, 3)
    with logged_in(scene.server, "vera") as viewer:
        for text in (hidden, "nowhere"):
            page = answer(viewer.get(f"/backups/search?q={text}&scope=without").text)
            assert page.startswith(f"3 devices do not have “{text}”")
    assert answer(operator.get(f"/backups/search?q={hidden}&scope=without&hidden=1").text).startswith("2 devices")
    assert last_view(scene) == ("", "search in versions without it for a text that is hidden, or nowhere")


def test_equal_lines_are_one_which_opens_to_its_devices(scene: Scene, operator: Visitor) -> None:
    page = operator.get("/backups/search?q=config").text
    assert re.match(r"3 devices have “config” in their latest configuration, in [\d,]+ different lines\.", answer(page))
    assert "different lines" in shown(page)
    (line,) = {
        html.unescape(link)
        for text, link in re.findall(r'<td class="text mono">(.*?)</td>.*?href="([^"]*line=\d+[^"]*)"', page)
        if shown(text) == "config change MODULE0/PART /option value-0 /mode auto /flags 0x00"
    }
    opened = operator.get(line).text
    assert answer(opened).startswith("3 devices have this line in their latest configuration.")
    listed = re.findall(r'<span class="sn">([0-9a-f-]+)</span>', opened)
    assert listed == [str(OTHER), str(DESK), str(LATE)]
    assert re.search(rf'href="/backups/{DESK}/{scene.versions[-1].commit}#L1"', opened)


def test_those_found_are_found_in_the_list_of_devices(operator: Visitor) -> None:
    for question in ("q=gatekeeper+10.3.0.3&word=1", "q=Desk%252013&scope=without", "q=config&of=name:*13"):
        page = operator.get(f"/backups/search?{question}").text
        count = int(answer(page).split(" ", 1)[0])
        (link,) = re.findall(r'href="(/devices\?q=[^"]*)">Show', page)
        table = operator.get(html.unescape(link).replace("/devices?", "/devices.csv?")).text.strip().splitlines()
        assert len(table) - 1 == count > 0, question
        assert "of these" not in answer(page)


def test_all_that_is_found_comes_as_a_table(operator: Visitor) -> None:
    response = operator.get("/backups/search.csv?q=%2Fgatekeeper")
    assert response.headers["Content-Type"].startswith("text/csv")
    heads, *rows = csv.reader(response.text.lstrip("\ufeff").splitlines())
    assert heads == ["serial number", "name", "line"]
    assert [row[0] for row in rows] == [str(OTHER), str(DESK), str(LATE)]
    assert all("/gatekeeper" in row[2] and row[2].endswith("/gk-pwd ***") for row in rows)
    lacking = operator.get("/backups/search.csv?q=Desk%252013&scope=without").text.strip().splitlines()
    assert [row.split(",")[0] for row in lacking[1:]] == [str(OTHER), str(LATE)]
    assert operator.get("/backups/search.csv").status_code == 400, "nothing to look for"


def test_a_text_as_devices_write_it_is_offered(operator: Visitor) -> None:
    page = operator.get("/backups/search?q=Desk+13").text
    assert "look for Desk%2013" in answer(page)
    (link,) = re.findall(r'href="(/backups/search[^"]*%2520[^"]*)"', page)
    assert "1 device has" in answer(operator.get(html.unescape(link)).text)


# Overdue


def test_who_has_not_uploaded_for_long(operator: Visitor) -> None:
    page = operator.get("/backups").text
    assert "1 calls, and has not uploaded for 7 days" in answer(page)
    late = operator.get("/backups?show=late").text
    assert f'href="/backups/{LATE}"' in late
    assert f'href="/backups/{OTHER}"' not in late
    assert "calls, but does not upload" in late
    longer = operator.get("/backups?show=late&days=50").text
    assert "Devices that have not uploaded for 50 days" in longer
    assert f'href="/backups/{LATE}"' not in longer, "it has not for 40"
    for senseless in ("0", "-1", "x", "9" * 30):
        assert operator.get(f"/backups?show=late&days={senseless}").status_code == 200


# All of it as files


def test_all_configurations_as_they_were(scene: Scene, operator: Visitor) -> None:
    day = f"{ago(50):%Y-%m-%d}"
    response = operator.get(f"/backups/export?at={day}")
    assert response.headers["content-disposition"].startswith('attachment; filename="backups-')
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist() == [f"{DESK}.txt"]
        assert archive.read(f"{DESK}.txt") == content(13, 2, 2_000)
    assert last_view(scene)[1].startswith("export of 1 configuration, as of ")
    with logged_in(scene.server, "adam") as auditor:
        response = auditor.get("/backups/export")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist() == [f"{each}.txt" for each in (OTHER, DESK, LATE)]
        assert "/gk-pwd ***" in archive.read(f"{DESK}.txt").decode()
        assert b"secret-" not in b"".join(map(archive.read, archive.namelist()))
    assert operator.get("/backups/export?at=yesterday").status_code == 400
    with logged_in(scene.server, "vera") as viewer:
        assert viewer.get("/backups/export").status_code == 403
        assert "/backups/export" not in viewer.get("/backups?show=devices").text


# Drift


def test_who_is_not_as_its_script_wants(scene: Scene, operator: Visitor) -> None:
    page = operator.get("/backups/drift").text
    assert answer(page).startswith("2 devices of 3 that executed the deployed commit are not as their scripts want.")
    assert "be told: they have not uploaded since they executed it" in answer(page)
    assert re.search(rf'href="/backups/{DESK}/diff\?b=now">\d options?</a>', page)
    assert f'href="/backups/{LATE}"' not in page, "it has not uploaded since"
    assert last_view(scene) == ("", "which devices are not as wanted")
    one = operator.get("/backups/drift?q=name:*13").text
    assert answer(one).startswith("1 device of 1 that executed the deployed commit is not as its script wants.")
    none = operator.get("/backups/drift?q=name:nobody").text
    assert answer(none) == "None of these devices has uploaded."


def test_in_what_devices_differ_leads_to_those_that_do(operator: Visitor) -> None:
    page = operator.get("/backups/drift").text
    (row,) = [row for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if ">NTP0<" in row and ">/addr<" in row]
    assert "not there" in row
    (link,) = re.findall(r'href="([^"]*)">2</a>', row)
    opened = operator.get(html.unescape(link)).text
    assert answer(opened).startswith("2 devices of 2 that executed")
    table = operator.get('/devices.csv?q=drift:"NTP0 /addr"').text.strip().splitlines()
    assert len(table) == 1 + 2
    assert len(operator.get("/devices.csv?q=drift:yes").text.strip().splitlines()) == 1 + 2
    assert "is nothing to search by as" in shown(operator.get("/devices?q=drift:perhaps").text)
