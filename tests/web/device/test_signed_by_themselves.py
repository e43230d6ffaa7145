"""The whole way of certificates that nobody signs by hand: a real server, an emulated device, and whoever signs."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority
from support.pebble import pebble
from support.polling import Polling
from support.ports import free_port
from support.serving import Server, serving
from support.signing_sites import signing_site
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.core.people.audit import Event, Kind
from gitupd.emulator.factory import Factory, new_authority
from gitupd.emulator.signing import RequestKeys
from gitupd.service.certificates.handing_in import common_name
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.store.certificates.account import AcmeFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gitupd.service.site import Site

SN = "00-90-33-46-0a-f2"
SERIAL = parse_serial(SN)
MOST_POLLS = 60

ASKING = """
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"
"""


def stage(site: Site) -> Stage | None:
    record = site.rollouts.of(SERIAL)
    return record.stage if record else None


def deployed(site: Site, **documents: str) -> None:
    """Deploy the same with other documents; `certificates` stands for `policies/certificates.yaml`."""
    live = site.deployments.live()
    assert live is not None
    files = dict(site.config.files(live.commit))
    files |= {name if "." in name else f"policies/{name}.yaml": content.encode() for name, content in documents.items()}
    deploy(site, site.config.commit_files(files, "Other", "Test <test@localhost>"), who="test", now=now())


def why(site: Site) -> Callable[[], str]:
    """Return what tells why the request of the device is not signed."""
    return lambda: f"{site.rollouts.of(SERIAL)}"


def polls_until_good(device: Polling, site: Site) -> None:
    """Have *device* poll until it has what it is to have; while it waits for a signature, give that some time."""
    for _ in range(MOST_POLLS):
        device.poll()
        record = site.rollouts.of(SERIAL)
        if record is not None and record.stage is Stage.GOOD:
            return
        if record is not None and record.rollout.request is not None and not record.rollout.signed:
            until(lambda: site.rollouts.of(SERIAL).rollout.signed or stage(site) is Stage.REJECTED, why(site))
    pytest.fail(f"it is at {stage(site)}: {site.rollouts.of(SERIAL)}")


def signed_by(site: Site) -> list[str]:
    """Return who had certificates signed, the first one first."""
    return [entry.who for entry in reversed(site.audit.entries(50, kind=Kind.CERTIFICATE_SIGN))]


@pytest.mark.slow
def test_a_new_device_and_one_that_is_renewed_are_covered_by_rules_of_their_own(tmp_path: Path) -> None:
    """The rule on networks approves one a day: what is renewed is known by its old certificate, and by nothing else."""
    rules = "[{identified_by: old-certificate, same_names: true}, {network: 127.0.0.0/8, known: true, at_most: 1/d}]"
    policy = f"enabled: true\nsigning: automatic\napprove: {rules}\nrenew_spread: 0\nvalid_for: 100d\n"
    with signing_site(tmp_path / "site", policy) as site:
        with (site.path / "gitupd.toml").open("a") as file:
            file.write(ASKING)
        text = dict(site.config.files(site.deployments.live().commit))["policies/certificates.yaml"].decode()
        with serving(site.path, options=[]) as server:
            transport = f"https: required\nhttps_port: {server.ports[1]}\n"
            deployed(site, transport=transport, **{"devices.yaml": f"devices: {{{SN}: {{}}}}\n"})
            server.ready(site.deployments.live().commit)
            device = Polling(server, serial=SN, keys=RequestKeys.ECDSA)
            polls_until_good(device, site)
            first = device.phone.device.chain[0]
            deployed(site, certificates=text.replace("valid_for: 100d", "valid_for: 400d\nrenew_before: 101d"))
            server.ready(site.deployments.live().commit)
            until(lambda: device.poll() or stage(site) is not Stage.GOOD, "it is never renewed")
            polls_until_good(device, site)
            assert device.phone.device.chain[0] != first
    by_network, by_certificate = "rule: from 127.0.0.0/8, of a known device", "rule: identified by its old certificate"
    assert signed_by(site) == [by_network, f"{by_certificate}, for the same names"]


def test_a_device_is_known_by_the_certificate_of_its_factory_which_is_to_be_replaced(tmp_path: Path) -> None:
    """Although that is of no authority that the policy names: the site trusts it, and that is what a proof needs."""
    policy = "enabled: true\nsigning: automatic\napprove: [{identified_by: old-certificate}]\n"
    made = new_authority()
    with signing_site(tmp_path / "site", policy) as site:
        site.trust.add(made.chain[0].public_bytes(Encoding.PEM), Event(now(), "vera", Kind.TRUST_ADD))
        with (site.path / "gitupd.toml").open("a") as file:
            file.write(ASKING)
        with serving(site.path, options=[]) as server:
            deployed(site, transport=f"https: required\nhttps_port: {server.ports[1]}\n")
            server.ready(site.deployments.live().commit)
            stranger = Polling(server, serial="00-90-33-46-0a-f3")
            device = Polling(server, serial=SN, factory=Factory(made))
            polls_until_good(device, site)
            for _ in range(8):
                stranger.poll()
            waiting = site.rollouts.of(parse_serial("00-90-33-46-0a-f3"))
            until(lambda: site.rollouts.of(waiting.serial).rollout.verdict, "it is not said why it waits")
            assert "did not prove itself" in site.rollouts.of(waiting.serial).rollout.verdict
    assert signed_by(site) == ["rule: identified by its old certificate"]


@contextmanager
def external(folder: Path, signing: str, policy: str, port: int = 0) -> Iterator[tuple[Site, Server]]:
    """Serve a site for which somebody elsewhere signs."""
    site, _ = create_site(folder / "site", who="test", now=now())
    with closing(site):
        with (site.path / "gitupd.toml").open("a") as file:
            file.write(f"[signing]\n{signing}\n")
        with serving(site.path, port=port) as server:
            deployed(site, certificates=f"enabled: true\nsigning: external\nrenew_spread: 0\n{policy}")
            server.ready(site.deployments.live().commit)
            yield site, server


def test_an_authority_that_speaks_acme_finds_the_proof_of_each_name_at_the_server(tmp_path: Path) -> None:
    port = free_port()
    with pebble(tmp_path, http_port=port, valid=False) as running:
        root = x509.load_pem_x509_certificate(running.root)
        names = [common_name(running.issuer.subject), common_name(root.subject)]
        policy = (
            f"authorities: {json.dumps(names)}\napprove: [{{network: 127.0.0.0/8, same_names: true}}]\n"
            'request: {dn: {cn: "{sn}"}, dns: ["{sn}", "{name}.phones.example"]}\n'
        )
        settings = f'acme = "{running.directory}"\nacme_ca_file = "{running.ca_file}"'
        with external(tmp_path, settings, policy, port) as (site, server):
            assert server.get("/.well-known/acme-challenge/before")[0] == 404
            device = Polling(server, serial=SN)
            polls_until_good(device, site)
            assert device.phone.device.chain[0].issuer == names[0]
            thumbprint = AcmeFolder(site.path).thumbprint
            assert server.get("/.well-known/acme-challenge/a-b_c") == (200, f"a-b_c.{thumbprint}".encode())
            for path in ("", "a.b", "a/b", "x" * 300):
                assert server.get(f"/.well-known/acme-challenge/{path}")[0] == 404
    assert signed_by(site) == ["rule: from 127.0.0.0/8, for the same names"]


def test_a_command_signs_elsewhere(tmp_path: Path) -> None:
    authority = Authority.root("Elsewhere")
    files = authority.issued.files(tmp_path, "elsewhere")
    words = ["openssl", "x509", "-req", "-in", "{request}", "-days", "365", "-copy_extensions", "copy"]
    words += ["-CA", str(files.certificate), "-CAkey", str(files.key), "-out", "{certificate}"]
    policy = "authorities: [Elsewhere]\napprove: [{network: 127.0.0.0/8, same_names: true}]\n"
    with external(tmp_path, f"command = {words}", policy) as (site, server):
        device = Polling(server, serial=SN)
        polls_until_good(device, site)
        assert device.phone.device.chain[0].issuer == "Elsewhere"
    assert signed_by(site) == ["rule: from 127.0.0.0/8, for the same names"]
