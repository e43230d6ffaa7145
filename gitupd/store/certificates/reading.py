"""Certificates out of files, handshakes and headers: whom they speak for, and what they may sign."""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from gitupd.core.identity import Certificate
from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 64 * 2**10
"""Bytes of one certificate; real ones have two or three thousand."""

UNREADABLE = (
    *(ValueError, TypeError, OverflowError, UnsupportedAlgorithm, CryptographyDeprecationWarning),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
"""What reading raises for what is no certificate, or an odd one."""

LONGEST_NAME = 256
"""Letters of a common name; 64 are allowed, and what is longer than this names nobody."""

_MOST_PURPOSES = 20
"""So many of those that a certificate names are told; strangers may show one with ten thousand."""

_Value = TypeVar("_Value", bound=x509.ExtensionType)

_PEM = re.compile(rb"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----(?P<body>.*?)-----END (?P=kind)-----", re.DOTALL)
CERTIFICATE, REVOCATION_LIST = "CERTIFICATE", "X509 CRL"
_KINDS = {b"CERTIFICATE": CERTIFICATE, b"X509 CERTIFICATE": CERTIFICATE, b"X509 CRL": REVOCATION_LIST}
_UNDERSTOOD = frozenset(
    {
        *(ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE),
        *(ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.SUBJECT_ALTERNATIVE_NAME, ExtensionOID.CERTIFICATE_POLICIES),
        *(ExtensionOID.SUBJECT_KEY_IDENTIFIER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER),
    }
)
"""Extensions that may be critical, for they are respected; nothing follows here from the policies of certificates."""

_CLIENTS = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_PURPOSES = {
    ExtendedKeyUsageOID.CLIENT_AUTH: "client authentication",
    ExtendedKeyUsageOID.SERVER_AUTH: "server authentication",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any purpose",
}


class UnreadableCertificate(GitupdError):
    """What should be a certificate, or a list of revoked ones, is none, or can't be understood."""


@dataclass(frozen=True, slots=True)
class CertificateReading:
    """A certificate that was read.

    ``subject`` and ``issuer`` are names as they stand in it, in DER. ``number`` is its serial number. Whether it may
    sign others, and how many may follow below it (``path_length``, None for any number), it says itself; ``fault`` is
    why it is to be respected in nothing, None if it is. ``is_old`` is one of version 1, which says none of this.
    """

    certificate: Certificate
    der: bytes = field(repr=False)
    parsed: x509.Certificate = field(repr=False)
    subject: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    number: int
    may_sign: bool
    may_sign_lists: bool
    path_length: int | None
    constraints: x509.NameConstraints | None
    is_old: bool
    fault: str | None

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer have the same name."""
        return self.subject == self.issuer


def blocks(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the kind and the DER of each block of PEM in *content*, of the kinds that matter here.

    Raises UnreadableCertificate for a block that is damaged.
    """
    for match in _PEM.finditer(content):
        kind = _KINDS.get(match["kind"])
        if kind is not None:
            try:
                yield kind, binascii.a2b_base64(b"".join(match["body"].split()), strict_mode=True)
            except binascii.Error as error:
                raise UnreadableCertificate("has a damaged block of PEM") from error


def read(der: bytes) -> CertificateReading:
    """Return the certificate in *der*; raises UnreadableCertificate for anything else."""
    if len(der) > LARGEST:
        raise UnreadableCertificate("is larger than any certificate")
    try:
        return _reading(der, x509.load_der_x509_certificate(der))
    except UNREADABLE as error:
        raise UnreadableCertificate("is no certificate that can be read") from error


def _reading(der: bytes, said: x509.Certificate) -> CertificateReading:
    extensions = {extension.oid: extension for extension in said.extensions}
    usage = _value(extensions, ExtensionOID.KEY_USAGE, x509.KeyUsage)
    purposes = _value(extensions, ExtensionOID.EXTENDED_KEY_USAGE, x509.ExtendedKeyUsage)
    basic = _value(extensions, ExtensionOID.BASIC_CONSTRAINTS, x509.BasicConstraints)
    is_old = said.version is x509.Version.v1
    for_clients = purposes is None or not _CLIENTS.isdisjoint(purposes)
    unknown = [oid.dotted_string for oid, each in extensions.items() if each.critical and oid not in _UNDERSTOOD]
    return CertificateReading(
        certificate=_certificate(der, said, usage, purposes, for_clients=for_clients),
        der=der,
        parsed=said,
        subject=said.subject.public_bytes(),
        issuer=said.issuer.public_bytes(),
        number=said.serial_number,
        may_sign=for_clients and basic is not None and basic.ca and (usage is None or usage.key_cert_sign),
        may_sign_lists=usage is None or usage.crl_sign,
        path_length=basic.path_length if basic is not None else None,
        constraints=_value(extensions, ExtensionOID.NAME_CONSTRAINTS, x509.NameConstraints),
        is_old=is_old,
        fault=f"has a critical extension that is not understood, {unknown[0]}" if unknown else None,
    )


def _certificate(
    der: bytes,
    said: x509.Certificate,
    usage: x509.KeyUsage | None,
    purposes: x509.ExtendedKeyUsage | None,
    *,
    for_clients: bool,
) -> Certificate:
    key = said.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    can_prove = usage is None or usage.digital_signature or usage.key_agreement
    return Certificate(
        common_name=_common_name(said.subject),
        issuer=_common_name(said.issuer) or said.issuer.rfc4514_string()[:LONGEST_NAME] or None,
        not_before=said.not_valid_before_utc,
        not_after=said.not_valid_after_utc,
        fingerprint=hashlib.sha256(der).hexdigest(),
        key=hashlib.sha256(key).hexdigest(),
        usage=tuple(_PURPOSES.get(oid, oid.dotted_string) for oid in islice(purposes or (), _MOST_PURPOSES)),
        is_for_clients=for_clients and can_prove,
    )


def _common_name(name: x509.Name) -> str | None:
    """Return the common name, None if there is none, an empty or endless one, or more than one: it is nobody's then."""
    names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    value = names[0].value if len(names) == 1 else None
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None


def _value(
    extensions: dict[x509.ObjectIdentifier, x509.Extension[x509.ExtensionType]],
    oid: x509.ObjectIdentifier,
    kind: type[_Value],
) -> _Value | None:
    extension = extensions.get(oid)
    return extension.value if extension is not None and isinstance(extension.value, kind) else None
