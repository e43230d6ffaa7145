"""The names in signing requests and certificates, all in one form, so that they can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from gitupd.core.certificates.request import written_name
from gitupd.store.certificates.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KINDS: Mapping[type, str] = {
    x509.DNSName: "DNS",
    x509.IPAddress: "IP",
    x509.RFC822Name: "EMAIL",
    x509.UniformResourceIdentifier: "URI",
}


def names_in(signed: x509.CertificateSigningRequest | x509.Certificate) -> frozenset[str]:
    """Return every part of the subject, and every alternative name; one that can't be read is no name of anybody."""
    return frozenset(written_name(kind, value) for kind, value in _names(signed))


def _names(signed: x509.CertificateSigningRequest | x509.Certificate) -> Iterator[tuple[str, str]]:
    for attribute in signed.subject:
        yield attribute.rfc4514_attribute_name, str(attribute.value)
    try:
        alternative = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    except UNREADABLE:
        yield "UNREADABLE", "alternative names"
        return
    for name in alternative:
        yield _KINDS.get(type(name), type(name).__name__), str(name.value)


def names_in_certificate(der: bytes) -> frozenset[str]:
    """Return the names in the certificate in *der*; none if it can't be read."""
    try:
        return names_in(x509.load_der_x509_certificate(der))
    except UNREADABLE:
        return frozenset()
