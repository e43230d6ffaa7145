"""Answers are shared by devices that stand the same, and by no others: who is let in is part of how they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.admission.admittance import Decision
from gitupd.core.caller import Origin, Serial, parse_caller
from gitupd.core.endpoint import Endpoint
from gitupd.core.people.person import Actor, Role
from gitupd.service.admission.codes import Redeeming, make_codes
from gitupd.service.certificates.enrolling import Enrolling
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.service.fleet import Fleet
from gitupd.service.poll import Poll
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Answer, Outcome, Sightings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

VERA = Actor("vera", Role.OPERATOR, None)
HERE = Endpoint("http", "upd.example", 80)
OFFICE = "10.1.0.7"
SERIALS = [Serial(f"00903388000{number}") for number in range(4)]


class Desk:
    """A worker's part that answers polls."""

    def __init__(self, site: Site) -> None:
        self.site, self.follower = site, Follower(site)
        self.follower.follow()
        sightings = Sightings(site.inventory)
        self.poll = Poll(
            self.follower, sightings, Computing(site.settings), Redeeming(site), Enrolling(site.rollouts, site.answers)
        )

    def deploy(self, files: dict[str, bytes]) -> None:
        made = self.site.config.commit_files(files, "Change", "Test <test@localhost>")
        deploy(self.site, made, who="test", now=now(), force=True, reason="test")
        self.follower.follow()

    def ask(self, serial: Serial, address: str = "192.0.2.1", **more: str) -> Answer:
        said = {"type": "IP222", "sn": str(serial), "hwid": f"IP222-{serial.digits[-6:]}", "ip": "10.0.0.1", **more}
        live = self.follower.live
        assert live is not None
        return self.poll.answer(live, parse_caller(said, HERE), now(), Origin(address))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    policy = b"unknown: quarantine\naccept: [{network: 10.1.0.0/16}]\n"
    made = site.config.commit_files({"policies/admission.yaml": policy}, "Quarantine", "Test <test@localhost>")
    deploy(site, made, who="test", now=now())
    yield Desk(site)
    site.close()


def test_devices_that_wait_share_an_answer_and_so_do_those_that_a_rule_lets_in(desk: Desk) -> None:
    waiting, also_waiting = desk.ask(SERIALS[0]), desk.ask(SERIALS[1], "192.0.2.9")
    let_in, also_let_in = desk.ask(SERIALS[0], OFFICE), desk.ask(SERIALS[1], OFFICE)
    assert waiting is also_waiting
    assert let_in is also_let_in
    assert (waiting.outcome, let_in.outcome) == (Outcome.OUTSIDE, Outcome.DELIVERED)
    assert waiting.body != let_in.body


def test_who_was_accepted_is_answered_otherwise_from_the_next_look_on(desk: Desk) -> None:
    assert desk.ask(SERIALS[0]).outcome is Outcome.OUTSIDE
    Fleet(desk.site, desk.follower.live, now()).decide([SERIALS[0]], Decision.ACCEPTED, VERA)
    desk.follower.follow()
    assert desk.ask(SERIALS[0]).outcome is Outcome.DELIVERED
    assert desk.ask(SERIALS[1]).outcome is Outcome.OUTSIDE


def test_a_code_is_part_of_no_shared_answer(desk: Desk) -> None:
    made = make_codes(desk.site, VERA, now(), count=2)
    first, second = (desk.ask(serial, code=code) for serial, (_, code) in zip(SERIALS, made, strict=False))
    assert first is second
    assert b"the code is good" in first.body
    assert not any(code.encode() in first.body for _, code in made)
    assert b"code" not in next(line for line in first.body.splitlines() if line.startswith(b"config add UP1 /url"))
    known = desk.ask(SERIALS[2], OFFICE, code=made[0][1])  # let in already, it uses none
    assert b"the code" not in known.body
    assert desk.site.admissions.standing().keys() == set(SERIALS[:2])


def test_what_is_filled_in_of_a_device_is_for_no_other(desk: Desk) -> None:
    files = {
        "environments.yaml": b"environments: {default: {variables: {gatekeeper: 10.0.0.1}}, berlin: {}}\n",
        "devices.yaml": f"devices: {{{SERIALS[1]}: {{variables: {{gatekeeper: 10.0.0.2}}}}}}\n".encode(),
        "snippets/all-all-all.txt.j2": b"config add X /gk {{ gatekeeper }} /sn {{ device.serial }}\n",
    }
    desk.deploy(files)
    for number, address in enumerate(("10.0.0.1", "10.0.0.2", "10.0.0.1")):
        for _ in range(2):
            answer = desk.ask(SERIALS[number], phase="update", polling="0")
            assert f"config add X /gk {address} /sn {SERIALS[number]}\r\n" in answer.body.decode()
    answer = desk.ask(SERIALS[2], phase="update", polling="0", env="berlin")
    assert answer.outcome is Outcome.FAILED
    assert b"config" not in answer.body


def test_what_is_filled_in_of_the_configuration_is_shared(desk: Desk) -> None:
    files = {
        "environments.yaml": b"environments: {default: {variables: {gatekeeper: 10.0.0.1}}}\n",
        "snippets/all-all-all.txt.j2": b"config add X /gk {{ gatekeeper }}\n",
    }
    desk.deploy(files)
    first, second = (desk.ask(serial, phase="update", polling="0") for serial in SERIALS[:2])
    assert first is second
    assert b"config add X /gk 10.0.0.1\r\n" in first.body
