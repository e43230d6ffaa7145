"""What changed on a device between two days, and who deployed what then: on the pages of a real server."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from support.fleets import device, fill
from support.histories import Upload, content, keep
from support.serving import Server, serving
from support.visitors import ROOT, Visitor, add_person, answer, logged_in, shown

from gitupd.core.backups.change import Volatile
from gitupd.core.deployments.deployment import Deployment
from gitupd.core.people.person import Role
from gitupd.core.policy import Backup
from gitupd.core.snapshot import CommitId
from gitupd.resources import template_files
from gitupd.service.backups.difference import VersionLine, pieces
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.web.pages.backups.period import Period, period_in
from gitupd.web.pages.backups.story import Deployed, Several, happenings_of
from gitupd.web.pages.backups.views import LONGEST_LINE, marked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.backups.version import BackupVersion
    from gitupd.service.site import Site

TODAY = now().date()
DESK = device(13, CommitId("0" * 40), now()).serial
OTHER = device(11, CommitId("0" * 40), now()).serial


def at(days: int, hour: int = 12) -> datetime:
    """Return an hour of the day so many days ago."""
    return datetime.combine(TODAY - timedelta(days=days), time(hour), UTC)


def ago(days: int) -> str:
    """Return the day so many days ago, as addresses have it."""
    return (TODAY - timedelta(days=days)).isoformat()


@dataclass(frozen=True)
class Scene:
    """A site with a past: each list has the oldest first."""

    site: Site
    server: Server
    commits: list[CommitId]
    versions: list[BackupVersion]


UPLOADED = (190, 150, 110, 70, 30)
"""So many days ago the desk uploaded another configuration."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    site, first = create_site(tmp_path_factory.mktemp("story") / "site", who="tess", now=at(200))
    commits = [first.commit]
    for days, who, subject, line in (
        (130, "tess", "New gatekeeper", "config add PHONE/SIG /gatekeeper 10.1.0.9"),
        (90, "olga", "English menus <b>", "config add PHONE/USER-UI /language eng"),
    ):
        changes = {"policies/backup.yaml": "enabled: true\n", "snippets/update-phone-all.txt": f"{line}\n"}
        files = {**template_files(), **{path: text.encode() for path, text in changes.items()}}
        commits.append(site.config.commit_files(files, subject, f"{who} <{who}@example.org>"))
        deploy(site, commits[-1], who=who, now=at(days))
    rollback(site, commits[1], who="olga", reason="phones lost their menus", now=at(88))
    fill(site, 20, now())
    for number, (since, until) in enumerate(((200, 130), (130, 90), (90, 0))):
        found = [Upload(DESK, at(days), content(13, days, 2_000)) for days in UPLOADED if since > days >= until]
        found += [Upload(OTHER, at(days, 9), content(11, days, 2_000)) for days in (120, 100) if since > days >= until]
        keep(site, sorted(found, key=lambda each: each.at), Volatile(()), commits[number])
    for name, role in (("vera", Role.VIEWER), ("olga", Role.OPERATOR)):
        add_person(site, name, role)
    with serving(site.path, workers=1) as server:
        server.ready(commits[1])
        yield Scene(site, server, commits, site.backup_index.of(DESK)[::-1])
    site.close()


@pytest.fixture(scope="module")
def operator(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "olga") as visitor:
        yield visitor


def radios(page: str) -> list[str]:
    return re.findall(r'type="radio" name="b" value="([0-9a-f]{40})"', page)


# Between two days


