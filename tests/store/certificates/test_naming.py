"""The names in requests and certificates."""

from __future__ import annotations

import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from support.authorities import Authority, new_key

from gitupd.store.certificates.naming import names_in, names_in_certificate


def test_every_part_of_a_subject_and_every_alternative_name_counts() -> None:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.COMMON_NAME, "one"),
            x509.NameAttribute(NameOID.COMMON_NAME, "two"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "7"),
        ]
    )
    alternative = x509.SubjectAlternativeName(
        [
            x509.DNSName("A.Example"),
            x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
            x509.RFC822Name("a@example"),
            x509.UniformResourceIdentifier("https://a"),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(alternative, critical=False)
    names = names_in(builder.sign(new_key(), SHA256()))
    assert {name for name in names if not name.startswith(("2.5", "RegisteredID"))} == {
        *("C=DE", "CN=one", "CN=two", "DNS=a.example", "IP=2001:db8::1", "EMAIL=a@example", "URI=https://a"),
    }
    assert len(names) == 9


def test_the_names_of_a_certificate_are_those_of_its_der() -> None:
    issued = Authority.root("Our CA").device("0090333000af")
    assert "CN=0090333000af" in names_in_certificate(issued.certificate.public_bytes(Encoding.DER))
    assert names_in_certificate(b"no certificate") == frozenset()


def test_alternative_names_that_can_not_be_read_are_those_of_nobody() -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    broken = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"broken")
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(broken, critical=False)
    assert names_in(builder.sign(new_key(), SHA256())) == {"CN=a", "UNREADABLE=alternative names"}
