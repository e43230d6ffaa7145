"""Lists of certificates that their authorities have revoked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from gitupd.store.certificates.reading import UNREADABLE, UnreadableCertificate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gitupd.store.certificates.reading import CertificateReading

LARGEST = 32 * 2**20
_UNDERSTOOD = frozenset({ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_NUMBER})


class UnreadableList(UnreadableCertificate):
    """What should be a list of revoked certificates is none."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The serial numbers that an issuer has revoked.

    ``issuer`` is its name in DER; ``next_update`` is None if the list does not say when the next one comes.
    """

    issuer: bytes = field(repr=False)
    name: str
    fingerprint: str
    updated: datetime
    next_update: datetime | None
    numbers: frozenset[int] = field(repr=False)
    der: bytes = field(repr=False)
    parsed: x509.CertificateRevocationList = field(repr=False)

    def is_signed_by(self, authorities: Iterable[CertificateReading]) -> bool:
        """Whether one of *authorities* has signed it, and may."""
        return any(self._is_signed_by(authority) for authority in authorities if authority.subject == self.issuer)

    def _is_signed_by(self, authority: CertificateReading) -> bool:
        try:
            return authority.may_sign_lists and self.parsed.is_signature_valid(authority.parsed.public_key())  # type: ignore[arg-type] # other keys raise TypeError
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            return False


def read_list(der: bytes) -> RevocationList:
    """Return the list of revoked certificates in *der*; raises UnreadableCertificate for what can't be understood."""
    if len(der) > LARGEST:
        raise UnreadableCertificate(f"is larger than {LARGEST // 2**20} MiB")
    try:
        said = x509.load_der_x509_crl(der)
        unknown = [each.oid.dotted_string for each in said.extensions if each.critical and each.oid not in _UNDERSTOOD]
        if unknown:
            # A part of a list, or one of several issuers: to take it for the whole would be wrong.
            raise UnreadableCertificate(f"has a critical extension that is not understood, {unknown[0]}")
        names = said.issuer.rfc4514_string()
        return RevocationList(
            issuer=said.issuer.public_bytes(),
            name=names,
            fingerprint=hashlib.sha256(der).hexdigest(),
            updated=said.last_update_utc,
            next_update=said.next_update_utc,
            numbers=frozenset(revoked.serial_number for revoked in said),
            der=der,
            parsed=said,
        )
    except UNREADABLE as error:
        raise UnreadableList("is no list of revoked certificates that can be read") from error
