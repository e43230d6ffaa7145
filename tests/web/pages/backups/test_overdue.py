"""Who is overdue with a backup: pages, commands and metrics say the same."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from click.testing import CliRunner
from support import fleets
from support.histories import Upload, content, keep
from support.scraping import scrape_all
from support.serving import Server, serving
from support.visitors import add_key, add_person, answer, logged_in

from gitupd.cli.main import cli
from gitupd.core.backups.change import Volatile
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from pathlib import Path

    from support.visitors import Visitor

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

CALLED = (1, 35, 37, 6 * 24 + 12, 7 * 24 + 12, 200, 800)
UPLOADED = (None, *CALLED)
POLICIES = {
    "36 hours": (b"enabled: true\n", b"missing_after: 36h\n"),
    "7 days": (b"enabled: true\n", b"missing_after: 7d\n"),
    "a week, for none is ever missing": (b"enabled: true\n", b"missing_after: 0\n"),
    "switched off": (b"enabled: false\n", b"missing_after: 7d\n"),
}


def configure(site: Site, backup: bytes, status: bytes) -> CommitId:
    files = {**template_files(), "policies/deploy.yaml": b"mode: manual\n"}
    files |= {"policies/backup.yaml": backup, "policies/status.yaml": status}
    site.config.commit_files(files, "Change", "Ada <ada@example.org>")
    return deploy(site, "main", who="test", now=now(), force=True, reason="meant")[0].commit


def fill(site: Site, commit: CommitId) -> None:
    """Give *site* 40 devices that called and uploaded at any time, or never, and the backup of a forgotten one."""
    chance = random.Random(9)
    moment = now()
    uploads: list[Upload] = []
    for number in range(40):
        called, uploaded = chance.choice(CALLED), chance.choice(UPLOADED)
        device = fleets.device(number, commit, moment)
        site.inventory.save_sightings([replace(device, last_seen=moment - timedelta(hours=called))])
        if uploaded is not None:
            uploads.append(Upload(device.serial, moment - timedelta(hours=uploaded), content(number, 1, 2_000)))
    forgotten = fleets.device(99, commit, moment).serial
    uploads.append(Upload(forgotten, moment - timedelta(hours=800), content(99, 1, 2_000)))
    keep(site, sorted(uploads, key=lambda upload: upload.at), Volatile(()), commit)


def listed(visitor: Visitor, show: str) -> dict[str, bool]:
    """Return the serial numbers of a list, and whether each of them calls."""
    rows = re.findall(r"<tr><td data-label=\"Device\">.*?</tr>", visitor.get(f"/backups?show={show}").text, re.DOTALL)
    return {re.findall(r"00-90-33(?:-\w\w){3}", row)[0]: "missing altogether" not in row for row in rows}


def told(site: Site) -> tuple[dict[str, bool], str]:
    """Return what the command says, as :func:`listed` does, and its last line."""
    result = CliRunner().invoke(cli, ["backups", "overdue", "--json", "--site", str(site.path)])
    assert result.exit_code == 0, result.output
    devices = {facts["serial"]: facts["because"] != "missing" for facts in json.loads(result.stdout)}
    text = CliRunner().invoke(cli, ["backups", "overdue", "--site", str(site.path)])
    return devices, text.stderr.strip().splitlines()[-1]


def compare(site: Site, server: Server, key: str, visitor: Visitor) -> int:
    """Return how many devices call and are overdue, in which all agree."""
    late, never = listed(visitor, "late"), listed(visitor, "never")
    devices, line = told(site)
    assert late | never == devices
    count = sum(devices.values())
    assert scrape_all(server, key)("gitupd_devices_without_backup") == count
    top = answer(visitor.get("/backups").text)
    missing = len(devices) - count
    if count:
        assert f"{sum(late.values())} call, and have not uploaded for " in top
        assert f"; {sum(never.values())} call, and never uploaded" in top
        assert line.startswith(f"{sum(late.values())} devices late, {sum(never.values())} devices without any backup")
    assert (f"{missing} more are missing altogether" in top) == bool(missing)
    assert line.endswith(f"{missing} more missing altogether") == bool(missing)
    return count


def test_page_command_and_metric_agree_on_who_is_overdue(tmp_path: Path) -> None:
    site, first = create_site(tmp_path / "site", who="test", now=now())
    fill(site, first.commit)
    add_person(site, "olga", Role.OPERATOR)
    add_person(site, "prometheus", Role.VIEWER)
    key = add_key(site, "prometheus")
    counts: dict[str, int] = {}
    with serving(site.path, workers=1) as server:
        server.ready(first.commit)
        with logged_in(server, "olga") as visitor:
            for name, (backup, status) in POLICIES.items():
                server.ready(configure(site, backup, status))
                counts[name] = compare(site, server, key, visitor)
                if name == "36 hours":
                    assert "not uploaded for 36 hours" in answer(visitor.get("/backups").text)
                if name == "switched off":
                    assert "none is expected to upload" in answer(visitor.get("/backups").text)
    site.close()
    assert counts.pop("switched off") == 0
    assert len(set(counts.values())) == 3, "each policy tells others"
