"""From whatever state a roll-out gets into there is a way on, which is named, and at its end is a good certificate.

A device, the server's side and people do what they do in any order: answers get lost, requests come twice or late, the
server starts anew, the policy changes, wrong things are uploaded, the clock goes on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from support.authorities import Authority, Validity, new_key
from support.enrolling import deployed
from support.rolling_machine import PEOPLE, RollingMachine

from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.certificates.handing_in import SignedAnswer, hand_in
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.store.certificates.rollouts import RolloutRecord

OURS, NEXT, ELSE = Authority.root("Our CA"), Authority.root("Next CA"), Authority.root("Else CA")
AUTHORITIES = {"Our CA": OURS, "Next CA": NEXT}
BASE = """\
enabled: true
authorities: [Our CA]
renew_before: 30d
request: {dn: {cn: "{sn}", o: Example}, dns: ["{name}.example"]}
"""
POLICIES = {
    "base": BASE,
    "next authority": BASE.replace("[Our CA]", "[Next CA]"),
    "both": BASE.replace("[Our CA]", "[Our CA, Next CA]"),
    "hold": BASE + "hold: true\n",
    "leave": BASE + "missing: leave\n",
    "early": BASE.replace("30d", "300d"),
    "off": BASE.replace("enabled: true", "enabled: false"),
    "other names": BASE.replace('dns: ["{name}.example"]', "unknown_words: leave-out"),
}
LIFETIME = timedelta(days=365)


class Rolling(RollingMachine):
    """People sign elsewhere, and hand in."""

    @rule()
    def sign(self) -> None:
        if self.request is None:
            with pytest.raises(SiteError):
                self._hand_in(b"")
        else:
            self.sign_request()

    @precondition(lambda self: self.request is not None)
    @rule(kind=st.sampled_from(["garbage", "other key", "expired", "foreign", "forged", "other device"]))
    def hand_in_what_does_not_fit(self, kind: str) -> None:
        assert self.request is not None
        before = self.record
        content = self._wrong(kind, self.request)
        with pytest.raises(InvalidEntry):
            self._hand_in(content)
        assert self.record == before

    def _wrong(self, kind: str, request: bytes) -> bytes:
        day = timedelta(days=1)
        wrong = {
            "garbage": lambda: b"garbage",
            "other key": lambda: self._authority.device(self.serial.digits).pem,
            "expired": lambda: self._answer(request, Validity(self.device.now - 2 * day, self.device.now - day)),
            "foreign": lambda: ELSE.answer(request).public_bytes(Encoding.PEM),
            "forged": lambda: Authority.root(self._authority.common_name).answer(request).public_bytes(Encoding.PEM),
            "other device": lambda: self._authority.device("00903399ffff", key=new_key()).pem,
        }
        return wrong[kind]()

    @rule(name=st.sampled_from(sorted(POLICIES)))
    def another_policy_is_deployed(self, name: str) -> None:
        self.deploy(name)

    @invariant()
    def nothing_is_signed_but_by_people(self) -> None:
        record = self.record
        if record is not None and record.rollout.signed:
            assert record.rollout.signed[0] in self.signed
            signed = x509.load_der_x509_certificate(record.rollout.signed[0])
            assert record.rollout.request is not None
            assert signed.public_key() == x509.load_der_x509_csr(record.rollout.request).public_key()

    def is_ours(self, certificate: x509.Certificate) -> bool:
        return certificate.issuer in (OURS.name, NEXT.name)

    @property
    def _authority(self) -> Authority:
        return AUTHORITIES[self.office.live.snapshot.policy.certificates.authorities[0]]

    def _answer(self, request: bytes, valid: Validity) -> bytes:
        return self._authority.answer(request, valid).public_bytes(Encoding.PEM)

    def sign_request(self) -> None:
        """Sign what waits, as somebody does who looks at it."""
        request, begin = self.request, self.device.now - timedelta(hours=1)
        assert request is not None
        content = self._answer(request, Validity(begin, begin + LIFETIME))
        record = self._hand_in(content)
        self.signed.add(record.rollout.signed[0])

    def _hand_in(self, content: bytes) -> RolloutRecord:
        snapshot = self.office.live.snapshot
        answer = SignedAnswer(self.serial, content, PEOPLE.name, self.device.now)
        return hand_in(self.site.rollouts, answer, snapshot.policy.certificates, snapshot.chain)


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    made, _ = create_site(tmp_path_factory.mktemp("no-dead-end") / "site", who="test", now=now())
    Rolling.site, Rolling.lives = made, {}
    for name, policy in POLICIES.items():
        authorities = AUTHORITIES.values() if name == "both" else [NEXT if name.startswith("next") else OURS]
        files = {"policies/certificates.yaml": policy.encode()}
        files |= {f"certificates/CAkey-{n}.pem": one.pem for n, one in enumerate(authorities)}
        made.config.commit_files(files, name, "Test <test@localhost>")
        deploy(made, "main", who="test", now=now())
        Rolling.lives[name] = deployed(made)
    yield
    made.close()


Rolling.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestRolling = pytest.mark.slow(Rolling.TestCase)
