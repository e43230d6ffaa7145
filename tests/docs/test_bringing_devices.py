"""What the guide says of devices that come from another address, and of those that leave."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from support.ports import free_port
from support.proxies import LOCAL, NGINX, PATH, listens
from support.serving import serving
from support.waiting import PATIENCE, until

from docs.pages import ROOT
from gitupd.emulator.clock import running_clock
from gitupd.emulator.drive import drive_fleet
from gitupd.emulator.fleet import Fleet, FleetPlan, build_fleet
from gitupd.emulator.state import Habits
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.emulator.phone import Phone
    from gitupd.service.site import Site

GUIDE = (ROOT / "docs/how-to/bring-devices-here.md").read_text("utf-8")
IDENTITY = "type=#t&sn=#m&hwid=#h&ip=#i"
PHASES = b"phases:\n  staging: {order: 1}\n  update: {order: 2}\n"


def block(language: str, containing: str) -> str:
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL) if containing in text)


@contextmanager
def redirecting(folder: Path, to: int) -> Iterator[int]:
    """Run what the guide shows for nginx, and yield its port."""
    if shutil.which("nginx", path=PATH) is None:
        pytest.skip("needs nginx")
    port = free_port()
    text = block("nginx", "return 302").replace("listen 80", f"listen {LOCAL}:{port}")
    (folder / "old.conf").write_text(text.replace("upd.example:8080", f"{LOCAL}:{to}"))
    (folder / "main.conf").write_text(NGINX.format(folder=folder, configuration=folder / "old.conf"))
    command = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "main.conf")]
    with subprocess.Popen(command, env={"PATH": PATH}, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: listens(port))
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def switched_on(first_url: str, polls: int) -> Fleet:
    """Return a fleet of one phone that has polled so often, and began with *first_url*."""
    plan = FleetPlan(first_url, speed=600, habits=Habits(polls=polls, interval=60))
    fleet = build_fleet(plan, running_clock(None, 600))
    drive_fleet(fleet)
    return fleet


def update_url(phone: Phone) -> str:
    return unquote(phone.device.configuration.value("UP1", "url") or "")


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    with closing(site):
        yield site


def deployed(site: Site, files: dict[str, bytes]) -> str:
    made = site.config.commit_files(files, "Change", "Test <test@localhost>")
    deploy(site, made, who="test", now=now())
    return made


def test_devices_of_another_address_are_redirected_and_stay_here_in_their_phase(own_site: Site, tmp_path: Path) -> None:
    deployed(own_site, {"phases.yaml": PHASES, "snippets/staging-all-all.txt": b"config add NTP0 /staged\n"})
    with serving(own_site.path) as server, redirecting(tmp_path, server.port) as old:
        there = f"http://{LOCAL}:{old}"
        first = f"{there}/update.php?polling=0&phase=update&{IDENTITY}&env=default"
        (phone,) = switched_on(first, polls=3).phones
        url, _, arguments = update_url(phone).partition("?")
        assert url == f"{server.base}/update.php"
        assert {"phase=update", "ip=#i", "env=default", "sn=#m"} <= set(arguments.split("&"))
        assert not any("staged" in line for line in phone.last_lines)
        assert phone.device.tally.polled == {there: 1, server.base: 2}


def test_devices_leave_by_a_snippet(own_site: Site) -> None:
    nowhere = f"http://{LOCAL}:{free_port()}/init"
    snippet = block("text", "config.innovaphone.com").replace(
        "http%3A%2F%2Fconfig.innovaphone.com%2Finit", quote(nowhere, safe="")
    )
    with serving(own_site.path) as server:
        fleet = switched_on(f"{server.base}/update.php", polls=5)
        (phone,) = fleet.phones
        assert "polling=0" in update_url(phone)
        leaving = {
            "environments.yaml": b"environments:\n  default: {}\n  leaving: {}\n",
            "devices.yaml": f"devices:\n  {phone.serial}: {{environments: [leaving]}}\n".encode(),
            "snippets/update-all-leaving.txt": snippet.encode(),
        }
        server.ready(deployed(own_site, leaving))
        phone.device.habits = replace(phone.device.habits, polls=7)
        drive_fleet(fleet)
    assert update_url(phone) == nowhere
    assert "no-dhcp" not in dict(phone.device.configuration.edit["UP1"])
