"""A device whose roll-out the PHP server has begun goes on with the next step, and makes no second request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority
from support.polling import Polling
from support.ports import free_port
from support.serving import serving
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.core.people.person import Actor, Role
from gitupd.service.certificates.handing_in import SignedAnswer, hand_in
from gitupd.service.certificates.rolling import RolloutView
from gitupd.service.clock import now
from gitupd.service.creating import import_site
from gitupd.service.deployments.live import live_now

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.service.site import Site

SN = "00-90-33-46-0a-f2"
SERIAL = parse_serial(SN)
AUTHORITY = Authority.root("Our CA")
CONFIGURATION = """<config>
<master info=""/><status dir="status"/>
<customcerts dir="certs" CAname="Our CA" CSRdn-cn="{sn}"/>
<queries><query id="certificates"><applies>*</applies></query></queries>
</config>
"""


@dataclass
class Move:
    """A device at an old server, which is played by another site: what both send is the same (recording 173)."""

    folder: Path
    port: int = field(default_factory=free_port)
    stages: list[Stage] = field(default_factory=list)
    has_fetched: bool = True
    """Whether the old server has the request that the device has made."""

    def __post_init__(self) -> None:
        self.installation = self.folder / "php"
        for path, content in (
            ("config/user-config.xml", CONFIGURATION.encode()),
            ("scripts/update-all-default.txt", b"config add X /x"),
            ("certs/CAkey1.pem", AUTHORITY.pem),
        ):
            (self.installation / path).parent.mkdir(parents=True, exist_ok=True)
            (self.installation / path).write_bytes(content)
        (self.installation / "status").mkdir()
        self.old = self.site("old")
        self.device: Polling | None = None

    def site(self, name: str) -> Site:
        return import_site(self.installation, self.folder / name, who="test", now=now())[0]

    def poll_old(self, *stages: Stage, signs: bool = False) -> None:
        """Let the device poll the old server until that has answered it at one of *stages*."""
        with serving(self.old.path, port=self.port) as server:
            server.ready(self.old.deployments.live().commit)
            self.device = self.device or Polling(server, serial=SN)
            self._polls_until(self.old, stages, signs=signs)

    def moved(self) -> Site:
        """Write what the old server knows as the PHP server would have, and import it."""
        record = self.old.rollouts.of(SERIAL)
        device = self.old.inventory.device(SERIAL)
        assert record is not None
        assert device is not None
        (answer,) = self.old.answers.of(SERIAL)
        skip = f' skipnext="{int(now().timestamp())}"' if record.rollout.look_again else ""
        said = {"sn": SN, "type": device.model, "hwid": device.hardware_id, "ip": device.address, "phase": device.phase}
        attributes = " ".join(f"{name}={quoteattr(value or '')}" for name, value in said.items())
        at = int(answer.received.timestamp())
        self._write(
            f"status/{SN}.xml",
            f'<?xml version="1.0"?>\n<state seen="{at}"{skip}><device {attributes}/><queries>'
            f'<certificates seen="{at}">{answer.xml}</certificates></queries></state>'.encode(),
        )
        if record.rollout.request is not None and self.has_fetched:
            self._write(f"certs/{SN}-request.p10.der", record.rollout.request)
            self._write(
                f"certs/{SN}-request.p10.pem",
                x509.load_der_x509_csr(record.rollout.request).public_bytes(Encoding.PEM),
            )
        if record.rollout.signed:
            self._write(f"certs/{SN}-signedrequest.cer", record.rollout.signed[0])
        if record.error:
            self._write(f"certs/{SN}-requesterror", record.error.encode())
        self.old.close()
        return self.site("new")

    def _write(self, path: str, content: bytes) -> None:
        (self.installation / path).write_bytes(content)

    def poll_new(self, site: Site, *stages: Stage) -> Stage:
        """Let the device poll the new site until it is at one of *stages*; return the one after its first poll."""
        with serving(site.path, port=self.port) as server:
            server.ready(site.deployments.live().commit)
            return self._polls_until(site, stages, signs=True)

    def _polls_until(self, site: Site, stages: tuple[Stage, ...], *, signs: bool) -> Stage:
        first: Stage | None = None
        for _ in range(30):
            assert self.device is not None
            self.device.poll()
            record = site.rollouts.of(SERIAL)
            if record is None:
                continue
            first = first or record.stage
            self.stages.append(record.stage)
            if record.stage is Stage.SIGNING and signs and not record.rollout.signed:
                sign(site)
            if record.stage in stages:
                return first
        raise AssertionError(f"it stays at {site.rollouts.of(SERIAL)}")


def sign(site: Site) -> None:
    request = site.rollouts.of(SERIAL).rollout.request  # type: ignore[union-attr] - it is there
    content = AUTHORITY.answer(request).public_bytes(Encoding.PEM)
    snapshot = live_now(site).snapshot
    hand_in(site.rollouts, SignedAnswer(SERIAL, content, "Vera", now()), snapshot.policy.certificates, snapshot.chain)


@pytest.mark.parametrize(
    ("left_at", "signs", "first"),
    [
        (Stage.REQUEST, "never", Stage.LOOK_AGAIN),
        (Stage.BUSY, "never", Stage.BUSY),
        (Stage.FETCH, "never", Stage.SIGNING),
        (Stage.SIGNING, "never", Stage.SIGNING),
        (Stage.SIGNING, "at once", Stage.INSTALL),
        (Stage.INSTALL, "at once", Stage.LOOK_AGAIN),
    ],
)
def test_no_device_starts_over(tmp_path: Path, left_at: Stage, signs: str, first: Stage) -> None:
    # A device uploads its request with the very answer that asks for it, so that none is seen at FETCH.
    move = Move(tmp_path, has_fetched=left_at is not Stage.FETCH)
    move.poll_old(Stage.SIGNING if left_at is Stage.FETCH else left_at, signs=signs == "at once")
    site = move.moved()
    assert move.poll_new(site, Stage.GOOD) is first
    assert move.stages.count(Stage.REQUEST) == 1, "it was told once to make a request"
    leaf = move.device.phone.device.chain[0]
    assert (leaf.subject, leaf.issuer) == (SERIAL.digits, "Our CA")
    site.close()


def test_an_error_is_told_and_starting_over_helps(tmp_path: Path) -> None:
    move = Move(tmp_path)
    move.poll_old(Stage.SIGNING, signs=True)
    move.device.phone.device.delete_variable("X509/REQUESTKEY")
    move.poll_old(Stage.FAILED)
    site = move.moved()
    reason = site.rollouts.of(SERIAL).reason
    assert "there%20is%20no%20request" in reason
    assert move.poll_new(site, Stage.FAILED) is Stage.FAILED
    assert site.rollouts.of(SERIAL).reason == reason
    RolloutView(site).start_over(SERIAL, Actor("Vera", Role.ADMINISTRATOR, None), now())
    assert move.poll_new(site, Stage.GOOD) is Stage.START_OVER
    site.close()


def test_nothing_is_executed_again(tmp_path: Path) -> None:
    move = Move(tmp_path)
    move.poll_old(Stage.GOOD, signs=True)
    move.poll_old(Stage.GOOD)
    assert move.device.phone.check is not None
    site = move.moved()
    assert site.inventory.device(SERIAL).confirmed is None, "who knows before it has called?"
    assert move.poll_new(site, Stage.GOOD) is Stage.GOOD
    until(lambda: site.inventory.device(SERIAL).confirmed == site.deployments.live().commit, "it never confirms")
    device = site.inventory.device(SERIAL)
    assert (device.sent, device.snippets) == (None, ())
    site.close()
