"""The whole way of a certificate: a real server, an emulated device, an authority that signs, and people in between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority
from support.polling import Polling
from support.serving import serving
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.service.certificates.handing_in import SignedAnswer, hand_in
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

SN = "00-90-33-46-0a-f2"
SERIAL = parse_serial(SN)
AUTHORITY = Authority.root("Our CA")
POLICY = """\
enabled: true
authorities: [Our CA]
request: {dn: {cn: "{sn}", o: My Org & Co}, dns: ["{name}.example"]}
"""

ASKING = """
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made, first = create_site(tmp_path / "site", who="test", now=now())
    files = dict(made.config.files(first.commit))
    files |= {"policies/certificates.yaml": POLICY.encode(), "certificates/CAkey.pem": AUTHORITY.pem}
    made.config.commit_files(files, "Certificates", "Test <test@localhost>")
    deploy(made, "main", who="test", now=now())
    yield made
    made.close()


@pytest.fixture
def device(site: Site) -> Iterator[Polling]:
    with serving(site.path) as server:
        server.ready(site.deployments.live().commit)
        yield Polling(server)


def stage(site: Site) -> Stage | None:
    record = site.rollouts.of(SERIAL)
    return None if record is None else record.stage


def trusted(site: Site) -> bool:
    """Whether the device is known to have shown a good certificate, which is written down behind its back."""
    device = site.inventory.device(SERIAL)
    return device is not None and device.identity is not None and device.identity.is_trusted


def polls_until(device: Polling, site: Site, *stages: Stage) -> None:
    """Have *device* poll until it is at one of *stages*."""
    for _ in range(30):
        device.poll()
        if stage(site) in stages:
            return
    record = site.rollouts.of(SERIAL)
    raise AssertionError(f"it stays at {record}")


def sign(site: Site, authority: Authority = AUTHORITY) -> None:
    """Sign the request of the device, and hand the certificate in."""
    record = site.rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.request is not None
    content = authority.answer(record.rollout.request).public_bytes(Encoding.PEM)
    snapshot = live_now(site).snapshot
    hand_in(site.rollouts, SignedAnswer(SERIAL, content, "Vera", now()), snapshot.policy.certificates, snapshot.chain)


def test_a_device_gets_a_certificate_without_anybody_touching_it(site: Site, device: Polling) -> None:
    polls_until(device, site, Stage.SIGNING)
    record = site.rollouts.of(SERIAL)
    assert record.rollout.request is not None
    assert (record.rollout.request_address, record.rollout.request_proof) == ("127.0.0.1", "")
    request = x509.load_der_x509_csr(record.rollout.request)
    assert request.subject.rfc4514_string() == f"O=My Org & Co,CN={SERIAL.digits}"
    sign(site)
    polls_until(device, site, Stage.GOOD)
    leaf, above = device.phone.device.chain
    assert (leaf.subject, leaf.issuer, above.subject) == (SERIAL.digits, "Our CA", "Our CA")
    assert site.rollouts.of(SERIAL).rollout.request is None
    device.poll()
    assert device.phone.settled


def test_a_device_that_lost_its_key_starts_over(site: Site, device: Polling) -> None:
    polls_until(device, site, Stage.SIGNING)
    sign(site)
    device.phone.device.delete_variable("X509/REQUESTKEY")
    polls_until(device, site, Stage.FAILED)
    assert "there%20is%20no%20request" in site.rollouts.of(SERIAL).reason
    site.rollouts.change(SERIAL, now(), lambda rollout: replace(rollout, start_over=True))
    polls_until(device, site, Stage.SIGNING)
    sign(site)
    polls_until(device, site, Stage.GOOD)


def test_updates_go_on_while_a_request_waits(site: Site, device: Polling) -> None:
    polls_until(device, site, Stage.SIGNING)
    device.poll()
    assert device.phone.check is not None


def test_where_certificates_are_required_a_device_without_a_good_one_is_given_one_first(site: Site) -> None:
    (site.path / "trust").mkdir(exist_ok=True)
    (site.path / "trust/ours.pem").write_bytes(AUTHORITY.pem)
    with (site.path / "gitupd.toml").open("a") as file:
        file.write(ASKING)
    with serving(site.path, options=[]) as server:
        transport = f"https: required\nhttps_port: {server.ports[1]}\nclient_certificate: required\n"
        files = dict(site.config.files(site.config.resolve("main")))
        files |= {
            "policies/transport.yaml": transport.encode(),
            "snippets/all-all-all.txt": b"config add X /pw canary\n",
        }
        site.config.commit_files(files, "Trust", "Test <test@localhost>")
        server.ready(deploy(site, "main", who="test", now=now())[0].commit)
        device = Polling(server, Misbehaviour.SELF_MADE_CERTIFICATE)
        told = []
        device.phone.after_poll = lambda phone: told.append("config add X /pw canary" in phone.last_lines)
        polls_until(device, site, Stage.SIGNING)
        device.poll()
        assert not any(told)
        sign(site)
        polls_until(device, site, Stage.GOOD)
        device.poll()
        assert told[-1] or told[-2]
        until(lambda: trusted(site), "its certificate is not trusted")
