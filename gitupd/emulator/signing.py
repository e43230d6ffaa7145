"""Keys, signing requests (PKCS#10), and what a device tells of the certificates that it is given.

Unless they are to have keys of their own, all devices of a fleet share the few keys that are made: good enough to try
out how certificates are requested, signed and delivered, and no secret whatsoever.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import assert_never

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gitupd.emulator.script import Option

EXPONENT = 65537
LARGEST_KEY = 4096
SMALLEST_KEY = 1024
DISTINGUISHED = {
    "dn-cn": NameOID.COMMON_NAME,
    "dn-ou": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "dn-o": NameOID.ORGANIZATION_NAME,
    "dn-l": NameOID.LOCALITY_NAME,
    "dn-st": NameOID.STATE_OR_PROVINCE_NAME,
    "dn-c": NameOID.COUNTRY_NAME,
}
USAGE = x509.KeyUsage(
    digital_signature=True,
    key_encipherment=True,
    content_commitment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
SERVER_AND_CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


Secret = EllipticCurvePrivateKey | RSAPrivateKey


class RequestKeys(StrEnum):
    """What keys devices make for their signing requests."""

    SHARED_RSA = "shared-rsa"
    OWN_RSA = "own-rsa"
    ECDSA = "ecdsa"


@dataclass(frozen=True)
class Key:
    """A key, and how it is written."""

    secret: Secret

    @cached_property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, as it stands in requests and certificates."""
        return self.secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @cached_property
    def private_key(self) -> bytes:
        """RSAPrivateKey or ECPrivateKey, as it stands in the variable of a device."""
        return self.secret.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@dataclass(slots=True)
class KeyRing:
    """Makes keys: one of each size, or another each time."""

    kind: RequestKeys = RequestKeys.SHARED_RSA
    shared: dict[int, Key] = field(default_factory=dict)

    def key(self, size: int) -> Key:
        """Give a key of a size in bits, which is cut to what devices have; ECDSA keys are on P-256 always."""
        size = min(max(size, SMALLEST_KEY), LARGEST_KEY) // 2 * 2
        match self.kind:
            case RequestKeys.ECDSA:
                return Key(generate_ec_key(SECP256R1()))
            case RequestKeys.OWN_RSA:
                return Key(generate_private_key(EXPONENT, size))
            case RequestKeys.SHARED_RSA:
                if size not in self.shared:
                    self.shared[size] = Key(generate_private_key(EXPONENT, size))
                return self.shared[size]
            case _:
                assert_never(self.kind)


def read_key(blob: bytes) -> Key:
    """Read a private key; raises ValueError if it is none that a device has."""
    try:
        secret = load_der_private_key(blob, None)
    except (TypeError, UnsupportedAlgorithm) as fault:
        raise ValueError(f"that is no key: {fault}") from fault
    if not isinstance(secret, Secret):
        raise ValueError("a key of another kind")  # noqa: TRY004 - what the device does with it is the same
    return Key(secret)


def signing_request(key: Key, options: Sequence[Option]) -> bytes:
    """Write the request that the options of a `servercert-create` ask for."""
    request = x509.CertificateSigningRequestBuilder(x509.Name(_subject(options)))
    request = request.add_extension(USAGE, critical=False).add_extension(SERVER_AND_CLIENT, critical=False)
    if names := [*_hosts(options), *_addresses(options)]:
        request = request.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return request.sign(key.secret, SHA256()).public_bytes(Encoding.DER)


# What no certificate can hold, such as a country of three letters, is left out: how devices refuse it is not known.


def _subject(options: Sequence[Option]) -> Iterator[x509.NameAttribute[str]]:
    for name, value in options:
        if name in DISTINGUISHED and value:
            with suppress(ValueError):
                yield x509.NameAttribute(DISTINGUISHED[name], value)


def _hosts(options: Sequence[Option]) -> Iterator[x509.GeneralName]:
    for name, value in options:
        if name == "san-dns" and value:
            with suppress(ValueError):
                yield x509.DNSName(value)


def _addresses(options: Sequence[Option]) -> Iterator[x509.GeneralName]:
    for name, value in options:
        if name == "san-ip" and value:
            with suppress(ValueError):
                yield x509.IPAddress(ipaddress.ip_address(value))


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a device tells about a certificate; dates as it writes them, in UTC."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    public_key: bytes = b""


def read_certificate(blob: bytes) -> Certificate:
    """Read an X.509 certificate without checking its signature; raises ValueError if it is none."""
    return facts(x509.load_der_x509_certificate(blob))


def facts(read: x509.Certificate) -> Certificate:
    """Give what a device tells about a certificate; raises ValueError if its key is of no known kind."""
    try:
        public_key = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UnsupportedAlgorithm as fault:
        raise ValueError(f"a key of another kind: {fault}") from fault
    return Certificate(
        _common_name(read.subject),
        _common_name(read.issuer),
        _date(read.not_valid_before_utc),
        _date(read.not_valid_after_utc),
        public_key,
    )


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _common_name(name: x509.Name) -> str:
    values = [attribute.value for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return str(values[0]) if values else ""
