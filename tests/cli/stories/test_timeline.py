"""The command that tells the story of a device."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from gitupd.cli.main import cli
from gitupd.core.caller import parse_serial
from gitupd.core.device import Device
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from pathlib import Path

SERIAL = parse_serial("00-90-33-30-00-af")


def gitupd(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--site", str(site)])


def test_the_story_of_a_device(tmp_path: Path) -> None:
    site, first = create_site(tmp_path / "site", who="test", now=now())[0], now() - timedelta(hours=2)
    commit = site.deployments.live().commit
    for minutes, place, sent in ((0, "berlin", None), (15, "mu\x1bnich", commit), (30, "mu\x1bnich", None)):
        at = first + timedelta(minutes=minutes)
        sent_at = at if sent else None
        site.inventory.save_sightings(
            [Device(SERIAL, first_seen=first, last_seen=at, environments=(place,), sent=sent, sent_at=sent_at)]
        )
    site.close()
    said = gitupd(tmp_path / "site", "timeline", "009033:3000af")
    lines = [line.split("  ", 1)[1] for line in said.stdout.splitlines()]
    moved = "Moved to mu\N{REPLACEMENT CHARACTER}nich from berlin"
    assert lines == ["Called last", f"Was sent 0 snippets of {commit[:12]}", moved, "Known since then"]
    told = json.loads(gitupd(tmp_path / "site", "timeline", str(SERIAL), "--about", "moves", "--json").stdout)
    assert [(each["topic"], each["text"]) for each in told] == [("moves", "Moved to mu\x1bnich from berlin")]
    part = gitupd(tmp_path / "site", "timeline", str(SERIAL), "--limit", "1")
    assert part.stdout.endswith("Called last\n")
    before = part.stderr.rpartition(" ")[2].strip()
    rest = gitupd(tmp_path / "site", "timeline", str(SERIAL), "--before", before).stdout
    assert rest == "".join(said.stdout.splitlines(keepends=True)[1:])
    assert "no device" in str(gitupd(tmp_path / "site", "timeline", "00-90-33-ff-ff-ff").exception)
