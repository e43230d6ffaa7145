"""Authorities of the tests, and the certificates that they sign, with every fault that a certificate can have.

    authority = Authority.root("Test Root").issuing("Device Certification Authority")
    shown = authority.device("IP222-46-0a-f2")
    shown.der, shown.presented       # what a handshake shows: the certificate alone, or with its chain
    shown.files(folder)              # paths, for ssl, nginx, openssl and curl
    authority.revoke(shown); authority.crl()

Keys are ECDSA P-256, which take no time to make; of RSA there are few, each made once.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
YEAR = 365 * DAY
FACTORY = "innovaphone Device Certification Authority"


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate is valid."""

    start: datetime = NOW - DAY
    end: datetime = NOW + 10 * YEAR


VALID = Validity()
EXPIRED = Validity(NOW - 2 * YEAR, NOW - DAY)
FUTURE = Validity(NOW + DAY, NOW + 2 * YEAR)

CLIENT_AND_SERVER = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a key of its own."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(number: int = 0, size: int = 2048) -> rsa.RSAPrivateKey:  # noqa: ARG001 - what the cache tells apart
    """Give an RSA key: the same for the same number."""
    return rsa.generate_private_key(65537, size)


def usage(*, signature: bool = True, encipherment: bool = True, authority: bool = False) -> x509.KeyUsage:
    """Write a KeyUsage."""
    return x509.KeyUsage(
        digital_signature=signature,
        key_encipherment=encipherment,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True)
class Files:
    """Where a certificate lies, its chain behind it, and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and the certificates above it, the nearest first, without the root."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @cached_property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @cached_property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo."""
        return self.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def presented(self) -> tuple[bytes, ...]:
        """What a handshake with the whole chain shows: DER, its own first."""
        return (self.der, *(above.public_bytes(Encoding.DER) for above in self.chain))

    @property
    def bundle(self) -> bytes:
        """The certificate and its chain in PEM."""
        return self.pem + b"".join(above.public_bytes(Encoding.PEM) for above in self.chain)

    @property
    def common_name(self) -> str:
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    def alone(self) -> Issued:
        """Give it without the certificates above it."""
        return replace(self, chain=())

    def files(self, folder: Path, name: str = "") -> Files:
        """Write it into a folder, as NAME.pem and NAME.key."""
        name = name or self.common_name or "certificate"
        files = Files(folder / f"{name}.pem", folder / f"{name}.key")
        folder.mkdir(parents=True, exist_ok=True)
        files.certificate.write_bytes(self.bundle)
        files.key.write_bytes(self.key_pem)
        files.key.chmod(0o600)
        return files


