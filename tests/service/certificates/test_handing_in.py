"""Signed certificates in each form in which authorities hand them out, and those that no device should get."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from support.authorities import EXPIRED, FUTURE, NOW, VALID, Authority, new_key, signing_request

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.core.policy import Certificates
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.certificates.handing_in import LARGEST, SignedAnswer, hand_in, read_certificates
from gitupd.store.certificates.rollouts import Rollouts

if TYPE_CHECKING:
    from support.authorities import Validity

    from gitupd.store.database import Database

SERIAL = Serial("0090333000af")
POLICY = Certificates(enabled=True, authorities=("Our CA",))
ROOT = Authority.root("Our Root")
AUTHORITY = ROOT.issuing("Our CA")
KEY = new_key()


def certificate(
    authority: Authority = AUTHORITY, name: str = SERIAL.digits, valid: Validity = VALID
) -> x509.Certificate:
    return authority.device(name, key=KEY, valid=valid).certificate


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


@pytest.fixture
def rollouts(database: Database) -> Rollouts:
    rollouts = Rollouts(database)
    rollouts.note(SERIAL, Need(Stage.FETCH, ""), NOW, None, None)
    request = signing_request(SERIAL.digits, KEY)
    rollouts.change(SERIAL, NOW, lambda rollout: rollout.uploaded(request, NOW))
    return rollouts


def handed_in(rollouts: Rollouts, content: bytes, policy: Certificates = POLICY) -> tuple[bytes, ...]:
    answer = SignedAnswer(SERIAL, content, "Vera", NOW)
    return hand_in(rollouts, answer, policy, (AUTHORITY.der, ROOT.der)).rollout.signed


@pytest.mark.parametrize(
    "write",
    [
        pem,
        lambda own: own.public_bytes(Encoding.DER),
        lambda own: b"Bag Attributes\r\n  friendlyName: x\r\n" + pem(own).replace(b"\n", b"\r\n"),
        lambda own: pkcs7.serialize_certificates([own], Encoding.PEM),
        lambda own: pkcs7.serialize_certificates([own], Encoding.DER),
    ],
)
def test_each_form_is_understood(rollouts: Rollouts, write: object) -> None:
    own = certificate()
    assert handed_in(rollouts, write(own)) == (own.public_bytes(Encoding.DER),)  # type: ignore[operator] # a function


def test_a_chain_is_put_in_order(rollouts: Rollouts) -> None:
    own = certificate()
    above = x509.load_der_x509_certificate(AUTHORITY.der)
    signed = handed_in(rollouts, pem(x509.load_der_x509_certificate(ROOT.der), above, own))
    assert signed == (own.public_bytes(Encoding.DER), AUTHORITY.der, ROOT.der)


def test_the_wildcard_of_the_policy_is_allowed(rollouts: Rollouts) -> None:
    own = certificate(name="any phone")
    policy = Certificates(enabled=True, authorities=("Our CA",), wildcard="any phone")
    assert handed_in(rollouts, pem(own), policy) == (own.public_bytes(Encoding.DER),)


def test_the_name_for_every_device_is_given_to_none_that_asks_for_it_unasked(rollouts: Rollouts) -> None:
    request = signing_request("any phone", KEY)
    rollouts.change(SERIAL, NOW, lambda rollout: rollout.uploaded(request, NOW))
    own = certificate(name="any phone")
    policy = Certificates(enabled=True, authorities=("Our CA",), wildcard="any phone", dn={"cn": "{sn}"})
    with pytest.raises(InvalidEntry, match="good for every device"):
        handed_in(rollouts, pem(own), policy)
    assert handed_in(rollouts, pem(own), replace(policy, dn={"cn": "any phone"}))


@pytest.mark.parametrize("name", ["0090333000b0", "IP232-30-00-b0"])
def test_what_a_request_smuggles_in_is_found_when_it_comes_back(rollouts: Rollouts, name: str) -> None:
    request = signing_request(name, KEY)
    rollouts.change(SERIAL, NOW, lambda rollout: rollout.uploaded(request, NOW))
    with pytest.raises(InvalidEntry, match="which is another device"):
        handed_in(rollouts, pem(certificate(name=name)))


def test_a_device_becomes_no_authority(rollouts: Rollouts) -> None:
    own = AUTHORITY.device(SERIAL.digits, key=KEY, is_authority=True).certificate
    with pytest.raises(InvalidEntry, match="the certificate is refused: it is for an authority"):
        handed_in(rollouts, pem(own))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no certificate"),
        (b"FAKECERT", "no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
        (b"x" * (LARGEST + 1), "not longer than"),
        (pem(AUTHORITY.device(SERIAL.digits).certificate), "not for the key"),
        (pem(certificate(name="IP111-99-99-99")), "it is for 'IP111-99-99-99'"),
        (pem(certificate(valid=EXPIRED)), "not now"),
        (pem(certificate(valid=FUTURE)), "not now"),
        (pem(certificate(Authority.root("Else"))), "it is issued by 'Else'"),
        (pem(certificate(Authority.root("Our CA"))), "its signature is not by the certificate of 'Our CA'"),
        (pem(*[certificate()] * 11), "more than 10"),
    ],
)
def test_what_no_device_should_get_is_refused_with_the_reason(rollouts: Rollouts, content: bytes, reason: str) -> None:
    before = rollouts.of(SERIAL)
    with pytest.raises(InvalidEntry, match=reason):
        handed_in(rollouts, content)
    assert rollouts.of(SERIAL) == before


def test_a_device_without_a_request_gets_nothing(database: Database) -> None:
    with pytest.raises(SiteError, match="no signing request"):
        handed_in(Rollouts(database), pem(certificate()))


def test_cut_off_files_are_no_certificates() -> None:
    whole = certificate().public_bytes(Encoding.DER)
    for length in (1, 10, len(whole) // 2, len(whole) - 1):
        with pytest.raises(InvalidEntry):
            read_certificates(whole[:length])
