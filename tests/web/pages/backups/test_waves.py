"""After a deployment, what many devices changed alike is one row of the timeline, which opens to all of them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from support.offices import LINES, dump, opened
from support.serving import serving
from support.visitors import add_person, logged_in, shown

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from pathlib import Path

SERIALS = [parse_serial(f"00-90-33-00-00-{number:02x}") for number in range(1, 13)]


def test_changes_alike_after_a_deployment_are_one_row(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        first = office.live.deployment.commit

        def upload(number: int, gatekeeper: str, commit: str) -> None:
            lines = [*LINES[:5], f"config change PHONE/SIG /gatekeeper {gatekeeper} /id {number}"]
            office.put(dump(*lines), SERIALS[number], now(), delivered=commit).result(10)

        for number in range(12):
            upload(number, "10.1.0.1", first)
        office.commit()
        upload(0, "10.1.0.7", first)  # somebody changed it, and no deployment did
        office.commit()
        files = {**template_files(), "snippets/update-phone-all.txt": b"config add PHONE/SIG /gatekeeper 10.1.0.2\n"}
        second = office.site.config.commit_files(files, "Move", "Ada <ada@example.org>")
        deploy(office.site, second, who="tess", now=now() - timedelta(seconds=1))
        for number in range(10):
            upload(number, "10.1.0.2", second)
        office.commit()
        upload(3, "10.1.0.9", second)  # as is this
        office.commit()
        add_person(office.site, "vera", Role.VIEWER)
        with serving(office.site.path, workers=1) as server:
            server.ready(second)
            with logged_in(server, "vera") as viewer:
                page = viewer.get("/backups").text
                rows = [shown(row) for row in re.findall(r'<td class="what">(.*?)</td>', page, re.DOTALL)]
                waves = [row for row in rows if "devices:" in row]
                assert len(waves) == 1, shown(page)
                assert re.fullmatch(rf"10 devices: 1 line changed \(registration\) after {second[:8]}", waves[0])
                assert sum("1 line changed" in row for row in rows) == 3, "that one, and two by hand"
                assert sum("first version" in row for row in rows) == 12
                (link,) = re.findall(r'href="([^"]*wave=[^"]*)"', page)
                opened_wave = viewer.get(html.unescape(link)).text
                listed = re.findall(r'<a class="sn" href="/backups/([0-9a-f-]+)"', opened_wave)
                assert listed == [str(serial) for serial in reversed(SERIALS[:10])]
                some = viewer.get(f"{html.unescape(link)}&q={SERIALS[4]},{SERIALS[5]}").text
                assert "devices: 1 line" not in shown(some), "two are no wave"