@dataclass
class Authority:
    """An authority that signs; `issued` is its own certificate."""

    issued: Issued
    above: Authority | None = None
    revoked: list[int] = field(default_factory=list)
    """Serial numbers of certificates."""
    posing: Authority | None = None
    """The authority whose key it claims to sign with."""

    @classmethod
    def root(cls, name: str = "Test Root", *, key: Key | None = None, valid: Validity = VALID) -> Authority:
        key = key or new_key()
        builder = _builder(_named(name), _named(name), key, valid)
        return cls(Issued(_authority(builder, None).sign(key, SHA256()), key))

    def issuing(
        self, name: str = FACTORY, *, key: Key | None = None, valid: Validity = VALID, length: int | None = None
    ) -> Authority:
        """Make an authority below this one; *length* bounds how many are allowed below it."""
        key = key or new_key()
        builder = _authority(self._builder(_named(name), key, valid), length)
        return Authority(Issued(builder.sign(self.issued.key, SHA256()), key, self._chain()), self)

    @property
    def name(self) -> x509.Name:
        return self.issued.certificate.subject

    @property
    def common_name(self) -> str:
        return self.issued.common_name

    @property
    def pem(self) -> bytes:
        """Its own certificate, as a site trusts it."""
        return self.issued.pem

    @property
    def der(self) -> bytes:
        return self.issued.der

    def _chain(self) -> tuple[x509.Certificate, ...]:
        """Return what whoever has a certificate of this authority shows above it."""
        return () if self.above is None else (self.issued.certificate, *self.issued.chain)

    def device(
        self,
        common_name: str,
        *,
        key: Key | None = None,
        valid: Validity = VALID,
        key_usage: x509.KeyUsage | None = None,
        purposes: tuple[x509.ObjectIdentifier, ...] | None = CLIENT_AND_SERVER,
        is_authority: bool = False,
        subject: x509.Name | None = None,
    ) -> Issued:
        """Sign a certificate of a device; *purposes* None: without extended key usage."""
        key = key or new_key()
        name = subject or (_named(common_name) if common_name else x509.Name([]))
        builder = self._builder(name, key, valid)
        builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        builder = builder.add_extension(key_usage or usage(), critical=True)
        if purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return Issued(builder.sign(self.issued.key, SHA256()), key, self._chain())

    def server(
        self, *names: str, key: Key | None = None, valid: Validity = VALID, common_name: str = "server"
    ) -> Issued:
        """Sign a certificate of a server, by default for 127.0.0.1, ::1 and localhost."""
        key = key or new_key()
        alternative = [_general(name) for name in names or ("127.0.0.1", "::1", "localhost")]
        builder = self._builder(_named(common_name), key, valid)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(usage(), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        return Issued(builder.sign(self.issued.key, SHA256()), key, self._chain())

    def answer(self, request: bytes, valid: Validity = VALID) -> x509.Certificate:
        """Sign what a signing request (DER) asks for: its subject, its key, and the names that it wants besides."""
        asked = x509.load_der_x509_csr(request)
        builder = x509.CertificateBuilder(self.name, asked.subject, asked.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(valid.start).not_valid_after(valid.end)
        for extension in asked.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(self.issued.key, SHA256())

    def revoke(self, issued: Issued) -> Issued:
        """Note that a certificate is revoked, for the next `crl`."""
        self.revoked.append(issued.certificate.serial_number)
        return issued

    def crl(self, *, updated: datetime = NOW - DAY, next_update: datetime = NOW + YEAR) -> bytes:
        """Write the list of what was revoked, in PEM."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(updated).next_update(next_update)
        builder = builder.add_extension(x509.CRLNumber(len(self.revoked) + 1), critical=False)
        builder = builder.add_extension(self._key_identifier(), critical=False)
        for number in self.revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(updated)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.issued.key, SHA256()).public_bytes(Encoding.PEM)

    def _builder(self, subject: x509.Name, key: Key, valid: Validity) -> x509.CertificateBuilder:
        return _builder(subject, self.name, key, valid).add_extension(self._key_identifier(), critical=False)

    def _key_identifier(self) -> x509.AuthorityKeyIdentifier:
        issuer = self.posing or self
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.issued.key.public_key())


def self_signed(common_name: str, *, key: Key | None = None, valid: Validity = VALID) -> Issued:
    """Make a certificate that nobody but its owner signed, as a soft phone does."""
    key = key or new_key()
    builder = _builder(_named(common_name), _named(common_name), key, valid)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return Issued(builder.sign(key, SHA256()), key)


def early_name(hardware_id: str) -> str:
    """Give the broken name of early certificates: IP222s-… and IP232s-…, IP200a-… and IP240a-… ."""
    model, dash, rest = hardware_id.partition("-")
    return f"{model}{'a' if model in ('IP200', 'IP240') else 's'}{dash}{rest}"


def serial_name(serial: str) -> str:
    """Give the name of certificates that have the digits of a serial number: 00903346 0af2 without blanks."""
    return serial.replace("-", "").replace(":", "").lower()


def untrustworthy(authority: Authority, common_name: str, another: str = "IP232-99-99-99") -> dict[str, Issued]:
    """Make, by name of its fault, every certificate that must not speak for the device of a name.

    *authority* is an issuing one below a root that is trusted, and no other; what is "revoked" is, once the `crl` of
    *authority* is known.
    """
    root = authority.above or authority
    foreign = Authority.root(root.common_name).issuing(authority.common_name)
    posing = Authority(foreign.issued, posing=authority)
    expired = root.issuing(authority.common_name, valid=EXPIRED)
    good = authority.device(common_name)
    device = authority.device(another)
    return {
        "wrong common name": device,
        "no common name": authority.device(""),
        "part of the name": authority.device(common_name[:-1]),
        "name with a NUL": authority.device(f"{common_name}\0.example"),
        "wildcard": authority.device("*"),
        "foreign authority of the same name": foreign.device(common_name),
        "foreign certificate, our chain": replace(posing.device(common_name), chain=good.chain),
        "self-signed": self_signed(common_name),
        "self-signed, our chain": replace(self_signed(common_name), chain=good.chain),
        "not yet valid": authority.device(common_name, valid=FUTURE),
        "expired": authority.device(common_name, valid=EXPIRED),
        "expired authority": expired.device(common_name),
        "signed by a device": _signed_by(device, common_name),
        "server only": authority.device(common_name, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)),
        "for mail only": authority.device(common_name, purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,)),
        "cannot sign": authority.device(common_name, key_usage=usage(signature=False)),
        "chain missing": good.alone(),
        "revoked": authority.revoke(authority.device(common_name)),
        "another's first, own behind": replace(device, chain=(good.certificate, *good.chain)),
    }


def out_of_order(issued: Issued) -> Issued:
    """Give a certificate whose chain is turned round, with one that does not belong there."""
    return replace(issued, chain=(Authority.root("Nobody").issued.certificate, *reversed(issued.chain)))


def _signed_by(device: Issued, common_name: str) -> Issued:
    """Sign with the certificate of a device, which is no authority."""
    return Authority(device, Authority(device)).device(common_name)


def subject(common_name: str, *, country: str = "", organization: str = "") -> x509.Name:
    """Write a name of more parts than one."""
    parts = (
        (NameOID.COUNTRY_NAME, country),
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.COMMON_NAME, common_name),
    )
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts if text])


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, valid: Validity) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(valid.start).not_valid_after(valid.end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _authority(builder: x509.CertificateBuilder, length: int | None) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
    return builder.add_extension(usage(encipherment=False, authority=True), critical=True)


def signing_request(common_name: str, key: Key | None = None) -> bytes:
    """Make a signing request (DER), as a device does."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_named(common_name))
    return builder.sign(key or new_key(), SHA256()).public_bytes(Encoding.DER)
