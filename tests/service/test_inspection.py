"""One device looked at closely."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.caller import Origin, Request, parse_caller, parse_serial
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.plan import plan
from gitupd.core.script import differences
from gitupd.core.situation import Situation
from gitupd.core.snapshot import CommitId
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
SERIAL = parse_serial("00-90-33-30-00-af")
ENDPOINT = Endpoint("http", "upd.example", 8080, "/mtls")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = create_site(tmp_path / "site", who="test", now=NOW)[0]
    yield made
    made.close()


def polled(site: Site, at: datetime, **arguments: str) -> Device:
    """Have the device poll, and return what is remembered of it then."""
    said = {"type": "IP222", "sn": str(SERIAL), "hwid": "IP222-30-00-af", "ip": "10.0.0.7", "env": "homeoffice"}
    live = following(site).live
    situation = Situation(live.snapshot, parse_caller(said | arguments, ENDPOINT), at)
    before = site.inventory.device(SERIAL) or Device(SERIAL)
    seen = before.seen(situation.caller, situation.recognised, Origin("10.0.0.7"), at)
    site.inventory.save_sightings([seen.after(tuple(plan(situation)), live.snapshot.commit, at)])
    return site.inventory.device(SERIAL)


def following(site: Site) -> Follower:
    follower = Follower(site)
    follower.follow()
    return follower


def inspect(site: Site, device: Device) -> Inspection:
    return Inspection(device, following(site).live, Snapshots(site), NOW)


def change(site: Site, path: str, content: bytes) -> CommitId:
    files = dict(site.config.files(site.config.resolve("main")))
    site.config.commit_files({**files, path: content}, "Change", "Ada <ada@example.org>")
    return deploy(site, "main", who="test", now=NOW, force=True, reason="as tests do")[0].commit


def test_what_it_gets_now_and_why(site: Site) -> None:
    device = polled(site, NOW, phase="update")
    script = inspect(site, device).now_lines()
    assert script.commit == site.deployments.live().commit
    assert [line.number for line in script.lines] == list(range(1, len(script.lines) + 1))
    assert {line.kind for line in script.lines} == {"comment", "command", "snippet"}
    gatekeeper = next(line for line in script.lines if "gk-addr" in line.text)
    assert (gatekeeper.path, gatekeeper.line) == ("snippets/update-phone-homeoffice.txt", 1)
    assert [(each.path, each.reason) for each in script.selected] == [
        ("snippets/all-all-all.txt", "every phase; every class; every environment"),
        ("snippets/update-phone-homeoffice.txt", "phase update; class phone; environment homeoffice"),
        (
            "snippets/update-reception-intranet.txt",
            "phase update; class reception; environment intranet, implied by homeoffice",
        ),
    ]
    assert not script.executed


def test_the_names_that_its_snippets_could_have_are_those_that_it_gets_and_more(site: Site) -> None:
    device = polled(site, NOW, phase="update")
    names = inspect(site, device).snippet_names()
    script = inspect(site, device).now_lines()
    assert [each.path for each in names if each.path] == [each.path for each in script.selected]
    assert [each.name for each in names][:3] == ["all-all-all", "all-all-00_90_33_30_00_af", "all-all-homeoffice"]
    assert len({each.name for each in names}) == len(names)
    unknown = replace(device, request=None)
    assert inspect(site, unknown).snippet_names() == ()
    odd = replace(device, request=Request({"sn": "x" * 300}, ENDPOINT))
    assert inspect(site, odd).snippet_names() == ()
    assert Inspection(device, None, Snapshots(site), NOW).snippet_names() == ()


def test_what_it_got_last_beside_what_it_would_get_now(site: Site) -> None:
    first = site.deployments.live().commit
    device = polled(site, NOW, phase="update")
    assert not any(
        row.changed for row in differences(inspect(site, device).last_lines(), inspect(site, device).now_lines())
    )
    second = change(site, "snippets/update-phone-homeoffice.txt", b"config add PHONE/REG /gk-addr 10.9.9.9\nmore\n")
    last, now = inspect(site, device).last_lines(), inspect(site, device).now_lines()
    assert (last.commit, now.commit) == (first, second)
    changed = [
        (row.left and row.left.text, row.right and row.right.text) for row in differences(last, now) if row.changed
    ]
    assert changed[:2] == [
        ("config add PHONE/REG /gk-addr 10.1.0.1", "config add PHONE/REG /gk-addr 10.9.9.9"),
        (None, "more"),
    ]
    assert len(changed) == 3, "the CHECK serial is the third"


def test_leading_a_device_on_to_its_next_poll_is_no_difference(site: Site) -> None:
    polled(site, NOW, phase="update", polling="5")
    device = polled(site, NOW, phase="update", polling="0", CHECK="x")
    first = Inspection(
        replace(device, sent_request=Request({**device.request.arguments, "polling": "5"}, ENDPOINT)),
        following(site).live,
        Snapshots(site),
        NOW,
    )
    rows = differences(first.last_lines(), first.now_lines())
    assert any(row.left is not None and row.right is None for row in rows)
    assert not any(row.changed for row in rows)


def test_one_that_has_executed_everything_is_shown_what_it_has(site: Site) -> None:
    device = polled(site, NOW, phase="update")
    script = inspect(site, device).now_lines()
    check = next(line.text.split()[-1] for line in script.lines if " check ser " in line.text)
    device = polled(site, NOW + timedelta(minutes=15), phase="update", CHECK=check)
    now = inspect(site, device).now_lines()
    assert now.executed
    assert now.lines == script.lines
    assert (
        inspect(site, device).next_step()
        == "It polls every 15 min. It has executed everything, so nothing else happens."
    )


def test_a_commit_that_is_gone_is_told(site: Site) -> None:
    device = polled(site, NOW, phase="update")
    gone = Device(SERIAL, sent=CommitId("c" * 40), sent_request=device.sent_request)
    script = inspect(site, gone).last_lines()
    assert script.lines == ()
    assert "cccccccccccc can't be read" in script.failure


def test_a_remembered_request_that_is_none_today_is_told(site: Site) -> None:
    device = polled(site, NOW, phase="update")
    marked = Request({**device.request.arguments, "hwid": "<IP222>"}, ENDPOINT)
    odd = inspect(site, replace(device, request=marked, sent_request=marked))
    for script in (odd.now_lines(), odd.last_lines()):
        assert (script.lines, script.selected) == ((), ())
        assert script.failure == "It polled as no device does: argument 'hwid' is no hardware id."
    assert odd.expected() == ()
    assert odd.next_step() == (
        "It polled as no device does (argument 'hwid' is no hardware id), so it is not known what it needs."
    )


def test_nothing_deployed_or_never_polled(site: Site) -> None:
    device = polled(site, NOW)
    undeployed = Inspection(device, None, Snapshots(site), NOW)
    assert undeployed.now_lines() is None
    assert undeployed.next_step() == "Nothing happens: no commit is deployed."
    silent = inspect(site, Device(SERIAL, last_seen=NOW))
    assert (silent.now_lines(), silent.last_lines(), silent.expected()) == (None, None, ())
    assert silent.next_step() == "It has not polled here yet, so it is not known what it needs."


def test_lines_that_are_computed_are_left_out_where_code_must_not_run(site: Site) -> None:
    device = polled(site, NOW, phase="update")
    change(site, "scripting.py", b"class Scripting:\n    def pre(self, device):\n        return ['computed line']\n")
    script = inspect(site, device).now_lines()
    assert script.failure == "Lines computed by scripting.py are left out here."
    assert not any("computed line" in line.text for line in script.lines)


def test_a_request_that_was_no_update_url_yet(site: Site) -> None:
    bare = Device(SERIAL, request=Request({"sn": str(SERIAL)}, ENDPOINT), last_seen=NOW)
    script = inspect(site, bare).now_lines()
    assert any(line.text.startswith("config add UP1 /url ") for line in script.lines)
