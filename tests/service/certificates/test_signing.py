"""Requests that are approved and rejected, and certificates that are revoked: each once, and with its entry."""

from __future__ import annotations

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority, rsa_key
from support.signing_sites import OTHER, SERIAL, VERA, asks, request_of, signing_site

from gitupd.core.certificates.rollout import Rollout, Stage
from gitupd.core.identity import Claim, identify
from gitupd.core.people.audit import Kind
from gitupd.core.policy import Certificates
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.certificates.own_signer import OwnSigner
from gitupd.service.certificates.signers import SigningDelayed, SigningOrder, SigningRefused
from gitupd.service.certificates.signing import Signing, signer_for
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.store.certificates.issued import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.caller import Serial
    from gitupd.service.site import Site

POLICY = """enabled: true
request:
  dn: {cn: "{sn}", o: Example Ltd}
  dns: ["{name}.phones.example.com"]
  ip: ["{realip}"]
"""
DAY = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with signing_site(tmp_path / "site", POLICY) as made:
        yield made


@dataclass(frozen=True)
class Elsewhere:
    """Somebody else who signs, or does not."""

    answer: tuple[bytes, ...] = ()
    error: SiteError | None = None
    name: str = "Elsewhere"

    def sign(self, _: SigningOrder) -> tuple[bytes, ...]:
        if self.error is not None:
            raise self.error
        return self.answer


def certificate_of(site: Site, serial: Serial = SERIAL) -> x509.Certificate:
    record = site.rollouts.of(serial)
    assert record is not None
    return x509.load_der_x509_certificate(record.rollout.signed[0])


def approve(site: Site, *serials: Serial) -> list[tuple[bool, str]]:
    outcomes = Signing(site).approve(serials or [SERIAL], VERA, now())
    return [(each.is_done, each.detail) for each in outcomes]


def entries(site: Site, kind: Kind) -> list[str]:
    return [f"{each.subject}: {each.detail}" for each in site.audit.entries(50, kind=kind)]


def is_trusted(site: Site) -> bool:
    """Whether the certificate of the device identifies it now."""
    record, live = site.rollouts.of(SERIAL), live_now(site)
    assert record is not None
    assert live is not None
    (entry, *_) = site.issued.of(SERIAL)
    shown = site.trust.read().shown([entry.certificate])
    return identify(shown, Claim(SERIAL.digits), live.snapshot.policy.certificates, now()).is_trusted


def test_what_is_approved_is_signed_and_written_down(site: Site) -> None:
    asks(site)
    asks(site, OTHER)
    assert [done for done, _ in approve(site, SERIAL, OTHER)] == [True, True]
    record, made = site.rollouts.of(SERIAL), certificate_of(site)
    assert record is not None
    assert record.rollout.signed_by == "Example Issuing CA"
    assert len(record.rollout.signed) == 3, "the authority and the root go along"
    assert made.not_valid_before_utc <= now() - timedelta(minutes=59)
    assert timedelta(days=729) < made.not_valid_after_utc - now() <= timedelta(days=730)
    (entry,) = site.issued.of(SERIAL)
    assert (entry.who, entry.why, int(entry.number, 16)) == ("Vera", "approved", made.serial_number)
    assert f"{SERIAL}: {entry.number}, by Example Issuing CA, until" in entries(site, Kind.CERTIFICATE_SIGN)[-1]
    assert is_trusted(site)


def test_nothing_but_what_the_policy_covers_is_signed(site: Site) -> None:
    alternative = (
        *(x509.DNSName("reception.phones.example.com"), x509.DNSName("update.example.com")),
        *(x509.IPAddress(ipaddress.ip_address("10.0.0.1")), x509.IPAddress(ipaddress.ip_address("10.0.0.2"))),
        x509.RFC822Name("ada@example.com"),
    )
    asks(site, request=request_of(organization="Other Ltd", alternative=alternative))
    ((is_done, detail),) = approve(site)
    assert is_done
    assert "without O=Other Ltd, update.example.com, 10.0.0.2, ada@example.com" in detail
    made = certificate_of(site)
    assert made.subject.rfc4514_string() == "CN=0090333000af"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["reception.phones.example.com", "10.0.0.1"]


