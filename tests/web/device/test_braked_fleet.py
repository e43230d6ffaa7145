"""A change for four in ten of a thousand emulated devices: braked, meant by a second person, and then converging.

What the API says of that is held against what the devices themselves were told and hold, again and again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner
from support.serving import serving
from support.visitors import add_key, add_person, logged_in, shown
from support.waiting import until

from gitupd.cli.main import cli
from gitupd.core.people.person import Role
from gitupd.emulator.clock import running_clock
from gitupd.emulator.drive import drive_fleet
from gitupd.emulator.fleet import Fleet, FleetPlan, build_fleet
from gitupd.emulator.state import Habits
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.serving import Server

    from gitupd.emulator.phone import Phone
    from gitupd.service.site import Site

COUNT, IN_BERLIN = 1000, 400
STEPS, AT_A_STEP = 6, 180
OFFICE, LINE = "snippets/all-all-berlin.txt", "config add OFFICE /gatekeeper"
OLD, NEW = "10.1.1.1", "10.2.2.2"
BASE = {
    "environments.yaml": "environments: {default: {}, berlin: {}}",
    "policies/deploy.yaml": "mode: automatic\ngrace: 0s",
    "policies/backup.yaml": "enabled: true",
    "queries.yaml": "queries: {admin: {applies: []}}",
    "snippets/all-all-all.txt": "config add GENERAL /a 1\n",
    OFFICE: f"{LINE} {OLD}\n",
}
SAID = "400 of 1,000 active devices (40 %) would get another script; the brake is at 25 %"


@dataclass
class Truth:
    """What the devices know of a deployment: who polled since, who was sent its lines, who came back with its CHECK."""

    fleet: Fleet
    before: dict[str, str | None]
    changed: set[str]
    asked: set[str] = field(default_factory=set)
    delivered: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)

    def poll(self, phones: Sequence[Phone]) -> None:
        """Let some of them poll once."""
        checks = {phone.serial: phone.check for phone in phones}
        poll_once(self.fleet, phones)
        for phone in phones:
            self.asked.add(phone.serial)
            if checks[phone.serial] != self.before[phone.serial]:
                self.confirmed.add(phone.serial)
            elif f"{LINE} {NEW}" in phone.last_lines:
                self.delivered.add(phone.serial)

    @property
    def figures(self) -> dict[str, int]:
        unchanged = {phone.serial for phone in self.fleet.phones} - self.changed
        confirmed = self.confirmed | unchanged
        holding = {phone.serial for phone in self.fleet.phones if _gatekeeper(phone) == NEW} | unchanged
        return {
            "counted": COUNT,
            "asked": len(self.asked),
            "delivered": len(self.delivered),
            "confirmed": len(confirmed),
            "unchanged": len(unchanged),
            "silent": len({phone.serial for phone in self.fleet.phones} - self.asked - confirmed),
            "in_force": len(confirmed & holding),
            "drifted": 0,
        }


def _gatekeeper(phone: Phone) -> str:
    return phone.device.configuration.value("OFFICE", "gatekeeper")


def poll_once(fleet: Fleet, phones: Sequence[Phone]) -> None:
    for phone in phones:
        phone.device.habits = replace(phone.device.habits, polls=phone.rounds + 1)
    drive_fleet(Fleet(fleet.plan, fleet.clock, list(phones)))
    assert not fleet.errors()


def switched_on(server: Server) -> Fleet:
    """Return a thousand devices that have executed all that is for them, and have said so."""
    plan = FleetPlan(
        f"{server.base}/update.php",
        count=COUNT,
        environments=("default", "berlin", "default", "berlin", "default"),
        spread=1.0,
        speed=1200,
        habits=Habits(polls=3, interval=60),
    )
    fleet = build_fleet(plan, running_clock(speed=1200))
    drive_fleet(fleet)
    assert not fleet.errors()
    assert all(phone.settled for phone in fleet.phones)
    return fleet


def committed(site: Site, files: dict[str, str]) -> str:
    return site.config.commit_files({path: text.encode() for path, text in files.items()}, "x", "Ada <ada@example.org>")


@pytest.mark.slow
def test_a_change_for_four_in_ten_waits_for_a_second_person_and_then_the_figures_are_those_of_the_devices(
    own_site: Site,
) -> None:
    add_person(own_site, "bob", Role.OPERATOR)
    key = add_key(own_site, "bob")
    base = committed(own_site, BASE)
    deploy(own_site, base, who="ada", now=now())
    with serving(own_site.path) as server, httpx.Client(base_url=server.base, timeout=60) as api:
        api.headers["Authorization"] = f"Bearer {key}"
        server.ready(base)
        fleet = switched_on(server)
        until(lambda: api.get("/api/v1/fleet").json()["current"] == COUNT, "not all devices have confirmed")
        head = committed(own_site, {**BASE, OFFICE: f"{LINE} {NEW}\n"})
        _is_braked(own_site, server, head)
        refused = api.post("/api/v1/deployments", json={"revision": head})
        assert (refused.status_code, SAID in refused.text) == (409, True)
        assert own_site.deployments.live().commit == base  # type: ignore[union-attr] # something is
        meant = {"revision": head, "force": True, "reason": "the gatekeeper moves"}
        made = api.post("/api/v1/deployments", json=meant)
        assert made.status_code == 201, made.text
        assert own_site.audit.entries(1)[0].detail.endswith(f"the gatekeeper moves; although {SAID}")
        server.ready(head)
        changed = {phone.serial for phone in fleet.phones if _gatekeeper(phone) == OLD}
        assert len(changed) == IN_BERLIN
        truth = Truth(fleet, {phone.serial: phone.check for phone in fleet.phones}, changed)
        chance = random.Random(7)
        _agree(api, truth)
        for _ in range(STEPS):
            truth.poll(chance.sample(fleet.phones, AT_A_STEP))
            _agree(api, truth)
        for _ in range(2):
            truth.poll([phone for phone in fleet.phones if phone.serial in changed - truth.confirmed])
            _agree(api, truth)
        assert truth.figures["confirmed"] == truth.figures["in_force"] == COUNT


def _is_braked(site: Site, server: Server, head: str) -> None:
    """See that the keeper holds the commit, and that everybody says so with the numbers of its plan."""

    def status() -> str:
        return CliRunner().invoke(cli, ["status", "--site", str(site.path)]).output

    until(lambda: SAID in status(), lambda: f"{status()}\n{server.log.read_text()[-2000:]}")
    assert not site.deployments.was_deployed(head)  # type: ignore[arg-type] # a commit's id
    with logged_in(server, "bob") as bob:
        assert SAID in shown(bob.get("/deployments").text)


def _agree(api: httpx.Client, truth: Truth) -> None:
    """Wait until the API tells of the deployment what the devices know of it, and never see it ahead of them."""
    expected = truth.figures
    said: dict[str, Any] = {}

    def agree() -> bool:
        told = api.get("/api/v1/deployments", params={"limit": 1}).json()["deployments"][0]["convergence"]
        said.clear()
        said.update({name: told[name] for name in expected})
        grown = ("asked", "delivered", "confirmed", "in_force")
        assert all(said[name] <= expected[name] for name in grown), (said, expected)
        return said == expected

    until(agree, lambda: f"{said}, and the devices: {expected}")
