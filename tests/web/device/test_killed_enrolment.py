"""The server is killed again and again while a device is given a certificate, and nobody has to start over."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority
from support.polling import Polling
from support.ports import free_port
from support.serving import serving

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.core.people.person import Actor, Role
from gitupd.service.certificates.rolling import RolloutView
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from gitupd.service.site import Site

SN = "00-90-33-46-0a-f2"
SERIAL = parse_serial(SN)
OURS = Authority.root("Our CA")
POLICY = b'enabled: true\nauthorities: [Our CA]\nrequest: {dn: {cn: "{sn}"}, dns: ["{name}.example"]}\n'
MOST_KILLS, FEWEST, MOST_POLLS = 8, 4, 40
PEOPLE = Actor("vera", Role.OPERATOR, None)


def stage(site: Site) -> Stage | None:
    record = site.rollouts.of(SERIAL)
    return record.stage if record else None


def sign(site: Site) -> None:
    rollouts = RolloutView(site)
    request = rollouts.request(SERIAL, der=True)
    rollouts.hand_in(SERIAL, OURS.answer(request).public_bytes(Encoding.PEM), PEOPLE, now())


@pytest.mark.slow
def test_a_server_that_is_killed_all_the_time_gives_a_device_its_certificate(own_site: Site) -> None:
    files = {"policies/certificates.yaml": POLICY, "certificates/CAkey.pem": OURS.pem}
    deploy(own_site, own_site.config.commit_files(files, "x", "Test <test@localhost>"), who="test", now=now())
    port, chance, stages, kills = free_port(), random.Random(12), list[Stage | None](), 0
    device: Polling | None = None
    while stages[-1:] != [Stage.GOOD]:
        with serving(own_site.path, port=port) as server:
            server.ready()
            device = device or Polling(server, serial=SN)
            while stages[-1:] != [Stage.GOOD]:
                assert len(stages) < MOST_POLLS, stages
                if stage(own_site) is Stage.SIGNING and own_site.rollouts.of(SERIAL).rollout.request:
                    sign(own_site)
                to_be_killed = kills < MOST_KILLS and len(stages) % 2 == 0
                killer = threading.Timer(chance.uniform(0.0, 0.1), server.kill) if to_be_killed else None
                if killer:
                    killer.start()
                device.poll()
                stages.append(stage(own_site))
                if killer:
                    killer.join()
                    kills += 1
                    break
    assert kills >= FEWEST
    assert device is not None
    leaf, above = device.phone.device.chain
    assert (leaf.subject, leaf.issuer, above.subject) == (SERIAL.digits, "Our CA", "Our CA")