def test_what_changed_between_two_days_and_who_deployed_then(scene: Scene, operator: Visitor) -> None:
    page = operator.get(f"/backups/{DESK}?from={ago(160)}&to={ago(100)}").text
    assert answer(page).startswith(f"Desk 13 changed 2 times from {at(160):%d %b %Y} to {at(100):%d %b %Y} (UTC);")
    assert "1 deployment was made then." in answer(page)
    assert radios(page) == [scene.versions[2].commit, scene.versions[1].commit]
    timeline = shown(page[page.index('class="timeline') :])
    order = [f"{at(110):%d %b %Y, %H:%M} UTC", f"{at(130):%d %b %Y, %H:%M} UTC", f"{at(150):%d %b %Y, %H:%M} UTC"]
    assert [timeline.index(each) for each in order] == sorted(timeline.index(each) for each in order)
    assert f"tess deployed {scene.commits[1][:8]} “New gatekeeper”" in timeline
    assert "English menus" not in page
    assert "CMD0 /name Desk%2013 /version <del>190</del>" in page, "from how it was before"
    assert "CMD0 /name Desk%2013 /version <ins>110</ins>" in page, "to how it was at the end, all of it together"
    later = operator.get(f"/backups/{DESK}?from={ago(100)}").text
    assert "/version <del>110</del>" in later, "the version right before these days, not the first one"
    assert "/version <ins>30</ins>" in later


def test_the_link_to_that_is_whole_and_leads_there(scene: Scene, operator: Visitor) -> None:
    path = f"/backups/{DESK}?from={ago(160)}&to={ago(100)}"
    page = operator.get(path).text
    links = set(re.findall(r'data-copy="(http[^"]*)"', page))
    assert links == {html.escape(f"{scene.server.base}{path}")}
    assert answer(operator.get(html.unescape(links.pop())).text) == answer(page)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"from={ago(300)}&to={ago(250)}", "It had no version by then"),
        (f"from={ago(300)}&to={ago(180)}", "did not change"),
        (f"from={ago(300)}&to={ago(180)}", "It had no version before"),
        (f"from={ago(300)}&to={ago(150)}", "changed once from"),
        (f"from={ago(100)}", f"changed 2 times since {at(100):%d %b %Y} (UTC); 2 deployments were made then."),
        (f"to={ago(100)}", f"changed 2 times until {at(100):%d %b %Y} (UTC); 2 deployments were made then."),
        (f"day={ago(110)}", f"changed once on {at(110):%a %d %b %Y} (UTC); nothing was deployed then."),
        (f"day={ago(111)}", "did not change on"),
    ],
)
def test_any_days_are_answered(operator: Visitor, query: str, said: str) -> None:
    assert said in answer(operator.get(f"/backups/{DESK}?{query}").text)


def test_days_may_be_written_in_several_ways() -> None:
    march, may = Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2026, 3, 1), date(2026, 5, 31))
    today = date(2026, 11, 23)
    assert period_in({"from": "2026-03", "to": "2026-05"}, today) == may
    assert period_in({"from": "2026-05", "to": "2026-03"}, today) == may, "in either order"
    assert period_in({"day": "2026-03"}, today) == march
    assert period_in({}, today) == Period()
    assert march.between == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["2026-13", "0000-01", "2026-02-30", "March", "9999-12", "<b>", "٢٠٢٦-٠٣", "x" * 9_000]
)
def test_what_is_no_day_is_told(operator: Visitor, text: str) -> None:
    for path in ("/backups", f"/backups/{DESK}"):
        page = operator.get(path, params={"from": text})
        assert page.status_code == 200
        assert "is no day; write it like" in page.text
        assert "<b>" not in page.text.replace("<b>Ada", "")


def test_days_of_the_fleet_have_their_deployments_among_them(scene: Scene, operator: Visitor) -> None:
    page = operator.get(f"/backups?from={ago(135)}&to={ago(85)}").text
    rows = [shown(row) for row in re.findall(r'<tr (?:id="v\d+"|class="deployed").*?</tr>', page, re.DOTALL)]
    assert len(rows) == 6
    told_in_order = (
        f"olga rolled back to {scene.commits[1][:8]} “New gatekeeper” (phones lost their menus)",
        f"olga deployed {scene.commits[2][:8]} “English menus <b>”",
        "Desk 11: ",
        "Desk 13: ",
        "Desk 11: first version",
        f"tess deployed {scene.commits[1][:8]} “New gatekeeper”",
    )
    for row, text in zip(rows, told_in_order, strict=True):
        assert row.startswith(text)
    assert f"{at(110):%d %b %Y, %H:%M} UTC" in rows[3], "times for a report"


