"""Fifty emulated devices after a deployment and a rollback: what everybody is told of it, held against what they know.

In the middle the server is killed, once with all written down, and once within the second in which that is not so.
"""

from __future__ import annotations

import json
import os
import random
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.scraping import scrape
from support.serving import serving
from support.visitors import add_key, add_person, logged_in, shown
from support.waiting import until

from gitupd.cli.main import cli
from gitupd.emulator.clock import running_clock
from gitupd.emulator.drive import drive_fleet
from gitupd.emulator.fleet import Fleet, FleetPlan, build_fleet
from gitupd.emulator.state import Habits
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy, rollback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.serving import Server

    from gitupd.core.snapshot import CommitId
    from gitupd.emulator.phone import Phone
    from gitupd.service.site import Site

COUNT = 50
LINE = "config add OFFICE /gatekeeper"
OLD, NEW = "10.1.1.1", "10.2.2.2"
BASE = {
    "environments.yaml": "environments: {default: {}, berlin: {}}",
    "policies/deploy.yaml": "mode: manual",
    "policies/backup.yaml": "enabled: true",
    "snippets/all-all-all.txt": "config add GENERAL /a 1\n",
    "snippets/all-all-berlin.txt": f"{LINE} {OLD}\n",
}


@dataclass
class Known:
    """What the devices know of a deployment: who has polled since, who was sent its lines, who came back after that.

    ``settled`` are those for which nothing changed.
    """

    fleet: Fleet
    wanted: str
    settled: set[str]
    asked: set[str] = field(default_factory=set)
    delivered: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)

    def poll(self, phones: Sequence[Phone]) -> None:
        sent_before = set(self.delivered)
        _poll_once(self.fleet, phones)
        for phone in phones:
            self.asked.add(phone.serial)
            if f"{LINE} {self.wanted}" in phone.last_lines:
                self.delivered.add(phone.serial)
            elif phone.serial in sent_before:
                self.confirmed.add(phone.serial)

    def figures(self) -> dict[str, int]:
        confirmed = self.confirmed | self.settled
        return {
            "counted": COUNT,
            "asked": len(self.asked),
            "delivered": len(self.delivered),
            "confirmed": len(confirmed),
            "unchanged": len(self.settled),
            "unconfirmed": COUNT - len(confirmed),
            "silent": COUNT - len(self.asked | confirmed),
            "later": 0,
            "in_force": len(confirmed),
            "drifted": 0,
            "untold": 0,
        }


def _poll_once(fleet: Fleet, phones: Sequence[Phone]) -> None:
    for phone in phones:
        phone.device.habits = replace(phone.device.habits, polls=phone.rounds + 1)
    drive_fleet(Fleet(fleet.plan, fleet.clock, list(phones)))
    assert not fleet.errors()


def _gatekeeper(phone: Phone) -> str:
    return phone.device.configuration.value("OFFICE", "gatekeeper")


def _switched_on(server: Server) -> Fleet:
    plan = FleetPlan(
        f"{server.base}/update.php",
        count=COUNT,
        environments=("default", "berlin"),
        spread=1.0,
        speed=1200,
        habits=Habits(polls=4, interval=60),
    )
    fleet = build_fleet(plan, running_clock(speed=1200))
    drive_fleet(fleet)
    assert not fleet.errors()
    assert all(phone.settled for phone in fleet.phones)
    return fleet


def _committed(site: Site, gatekeeper: str) -> CommitId:
    files = {**BASE, "snippets/all-all-berlin.txt": f"{LINE} {gatekeeper}\n"}
    return site.config.commit_files({path: text.encode() for path, text in files.items()}, "x", "Ada <ada@example.org>")


def _told(site: Site) -> dict[str, int]:
    """Return what the command line tells of the deployment that is live."""
    said = CliRunner().invoke(cli, ["deployments", "--json", "--limit", "1", "--site", str(site.path)])
    convergence: dict[str, int] = json.loads(said.output)[0]["convergence"] or {}
    return convergence


def _agree(site: Site, expected: dict[str, int]) -> None:
    """Wait until what is told is what the devices know; it is never ahead of them."""
    said: dict[str, int] = {}

    def agree() -> bool:
        told = _told(site)
        said.clear()
        said.update({name: told[name] for name in expected})
        grown = ("asked", "delivered", "confirmed", "in_force")
        assert all(said[name] <= expected[name] for name in grown if name in expected), (said, expected)
        return said == expected

    until(agree, lambda: f"{said}, and the devices: {expected}")


