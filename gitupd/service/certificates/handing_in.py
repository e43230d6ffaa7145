"""Signed certificates that people hand in: read in any of the usual forms, and checked before a device gets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.x509.oid import NameOID

from gitupd.core.people.audit import Event, Kind
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.certificates.requests import objection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate, CertificateSigningRequest

    from gitupd.core.caller import Serial
    from gitupd.core.policy import Certificates
    from gitupd.store.certificates.rollouts import RolloutRecord, Rollouts

LARGEST = 256 * 1024
_MOST_CERTIFICATES = 10


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """What somebody hands in for the request of a device: the content of a file, and who and when that is."""

    serial: Serial
    content: bytes
    who: str
    at: datetime
    address: str | None = None


def read_certificates(content: bytes) -> tuple[Certificate, ...]:
    """Return the certificates in *content*: PEM, one or several, DER, or PKCS #7 in either.

    Raises InvalidEntry if there is none, or too many.
    """
    if len(content) > LARGEST:
        raise InvalidEntry(f"a certificate is not longer than {LARGEST // 1024} KiB")
    for read in _FORMS:
        try:
            certificates = tuple(read(content))
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if len(certificates) > _MOST_CERTIFICATES:
            raise InvalidEntry(f"there are more than {_MOST_CERTIFICATES} certificates in the file")
        if certificates:
            return certificates
    raise InvalidEntry("that is no certificate: PEM, DER and PKCS #7 (.p7b) are understood")


_FORMS = (
    x509.load_pem_x509_certificates,
    lambda content: [x509.load_der_x509_certificate(content)],
    pkcs7.load_pem_pkcs7_certificates,
    pkcs7.load_der_pkcs7_certificates,
)


def hand_in(rollouts: Rollouts, answer: SignedAnswer, policy: Certificates, chain: Sequence[bytes]) -> RolloutRecord:
    """Keep a signed certificate for the request of a device, which installs it when it polls next; audited.

    *chain* are the authority's certificates that go along (DER). Raises SiteError if the device has no open request,
    InvalidEntry if the certificate does not fit the request, the policy, or its issuer.
    """
    record = rollouts.of(answer.serial)
    if record is None or record.rollout.request is None:
        raise SiteError(f"device {answer.serial} has uploaded no signing request; see: gitupd certificates list")
    request = x509.load_der_x509_csr(record.rollout.request)
    ordered = fitting(request, answer, policy, chain)
    signed = tuple(certificate.public_bytes(Encoding.DER) for certificate in ordered)
    detail = f"issued by {common_name(ordered[0].issuer)}, until {ordered[0].not_valid_after_utc:%Y-%m-%d}"
    event = Event(answer.at, answer.who, Kind.CERTIFICATE_UPLOAD, str(answer.serial), detail, answer.address)
    return rollouts.change(
        answer.serial, answer.at, lambda rollout: rollout.answered(signed, answer.who, answer.at), event
    )


def fitting(
    request: CertificateSigningRequest, answer: SignedAnswer, policy: Certificates, chain: Sequence[bytes]
) -> tuple[Certificate, ...]:
    """Return the certificate that was handed in for *request*, and behind it those of its issuers that came along.

    Raises InvalidEntry if it does not fit the request, the policy, or its issuer.
    """
    ordered = in_order(read_certificates(answer.content), request)
    issuers = [*ordered[1:], *map(x509.load_der_x509_certificate, chain)]
    for what, made in (("the device's request", request), ("the certificate", ordered[0])):
        if (fault := objection(made, answer.serial)) is not None:
            raise InvalidEntry(f"{what} is refused: {fault}")
    check_certificate(ordered[0], request, policy, issuers, answer.at)
    return ordered


def common_name(name: x509.Name) -> str:
    """Return the common name in *name*, empty if there is none."""
    attributes = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if attributes else ""


def in_order(certificates: Sequence[Certificate], request: CertificateSigningRequest) -> tuple[Certificate, ...]:
    """Return the device's certificate and behind it the others, each in front of its issuer as far as that is there."""
    wanted = public_key_of(request)
    own = next((certificate for certificate in certificates if public_key_of(certificate) == wanted), None)
    if own is None:
        subjects = ", ".join(repr(common_name(certificate.subject)) for certificate in certificates)
        raise InvalidEntry(f"the certificate ({subjects}) is not for the key of the device's request")
    ordered, left = [own], [certificate for certificate in certificates if certificate != own]
    while issuer := next((certificate for certificate in left if certificate.subject == ordered[-1].issuer), None):
        ordered.append(issuer)
        left.remove(issuer)
    return tuple(ordered)


def check_certificate(
    own: Certificate,
    request: CertificateSigningRequest,
    policy: Certificates,
    issuers: Iterable[Certificate],
    now: datetime,
) -> None:
    """Raise InvalidEntry if *own* is no certificate that a device should get."""
    issuer = common_name(own.issuer)
    if issuer not in policy.authorities:
        trusted = ", ".join(policy.authorities)
        raise InvalidEntry(f"it is issued by {issuer!r}, and policies/certificates.yaml trusts {trusted}")
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        span = f"{own.not_valid_before_utc:%Y-%m-%d} to {own.not_valid_after_utc:%Y-%m-%d}"
        raise InvalidEntry(f"it is valid from {span}, not now")
    subject, asked = common_name(own.subject), common_name(request.subject)
    if subject not in (asked, policy.wildcard):
        raise InvalidEntry(f"it is for {subject!r}, and the device has asked for {asked!r}")
    if asked == policy.wildcard != policy.dn.get("cn"):
        raise InvalidEntry(f"the device has asked for {asked!r}, which would be good for every device")
    named = [certificate for certificate in issuers if certificate.subject == own.issuer]
    if named and not any(_is_issued_by(own, certificate) for certificate in named):
        raise InvalidEntry(f"its signature is not by the certificate of {issuer!r} that goes along")


def _is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def public_key_of(holder: Certificate | CertificateSigningRequest) -> bytes:
    """Return the key that *holder* is for (DER), empty if it is of a kind that can't be read."""
    try:
        return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return b""