def test_days_with_deployments_are_marked_in_the_calendar(operator: Visitor) -> None:
    page = operator.get("/backups").text
    found = re.search(rf"<title>{at(130):%a %d %b %Y}: 0 changes, 1 deployment</title>.*?</a>", page)
    assert found
    assert "<circle" in found[0]


def decided(number: int, seconds: int) -> Deployed:
    moment = at(1) + timedelta(seconds=seconds)
    return Deployed(Deployment(number, CommitId("0" * 40), moment, "tess", "deploy", None, ""), None)


def test_long_rows_of_deployments_are_taken_together() -> None:
    three = [decided(number, number) for number in range(3)]
    assert happenings_of([], three) == three[::-1]
    four = [*three, decided(3, 3)]
    assert happenings_of([], four) == [Several(tuple(four[::-1]))]


def test_of_the_same_time_the_later_one_stays_the_first() -> None:
    newest_first = [decided(2, 0), decided(1, 0)]
    assert happenings_of([], newest_first) == newest_first


# Versions and differences


def test_one_goes_from_version_to_version(scene: Scene, operator: Visitor) -> None:
    commits = [each.commit for each in scene.versions]
    page = operator.get(f"/backups/{DESK}/{commits[1]}").text
    assert re.search(rf'rel="prev" href="/backups/{DESK}/{commits[0]}"', page)
    assert re.search(rf'rel="next" href="/backups/{DESK}/{commits[2]}"', page)
    assert "This is the first version" in operator.get(f"/backups/{DESK}/{commits[0]}").text
    latest = operator.get(f"/backups/{DESK}/latest").text
    assert "This is the latest version" in latest
    assert f'data-copy="{scene.server.base}/backups/{DESK}/{commits[-1]}"' in latest


def test_a_version_tells_what_the_device_had_got_and_who_deployed_that(scene: Scene, operator: Visitor) -> None:
    page = operator.get(f"/backups/{DESK}/{scene.versions[2].commit}").text
    assert (
        f"the device got {scene.commits[1][:8]} “New gatekeeper”, which tess deployed on {at(130):%d %b %Y}"
        in answer(page)
    )


def test_a_difference_tells_what_was_deployed_meanwhile(scene: Scene, operator: Visitor) -> None:
    commits = [each.commit for each in scene.versions]
    page = operator.get(f"/backups/{DESK}/diff?b={commits[2]}").text
    meanwhile = re.search(r'<section class="meanwhile".*?</section>', page, re.DOTALL)
    assert meanwhile
    assert shown(meanwhile[0]).endswith(f"UTCtess deployed {scene.commits[1][:8]} “New gatekeeper”")
    assert re.search(rf'rel="prev" href="/backups/{DESK}/diff\?b={commits[1]}"', page)
    assert re.search(rf'rel="next" href="/backups/{DESK}/diff\?b={commits[3]}"', page)
    assert f"{scene.server.base}/backups/{DESK}/diff?a={commits[1]}&amp;b={commits[2]}" in page
    wide = operator.get(f"/backups/{DESK}/diff?a={commits[0]}&b={commits[2]}").text
    assert 'rel="prev"' not in wide, "it is no change of many"
    assert "Nothing was deployed in between." in operator.get(f"/backups/{DESK}/diff?b={commits[1]}").text


def test_a_version_that_is_not_there_is_answered_with_help(scene: Scene, operator: Visitor) -> None:
    page = operator.get(f"/backups/{DESK}/diff?a=%3Cb%3E&b=~3")
    assert page.status_code == 404
    assert "has no version “<b>”" in answer(page.text)
    assert f"Its first one is of {at(190):%d %b %Y, %H:%M} UTC" in answer(page.text)
    assert 'name="a" value="&lt;b&gt;"' in page.text
    assert 'name="b" value="~3"' in page.text
    assert scene.versions[0].commit[:8] in page.text