@pytest.mark.parametrize(
    ("request_bytes", "reason"),
    [
        (request_of(OTHER), "which is another device"),
        (request_of(name="*"), "which the policy does not have it ask for"),
        (request_of(name="www.example.com"), "which the policy does not have it ask for"),
        (request_of(key=rsa_key(0, 1024)), "its key is too weak"),
        (b"\x30\x00", "can't be read"),
        (request_of()[:-1] + b"\x00", "is not signed by the key that it is for"),
    ],
)
def test_what_is_not_signed(site: Site, request_bytes: bytes, reason: str) -> None:
    asks(site, request=request_bytes)
    ((is_done, detail),) = approve(site)
    assert not is_done
    assert reason in detail
    assert (site.issued.count(), entries(site, Kind.CERTIFICATE_SIGN)) == (0, [])


def test_who_has_no_request_that_waits_gets_nothing(site: Site) -> None:
    assert approve(site) == [(False, "it has uploaded no signing request")]
    asks(site)
    approve(site)
    assert approve(site) == [(False, "its request was signed already")]
    site.rollouts.change(SERIAL, now(), lambda rollout: replace(rollout, start_over=True))
    assert approve(site) == [(False, "its roll-out starts over when it polls next")]


def test_a_request_that_came_in_since_somebody_looked_is_not_signed(site: Site) -> None:
    first, second = asks(site), request_of()
    asks(site, request=second)
    signing = Signing(site)
    (outcome,) = signing.approve([SERIAL], VERA, now(), {SERIAL: digest_of(first)})
    assert (outcome.is_done, outcome.detail) == (False, "it has uploaded another request since; look at that one")
    assert signing.approve([SERIAL], VERA, now(), {SERIAL: digest_of(second)})[0].is_done


def test_two_who_approve_at_once_have_one_certificate_made(site: Site) -> None:
    asks(site)
    signing = Signing(site)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: signing.approve([SERIAL], VERA, now()), range(8)))
    assert sum(outcome.is_done for (outcome,) in outcomes) == 1
    assert (site.issued.count(), len(entries(site, Kind.CERTIFICATE_SIGN))) == (1, 1)


def test_the_same_request_once_more_gets_the_same_certificate(site: Site) -> None:
    request = asks(site)
    approve(site)
    made = certificate_of(site)
    site.rollouts.change(SERIAL, now(), lambda _: Rollout(request, now()))
    assert approve(site)[0][0]
    assert certificate_of(site) == made
    assert site.issued.count() == 1
    Signing(site).revoke([SERIAL], "lost", VERA, now())
    site.rollouts.change(SERIAL, now(), lambda _: Rollout(request, now()))
    ((is_done, detail),) = approve(site)
    assert (is_done, "was signed before" in detail) == (False, True)


def test_a_device_that_asks_with_its_old_key_is_renewed_all_the_same(site: Site) -> None:
    request = asks(site)
    approve(site)
    first, later = certificate_of(site), now() + 650 * DAY
    for _ in range(2):
        site.rollouts.change(SERIAL, later, lambda _: Rollout(request, later))
        (outcome,) = Signing(site).approve([SERIAL], VERA, later)
        assert outcome.is_done, outcome.detail
    assert certificate_of(site).not_valid_after_utc - first.not_valid_after_utc > 600 * DAY
    assert [each.number for each in site.issued.of(SERIAL)] == [
        f"{each.serial_number:x}" for each in (certificate_of(site), first)
    ]


def test_what_is_rejected_stays_so_with_its_reason(site: Site) -> None:
    asks(site)
    signing = Signing(site)
    with pytest.raises(InvalidEntry, match="say why"):
        signing.reject([SERIAL], " ", VERA, now())
    outcomes = signing.reject([SERIAL, OTHER], "nobody knows it", VERA, now())
    assert [each.is_done for each in outcomes] == [True, False]
    assert approve(site) == [(False, "its request was rejected (nobody knows it); have it start over")]
    assert entries(site, Kind.CERTIFICATE_REJECT) == [f"{SERIAL}: nobody knows it"]
    assert signing.waiting() == []


def test_a_revoked_certificate_identifies_nobody_and_is_on_the_list(site: Site) -> None:
    asks(site)
    approve(site)
    assert is_trusted(site)
    number = certificate_of(site).serial_number
    (outcome,) = Signing(site).revoke([SERIAL], "key-compromise", VERA, now())
    assert (outcome.is_done, outcome.detail) == (True, f"{number:x}")
    assert not is_trusted(site)
    (path,) = (site.path / "trust").glob("*.crl")
    listed = x509.load_pem_x509_crl(path.read_bytes()).get_revoked_certificate_by_serial_number(number)
    assert listed is not None
    assert listed.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    assert entries(site, Kind.CERTIFICATE_REVOKE) == [f"{SERIAL}: {number:x}: key-compromise"]
    record = site.rollouts.of(SERIAL)
    assert record is not None
    assert (record.stage, record.rollout.signed) == (Stage.REJECTED, ())
    assert Signing(site).revoke([SERIAL], "again", VERA, now())[0].is_done is False


