"""The same where the site's own authority signs: what people approve, and by itself what rules cover.

Nothing is signed that neither somebody has approved nor a rule of the deployed policy covers, and what was rejected or
revoked is followed by no certificate before somebody has the device start over.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from support.enrolling import deployed
from support.rolling_machine import PEOPLE, RollingMachine
from support.signing_sites import signing_site

from gitupd.errors import GitupdError
from gitupd.service.certificates.rounds import SigningRounds
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from gitupd.core.snapshot import CommitId
    from gitupd.store.certificates.issued import IssuedCertificate

BASE = """\
enabled: true
renew_before: 30d
renew_spread: 0d
valid_for: 365d
request: {dn: {cn: "{sn}", o: Example}, dns: ["{name}.example"]}
"""
RULE = "rule: from 10.0.0.0/8, same names"
RULES = "approve: [{network: 10.0.0.0/8, same_names: true, at_most: 100000/d}]\n"
POLICIES = {
    "base": BASE,
    "automatic": BASE + "signing: automatic\n" + RULES,
    "other network": BASE + "signing: automatic\n" + RULES.replace("10.0.0.0/8", "192.0.2.0/24"),
    "hold": BASE + "hold: true\n",
    "early": BASE.replace("30d", "300d"),
    "off": BASE.replace("enabled: true", "enabled: false"),
}


class Approving(RollingMachine):
    """One device, and an authority that signs what somebody approves, or by itself what a rule covers."""

    commits: ClassVar[dict[str, CommitId]]

    def __init__(self) -> None:
        super().__init__()
        self.most: int | None = None
        """So many certificates the device may have been given at the most; None: any number."""

    @rule()
    def approve(self) -> None:
        self.sign_request()

    @rule()
    def reject(self) -> None:
        (outcome,) = self._signing.reject([self.serial], "nobody knows it", PEOPLE, self.device.now)
        self.most = len(self._issued) if outcome.is_done else self.most

    @rule()
    def revoke(self) -> None:
        (outcome,) = self._signing.revoke([self.serial], "stolen", PEOPLE, self.device.now)
        self.most = len(self._issued) if outcome.is_done else self.most

    @rule()
    def what_rules_cover_is_signed(self) -> None:
        before, name = len(self._issued), self.name
        follower = Follower(self.site)
        follower.follow()
        SigningRounds(self.site, follower, lambda: self.device.now).round()
        self._learn()
        assert name == "automatic" or len(self._issued) == before

    @rule(name=st.sampled_from(sorted(POLICIES)))
    def another_policy_is_deployed(self, name: str) -> None:
        self.deploy(name)

    @invariant()
    def nothing_is_signed_after_a_rejection_or_a_revocation(self) -> None:
        assert self.most is None or len(self._issued) <= self.most

    @invariant()
    def what_waits_to_be_installed_was_issued_and_not_revoked(self) -> None:
        record = self.record
        if record is not None and record.rollout.signed:
            entry = next(each for each in self._issued if each.certificate == record.rollout.signed[0])
            assert entry.revoked is None
            assert entry.who in (PEOPLE.name, RULE)

    def sign_request(self) -> None:
        with suppress(GitupdError):
            self._signing.approve([self.serial], PEOPLE, self.device.now)
        self._learn()

    def is_ours(self, certificate: x509.Certificate) -> bool:
        return "Example" in certificate.issuer.rfc4514_string()

    def deploy(self, name: str) -> None:
        self.name = name
        if self.site.deployments.live().commit != self.commits[name]:
            deploy(self.site, self.commits[name], who="test", now=now(), force=True, reason="a test")
        super().deploy(name)

    def start_over_by_people(self) -> None:
        super().start_over_by_people()
        self.most = None

    def is_well(self) -> bool:
        credential = self.device.phone.device.credential
        own = credential.chain[0].public_bytes(Encoding.DER) if credential else b""
        return super().is_well() and any(each.certificate == own and each.revoked is None for each in self._issued)

    def _learn(self) -> None:
        self.signed |= {each.certificate for each in self._issued}

    @property
    def _issued(self) -> list[IssuedCertificate]:
        return self.site.issued.of(self.serial) if hasattr(self, "serial") else []

    @property
    def _signing(self) -> Signing:
        return Signing(self.site, self.office.live.snapshot.policy.certificates)


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with signing_site(tmp_path_factory.mktemp("no-dead-end") / "site") as made:
        Approving.site, Approving.lives, Approving.commits = made, {}, {}
        files = dict(made.config.files(made.config.resolve("main")))
        ours = made.authority.current()
        assert ours is not None
        for name, policy in POLICIES.items():
            text = f"{policy}authorities: {json.dumps(list(ours.names))}\n"
            text += "" if "signing:" in policy else "signing: authority\n"
            files = {**files, "policies/certificates.yaml": text.encode()}
            Approving.commits[name] = made.config.commit_files(files, name, "Test <test@localhost>")
            deploy(made, Approving.commits[name], who="test", now=now())
            Approving.lives[name] = deployed(made)
        yield


Approving.TestCase.settings = settings(max_examples=20, stateful_step_count=14, deadline=None)
TestApproving = pytest.mark.slow(Approving.TestCase)