def _everybody_agrees(site: Site, server: Server, key: str, expected: dict[str, int]) -> None:
    """Hold the page, ``gitupd status`` and the metrics against what the devices know, once that is written down."""
    _agree(site, expected)
    status = json.loads(CliRunner().invoke(cli, ["status", "--json", "--site", str(site.path)]).output)
    told = status["deployment"]["convergence"]
    assert {name: told[name] for name in expected} == expected

    def scraped() -> dict[str, float | None]:
        one = scrape(server, key)
        return {name: one("gitupd_deployment_devices", reached=name.replace("_", "-")) for name in expected}

    until(lambda: scraped() == expected, lambda: f"{scraped()}, and the devices: {expected}")
    with logged_in(server, "bob") as visitor:
        page = shown(visitor.get(f"/deployments/{status['deployment']['id']}").text)
        assert f"{expected['confirmed']} of {COUNT} devices have confirmed it" in page
        for word in ("asked", "delivered", "confirmed", "in-force", "unconfirmed", "silent"):
            found = visitor.get(f"/devices.csv?q=deployment:{word}").text.strip().splitlines()[1:]
            assert len(found) == expected[word.replace("-", "_")], word


@contextmanager
def _again(site: Site, port: int) -> Iterator[Server]:
    with serving(site.path, port=port) as server:
        server.ready()
        yield server


def _struck_dead(server: Server) -> None:
    """Kill all processes at once, so that nothing is written any more."""
    children = server.children()
    for pid in (server.process.pid, *children):
        with suppress(ProcessLookupError):
            os.kill(pid or 0, signal.SIGKILL)
    server.kill()


@pytest.mark.slow
def test_what_is_told_of_a_deployment_is_what_the_devices_know(own_site: Site) -> None:
    chance = random.Random(3)
    add_person(own_site, "bob")
    key = add_key(own_site, "bob")
    base = _committed(own_site, OLD)
    deploy(own_site, base, who="ada", now=now())
    with serving(own_site.path) as server:
        port = server.port
        server.ready(base)
        fleet = _switched_on(server)
        until(lambda: len(own_site.inventory.running(base)) == COUNT, "not all devices have confirmed")
        berlin = {phone.serial for phone in fleet.phones if _gatekeeper(phone) == OLD}
        others = {phone.serial for phone in fleet.phones} - berlin
        head = _committed(own_site, NEW)
        deploy(own_site, head, who="ada", now=now(), force=True, reason="the gatekeeper moves")
        server.ready(head)
        known = Known(fleet, NEW, others)
        _agree(own_site, known.figures())
        for _ in range(2):
            known.poll(chance.sample(fleet.phones, 12))
            _agree(own_site, known.figures())
        _everybody_agrees(own_site, server, key, known.figures())
        _struck_dead(server)
    with _again(own_site, port) as server:
        _everybody_agrees(own_site, server, key, known.figures())
        known.poll(chance.sample(fleet.phones, 12))
        _struck_dead(server)
    with _again(own_site, port) as server:
        _no_more_than(own_site, known.figures())
        for _ in range(2):
            known.poll(fleet.phones)
        figures = known.figures()
        assert figures["confirmed"] == COUNT
        # Who was sent its script in the second that was lost, came back with it, and is not counted as delivered.
        told = {name: count for name, count in figures.items() if name != "delivered"}
        _agree(own_site, told)
        assert _told(own_site)["delivered"] <= figures["delivered"]
        _goes_back(own_site, server, key, known, base)


def _no_more_than(site: Site, figures: dict[str, int]) -> None:
    told = _told(site)
    assert all(told[name] <= figures[name] for name in ("asked", "delivered", "confirmed", "in_force")), told


def _goes_back(site: Site, server: Server, key: str, known: Known, base: CommitId) -> None:
    """Go back to what some devices ran before: who was sent something else since has not confirmed it."""
    rollback(site, base, who="ada", now=now(), reason="wrong gatekeeper")
    server.ready(base)
    back = Known(known.fleet, OLD, known.settled)
    _agree(site, back.figures())
    for _ in range(2):
        back.poll(known.fleet.phones)
        _agree(site, back.figures())
    _everybody_agrees(site, server, key, back.figures())
    assert {_gatekeeper(phone) for phone in known.fleet.phones if phone.serial not in known.settled} == {OLD}
