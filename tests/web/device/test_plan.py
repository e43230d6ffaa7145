"""What was planned before a deployment is what devices then got: a real server, and three hundred emulated devices."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from support.serving import serving
from support.waiting import until

from gitupd.cli.main import cli
from gitupd.core.people.audit import Event, Kind
from gitupd.emulator.clock import running_clock
from gitupd.emulator.drive import drive_fleet
from gitupd.emulator.execution import Ending
from gitupd.emulator.fleet import Fleet, FleetPlan, build_fleet
from gitupd.emulator.script import Flashed
from gitupd.emulator.state import Habits
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.emulator.phone import Phone
    from gitupd.service.site import Site

SETTLED, STAGING = 270, 30
MODELS = ("IP222", "IP232", "IP6010")
BUILD, PRESENT = "134250", "137213"

BASE = {
    "phases.yaml": "phases: {staging: {order: 1}, update: {order: 3}}",
    "environments.yaml": "environments: {default: {}, berlin: {}, lab: {}}",
    "policies/backup.yaml": "enabled: false",
    "policies/deploy.yaml": "mode: manual",
    "policies/firmware.yaml": f"firmware: {BUILD}",
    "queries.yaml": "queries: {admin: {applies: []}}",
    "snippets/all-all-all.txt": "config add CMD0 /a 1\n",
    "snippets/update-phone-berlin.txt": "config add PHONE /b 1\nvars create X/Y p 1\n",
    "snippets/update-all-lab.txt": "config add LAB /c 1\n",
    "snippets/staging-all-all.txt": "config add STAGING /d 1\n",
}
HEAD = {
    **BASE,
    "phases.yaml": "phases: {staging: {order: 1}, late: {order: 2}, update: {order: 3}}",
    "policies/firmware.yaml": f"firmware: {PRESENT}\napplies: [{{class: gw}}]",
    "snippets/update-phone-berlin.txt": "# for the new gatekeeper\nconfig add PHONE /b 1\nvars create X/Y p 1\n",
    "snippets/update-ip232-lab.txt": "config add LAB /e 1\n",
}


@dataclass(frozen=True)
class Got:
    """What one device was told and did at its last poll."""

    lines: tuple[str, ...]
    executed: bool
    restarts: bool
    loads: str | None
    phase: str


def committed(site: Site, files: dict[str, str]) -> str:
    return site.config.commit_files({path: text.encode() for path, text in files.items()}, "x", "Ada <ada@example.org>")


def switched_on(url: str, count: int, polls: int, first: str) -> Fleet:
    plan = FleetPlan(
        url,
        types=MODELS,
        count=count,
        environments=("default", "berlin", "lab", "berlin"),
        first_serial=first,
        firmware=BUILD,
        spread=0.2,
        speed=1200,
        habits=Habits(polls=polls, interval=60, restart_seconds=10, flash_seconds=5),
    )
    return build_fleet(plan, running_clock(speed=1200))


def got(phone: Phone, check_before: str | None) -> Got:
    flashed = phone.device.flashed.get(Flashed.PROT)
    lines = tuple(line for line in phone.last_lines if not line.startswith("# gitupd "))
    executed = flashed is None and phone.check is not None and phone.check != check_before
    return Got(lines, executed, phone.ending is Ending.RESET, flashed, phone.phase)


def settled_fleet(url: str) -> Fleet:
    """Return devices of which most have executed everything, and some were switched off before they had."""
    fleet = switched_on(url, SETTLED, polls=5, first="00-90-33-00-00-01")
    drive_fleet(fleet)
    assert all(phone.settled for phone in fleet.phones)
    late = switched_on(url, STAGING, polls=2, first="00-90-33-10-00-01")
    urls: dict[str, str] = {}
    for phone in late.phones:
        phone.after_poll = lambda phone: urls.setdefault(phone.serial, phone.device.configuration.value("UP1", "url"))
    drive_fleet(late)
    for phone in late.phones:
        phone.type_in(f"config add UP1 /url {quote(urls[phone.serial], safe='')}")
        assert phone.phase == "staging"
    return Fleet(fleet.plan, fleet.clock, [*fleet.phones, *late.phones])


def poll_once(fleet: Fleet) -> dict[str, Got]:
    checks = {phone.serial: phone.check for phone in fleet.phones}
    for phone in fleet.phones:
        phone.device.habits = replace(phone.device.habits, polls=phone.rounds + 1)
    drive_fleet(fleet)
    assert not fleet.errors()
    return {phone.serial: got(phone, checks[phone.serial]) for phone in fleet.phones}


def planned(site: Site, base: str, head: str) -> dict[str, Any]:
    arguments = ["plan", "--site", str(site.path), base, head, "--format", "json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2, result.output
    return json.loads(result.stdout)


@pytest.mark.slow
def test_what_was_planned_is_what_devices_get(own_site: Site, tmp_path: Path) -> None:
    file = tmp_path / "ip6010.bin"
    file.write_bytes(b"firmware")
    own_site.firmware.add(PRESENT, file, Event(now(), "test", Kind.FIRMWARE_ADD))
    base, head = committed(own_site, BASE), committed(own_site, HEAD)
    deploy(own_site, base, who="test", now=now())
    with serving(own_site.path) as server:
        server.ready(base)
        fleet = settled_fleet(f"{server.base}/update.php")
        until(lambda: sum(each.request is not None for each in own_site.inventory.polls()) == SETTLED + STAGING)
        last = {phone.serial: phone for phone in fleet.phones}
        until(lambda: _is_up_to_date(own_site, last))
        plan = planned(own_site, base, head)
        deploy(own_site, head, who="test", now=now(), reason="to see what it does", force=True)
        server.ready(head)
        after = poll_once(fleet)
    groups = {serial: group for group in plan["groups"] for serial in group["serials"]}
    assert sum(len(group["serials"]) for group in plan["groups"]) == len(groups) == plan["changed"]
    kinds = {serial: {each["kind"]: each for each in group["consequences"]} for serial, group in groups.items()}

    def told(kind: str) -> set[str]:
        return {serial for serial, consequences in kinds.items() if kind in consequences}

    def after_all(kind: str) -> dict[str, str]:
        return {serial: consequences[kind]["after"] for serial, consequences in kinds.items() if kind in consequences}

    settled = {phone.serial for phone in fleet.phones[:SETTLED]}
    assert told("executed-again") == {serial for serial in settled if after[serial].executed}
    assert told("restarts") == {serial for serial, each in after.items() if each.restarts}
    loads, moves = after_all("loads"), after_all("moves-on")
    assert loads == {serial: each.loads for serial, each in after.items() if each.loads}
    # Firmware comes first: all else follows with the poll after the restart.
    staging = after.keys() - settled
    assert moves == {serial: "late" if after[serial].loads else after[serial].phase for serial in staging}
    for serial in after.keys() - groups.keys():
        assert any(line.startswith("# the device has executed this already") for line in after[serial].lines)
        assert not after[serial].executed
    for serial, group in groups.items():
        if serial not in settled or "executed-again" in kinds[serial]:
            added = [line for hunk in group["lines"] for line in hunk["added"]]
            assert set(added) <= set(after[serial].lines)
    assert all((told("executed-again"), told("restarts"), loads, moves)), "nothing of it was tried"


def _is_up_to_date(site: Site, phones: dict[str, Phone]) -> bool:
    """Whether the site has taken in the last poll of every device."""
    checks = {str(each.serial): each.request.arguments.get("CHECK") for each in site.inventory.polls() if each.request}
    return all(checks.get(serial) == phone.check for serial, phone in phones.items())