def test_one_certificate_is_revoked_by_its_number(site: Site) -> None:
    asks(site)
    approve(site)
    signing, number = Signing(site), f"{certificate_of(site).serial_number:X}"
    assert signing.revoke_number(number, "lost", VERA, now()).is_done
    assert signing.revoke_number(number, "lost", VERA, now()).is_done is False
    with pytest.raises(SiteError, match="no certificate with the serial number 77"):
        signing.revoke_number("77", "lost", VERA, now())
    assert not is_trusted(site)


def test_numbers_of_lists_grow(site: Site) -> None:
    numbers = []
    for serial in (SERIAL, OTHER):
        asks(site, serial)
        approve(site, serial)
        Signing(site).revoke([serial], "lost", VERA, now())
        (path,) = (site.path / "trust").glob("*.crl")
        listed = x509.load_pem_x509_crl(path.read_bytes())
        numbers.append(listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
        assert len(listed) == len(numbers)
    assert numbers[0] < numbers[1]


def test_without_its_key_nothing_is_signed_or_revoked_and_nothing_changes(site: Site) -> None:
    asks(site)
    approve(site)
    asks(site, OTHER)
    (site.path / "authority/passphrase").write_text("another\n")
    site.authority.__init__(site.authority.path, site.database, site.path / "authority/passphrase")  # type: ignore[misc] # as a new process
    with pytest.raises(SiteError, match="no private key that can be read with this passphrase"):
        approve(site, OTHER)
    with pytest.raises(SiteError, match="with this passphrase"):
        Signing(site).revoke([SERIAL], "lost", VERA, now())
    assert is_trusted(site)
    assert (site.issued.count_revoked(), entries(site, Kind.CERTIFICATE_REVOKE)) == (0, [])


def test_nothing_is_signed_beyond_the_end_of_the_authority(site: Site) -> None:
    policy = Certificates(authorities=("Example Issuing CA",), valid_for=9000 * 86400, renew_before=86400)
    signer = OwnSigner(site, policy)
    chain = signer.sign(SigningOrder(SERIAL, request_of(), now()))
    own, above, _ = map(x509.load_der_x509_certificate, chain)
    assert own.not_valid_after_utc == above.not_valid_after_utc
    with pytest.raises(SigningDelayed, match="renewed as soon as it is there"):
        signer.sign(SigningOrder(SERIAL, request_of(), now() + timedelta(days=3649, hours=1)))
    with pytest.raises(SigningDelayed, match="has expired"):
        signer.sign(SigningOrder(SERIAL, request_of(), now() + timedelta(days=3651)))


def test_who_signs_is_said_by_the_policy(site: Site) -> None:
    assert signer_for(site, Certificates(signing="automatic")).name == "Example Issuing CA"
    with pytest.raises(SiteError, match="signing: authority"):
        signer_for(site, Certificates(signing="manual"))


def test_what_another_one_signs_is_looked_at(site: Site) -> None:
    asks(site)
    live = live_now(site)
    assert live is not None
    signing = Signing(site, replace(live.snapshot.policy.certificates, authorities=("Else CA",)))
    authority = Authority.root("Else CA")
    stranger = authority.answer(request_of()).public_bytes(Encoding.DER)
    grounds = {SERIAL: "by rule 1"}

    def told(signer: Elsewhere) -> str:
        (outcome,) = signing.issue([SERIAL], signer, VERA, now(), grounds=grounds)
        assert not outcome.is_done
        return outcome.detail

    assert told(Elsewhere((stranger,))) == "what was signed is for another key"
    assert told(Elsewhere(error=SigningRefused("it is not on the list"))) == "it is not on the list"
    record = site.rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.request is not None
    good = authority.answer(record.rollout.request).public_bytes(Encoding.DER)
    (outcome,) = signing.issue([SERIAL], Elsewhere((good, authority.der)), VERA, now(), grounds=grounds)
    assert outcome.is_done
    assert outcome.detail.endswith(": by rule 1")
    (entry,) = site.issued.of(SERIAL)
    assert (entry.issuer, entry.signer) == ("", "Elsewhere")
    assert Signing(site).revoke([SERIAL], "x", VERA, now())[0].is_done is False, "others revoke what they have signed"