def line(number: int, text: str, *, secret: bool = True) -> VersionLine:
    return VersionLine(number, text, volatile=False, secret=secret)


def test_a_secret_is_never_matched_with_what_is_shown() -> None:
    """Else whoever guesses a password, and has a device configured so, would see that it is the same."""
    before, after = pieces(
        line(1, "config X /pw ***"), line(1, "config X hunter2 ***"), b"config X /pw hunter2", b"config X hunter2 other"
    )
    assert [each.text for each in before if each.changed] == ["/pw", "***"]
    assert [each.text for each in after if each.changed] == ["hunter2", "***"]


def test_only_the_secret_that_changed_is_marked() -> None:
    before, after = pieces(
        line(1, "X /pw *** /key *** /a 1"),
        line(1, "X /pw *** /key *** /a 1"),
        b"X /pw a /key b /a 1",
        b"X /pw a /key c /a 1",
    )
    assert [(each.text, each.changed) for each in before] == [
        ("X /pw *** /key ", False),
        ("***", True),
        (" /a 1", False),
    ]
    assert before == after


def test_what_was_found_is_marked_wherever_it_is() -> None:
    assert [(each.text, each.found) for each in marked("a GK b gk", "gk")] == [
        ("a ", False),
        ("GK", True),
        (" b ", False),
        ("gk", True),
    ]
    far = marked("x" * 5_000 + "needle" + "y" * 5_000, "needle")
    assert far[1].text == "needle"
    assert far[1].found
    assert sum(len(each.text) for each in far) < LONGEST_LINE + 100


# Putting a device back


def test_what_a_restore_does_not_bring_back_is_told(operator: Visitor) -> None:
    page = operator.get(f"/backups/{DESK}/restore?rev={ago(150)}").text
    stays = re.findall(r'<tr class="stays">.*?</tr>', page)
    assert [shown(row) for row in stays] == ["34=config change MODULE2/CHANGED /by 30 /at 43 stays"]
    assert re.search(r"The script that is deployed today wants \d+ options otherwise than this version", shown(page))


def test_a_restore_stands_in_the_timeline_and_is_watched_until_it_is_done(scene: Scene) -> None:
    add_person(scene.site, "watcher", Role.OPERATOR)
    restoring = SiteRestores(scene.site)
    with logged_in(scene.server, "watcher") as visitor:
        assert 'data-refresh="0"' in visitor.get(f"/backups/{DESK}").text
        restoring.ask(scene.versions[1], ROOT, now(), Backup())
        page = visitor.get(f"/backups/{DESK}").text
        assert re.search(r'data-refresh="[1-9]\d*"', page)
        assert f"{ROOT.name} asked to restore {scene.versions[1].commit[:8]}: ◐under way" in shown(page)
        seen = views(scene, "watcher")
        for _ in range(3):
            visitor.get(f"/backups/{DESK}", headers={"X-Refresh": "1"})
        assert views(scene, "watcher") == seen, "one look, however long"
        visitor.get(f"/backups/{OTHER}", headers={"X-Refresh": "1"})
        assert views(scene, "watcher") == seen + 1, "nobody looks unseen"
        restoring.cancel(DESK, ROOT, now())
        assert 'data-refresh="0"' in (page := visitor.get(f"/backups/{DESK}").text)
        assert "○taken back" in shown(page)


def views(scene: Scene, who: str) -> int:
    return len(scene.site.audit.entries(100, who=who, kind="backup-view"))


def test_what_a_device_still_has_is_told_by_the_search_of_the_history(operator: Visitor) -> None:
    for text, still in (("/version 30", True), ("/version 110", False)):
        page = operator.get("/backups/search", params={"q": text, "scope": "history"}).text
        assert "1 device had" in answer(page)
        assert ("it still has it" in page) == still
