"""Certificates and lists of revoked ones, as RFC 5280 wants them, made of keys, names and times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

AuthorityKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Certificate = x509.Certificate

KEYS = ("rsa-3072", "rsa-4096", "rsa-2048", "ecdsa-p256", "ecdsa-p384")
"""Kinds of keys that an authority may have, the default first: every device that takes certificates knows RSA."""

EARLIER = timedelta(hours=1)
"""So much before it was made a certificate is valid already: the clocks of devices are not exact."""

_LONGEST_NAME = 64  # of a common name, by X.520
_MOST_BITS = 8192  # of a key that a device asks a certificate for


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs: a certificate of an authority, and its key."""

    certificate: x509.Certificate
    key: AuthorityKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceNames:
    """What a certificate of a device names: parts of its subject in order, and alternative names."""

    subject: x509.Name
    alternative: tuple[x509.GeneralName, ...] = ()


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """A certificate that was revoked: its serial number, when that was, and the code of RFC 5280 for why, if any."""

    number: int
    at: datetime
    flag: x509.ReasonFlags | None = None


def new_key(kind: str) -> AuthorityKey:
    """Make a key of one of :data:`KEYS`."""
    family, _, size = kind.partition("-")
    if family == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=int(size))
    return ec.generate_private_key(ec.SECP384R1() if size == "p384" else ec.SECP256R1())


def make_root(name: str, key: AuthorityKey, now: datetime, days: int) -> x509.Certificate:
    """Make the certificate of an authority that nobody is above, for *days*; one may be below it."""
    subject = _named(name)
    builder = _builder(subject, subject, key.public_key(), now - EARLIER, now + timedelta(days=days))
    return _as_authority(builder, 1).sign(key, _digest(key))


def make_issuing(name: str, key: AuthorityKey, above: Issuer, now: datetime, days: int) -> x509.Certificate:
    """Make the certificate of an authority for devices, for *days* and not beyond that *above*; none may be below."""
    start = max(now - EARLIER, above.certificate.not_valid_before_utc)
    end = min(now + timedelta(days=days), above.certificate.not_valid_after_utc)
    builder = _builder(_named(name), above.certificate.subject, key.public_key(), start, end)
    builder = builder.add_extension(_key_identifier(above.certificate), critical=False)
    return _as_authority(builder, 0).sign(above.key, _digest(above.key))


def make_device(
    request: x509.CertificateSigningRequest,
    names: DeviceNames,
    issuer: Issuer,
    span: tuple[datetime, datetime],
    list_url: str = "",
) -> x509.Certificate:
    """Make the certificate of a device for the key of *request*, valid for the time *span*.

    It names what *names* says, and nothing else of the request is in it. *list_url* is where the list of revoked ones
    is published, empty for nowhere.
    """
    key = request.public_key()
    builder = _builder(names.subject, issuer.certificate.subject, key, *span)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    is_rsa = isinstance(key, rsa.RSAPublicKey)
    builder = builder.add_extension(_usage(digital_signature=True, key_encipherment=is_rsa), critical=True)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    builder = builder.add_extension(_key_identifier(issuer.certificate), critical=False)
    if names.alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(names.alternative), critical=not names.subject.rdns)
    if list_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(list_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(issuer.key, _digest(issuer.key))


def make_list(
    issuer: Issuer, revoked: Iterable[RevokedEntry], number: int, span: tuple[datetime, datetime]
) -> x509.CertificateRevocationList:
    """Make the list *number* of what *issuer* has revoked, for the time *span* from now to the next."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(span[0]).next_update(span[1])
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    builder = builder.add_extension(_key_identifier(issuer.certificate), critical=False)
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.number).revocation_date(each.at)
        if each.flag is not None:
            entry = entry.add_extension(x509.CRLReason(each.flag), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, _digest(issuer.key))


def is_fit(key: object) -> bool:
    """Whether a device may have a certificate for this public key: it is hard to break, and no burden."""
    match key:
        case rsa.RSAPublicKey():
            return rsa_is_fit(key)
        case ec.EllipticCurvePublicKey():
            return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
        case _:
            return False


def rsa_is_fit(key: rsa.RSAPublicKey) -> bool:
    """Whether an RSA key is neither too short nor of a size that takes others long to check."""
    shortest = 2048
    return shortest <= key.key_size <= _MOST_BITS and key.public_numbers().e > 2  # noqa: PLR2004 - F0 is the first that will do


def list_number(listed: x509.CertificateRevocationList | None) -> int:
    """Return the number of a list, 0 if there is none."""
    try:
        return 0 if listed is None else listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (x509.ExtensionNotFound, ValueError):
        return 0


def _builder(
    subject: x509.Name, issuer: x509.Name, key: object, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    """Begin a certificate with what all have; its serial number is of 159 bits of chance."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type] # what is no key that may be certified was refused before
        .serial_number(x509.random_serial_number())
        .not_valid_before(_whole(start))
        .not_valid_after(_whole(end))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)  # type: ignore[arg-type] # as above
    )


def _as_authority(builder: x509.CertificateBuilder, below: int) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
    return builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_encipherment=key_encipherment,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_identifier(above: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the identifier of the key of *above* as that says itself, for an imported one may have an odd one."""
    try:
        own = above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key())  # type: ignore[arg-type] # it signs
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _digest(key: AuthorityKey) -> SHA256 | SHA384:
    is_larger = isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256  # noqa: PLR2004 - the size of SHA-256
    return SHA384() if is_larger else SHA256()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_LONGEST_NAME])])


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def ordered_above(own: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return those of *others* that lead up from *own*, the nearest first, as far as they are there."""
    line = [own]
    rest = [each for each in others if each != own]
    while line[-1].subject != line[-1].issuer:
        above = next((each for each in rest if each.subject == line[-1].issuer), None)
        if above is None:
            break
        rest.remove(above)
        line.append(above)
    return tuple(line[1:])
