"""Requests of a device are recorded, printed and recorded no longer, all by commands."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support import fleets

from gitupd.cli.main import cli
from gitupd.core.caller import parse_serial
from gitupd.core.people.audit import Kind
from gitupd.core.stories.recorded import RecordedRequest
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path

SERIAL = parse_serial("00-90-33-00-00-03")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    made = create_site(folder, who="test", now=now())[0]
    fleets.fill(made, 5, now())
    made.close()
    return folder


def gitupd(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["requests", *arguments, "--site", str(site)])


def test_what_is_recorded_is_printed_the_latest_first(site: Path) -> None:
    assert "begin with --record" in gitupd(site, "Desk 3").stderr
    assert gitupd(site, "Desk 3", "--record").stdout.startswith(f"requests of {SERIAL} are recorded until ")
    opened = Site(site)
    for number in range(2):
        at = now() + timedelta(seconds=number)
        opened.recordings.write([RecordedRequest(SERIAL, at, "GET", f"/update.php?n={number}", 200, 0.002, body="ok")])
    opened.close()
    printed = gitupd(site, "Desk 3").stdout
    assert printed.index("> GET /update.php?n=1") < printed.index("> GET /update.php?n=0")
    assert printed.count("< 200 after 2.0 ms") == 2
    facts = json.loads(gitupd(site, str(SERIAL), "--json").stdout)
    assert facts["recording"]["on"] is True
    assert [each["target"] for each in facts["requests"]] == ["/update.php?n=1", "/update.php?n=0"]
    opened = Site(site)
    looks = opened.audit.entries(9, kind=Kind.REQUESTS_VIEW)
    opened.close()
    assert [entry.subject for entry in looks] == [str(SERIAL)] * 2, "nothing was there to be looked at before"


def test_it_ends_when_somebody_says_so_and_the_audit_has_both(site: Path) -> None:
    gitupd(site, "Desk 3", "--record")
    assert gitupd(site, "Desk 3", "--stop").stdout == f"requests of {SERIAL} are not recorded any more\n"
    assert gitupd(site, "Desk 3", "--stop").stdout == f"requests of {SERIAL} were not recorded\n"
    opened = Site(site)
    kinds = [entry.kind for entry in opened.audit.entries(2)]
    opened.close()
    assert kinds == [Kind.DEVICE_RECORD_STOP, Kind.DEVICE_RECORD]
    assert "give one of them" in str(gitupd(site, "Desk 3", "--stop", "--record").exception)
