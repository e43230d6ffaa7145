"""Certificates that devices leave the factory with, and others that they should not have.

The authority of the factory is given in files, or made up. Certificates are made when a device first needs one. Each
has an ECDSA key of its own, which takes no time to make; RSA keys take long, so all devices share one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.signing import SERVER_AND_CLIENT, USAGE, KeyRing, Secret

AUTHORITY = "innovaphone Device Certification Authority"
NEXT = 1
FACTORY_KEY = 2048

SIGNING = x509.KeyUsage(
    digital_signature=False,
    key_encipherment=False,
    content_commitment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate is valid."""

    start: datetime
    end: datetime


LONG = Validity(datetime(2012, 1, 1, tzinfo=UTC), datetime(2041, 12, 31, tzinfo=UTC))
DAY = timedelta(days=1)
TEN_YEARS = 3652 * DAY
OVER = Validity(datetime(2012, 1, 1, tzinfo=UTC), datetime(2019, 12, 31, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody proves with who he is: his certificate, those above it, and the key."""

    chain: tuple[x509.Certificate, ...]
    """His own first."""
    secret: Secret

    @property
    def pem(self) -> bytes:
        """Key and chain, as OpenSSL reads them from one file."""
        key = self.secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain)


def certify(authority: Credential, name: str, secret: Secret, validity: Validity = LONG) -> Credential:
    """Sign the certificate of a device; the chain of the authority stands above it."""
    issuer = authority.chain[0].subject
    builder = _builder(name, issuer, secret, validity).add_extension(USAGE, critical=True)
    builder = builder.add_extension(SERVER_AND_CLIENT, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    parent = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.secret.public_key())
    builder = builder.add_extension(parent, critical=False)
    return Credential((builder.sign(authority.secret, SHA256()), *authority.chain), secret)


def new_authority() -> Credential:
    """Make up an authority named like the manufacturer's."""
    secret = generate_ec_key(SECP256R1())
    builder = _builder(AUTHORITY, _named(AUTHORITY), secret, LONG)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(SIGNING, critical=True)
    return Credential((builder.sign(secret, SHA256()),), secret)


def read_authority(certificate: Path, key: Path) -> Credential:
    """Read an authority's certificate, with those above it behind it, and its key.

    Where there is neither, one is made up and written there. Raises ValueError if it can't be had.
    """
    if not certificate.exists() and not key.exists():
        try:
            _write(new_authority(), certificate, key)
        except OSError as fault:
            raise ValueError(f"no authority can be written into {certificate} and {key}: {fault}") from fault
    return read_credential(certificate, key)


def read_credential(certificate: Path, key: Path) -> Credential:
    """Read a certificate, with those above it behind it, and its key; raises ValueError if that is not possible."""
    try:
        secret = load_pem_private_key(key.read_bytes(), None)
        chain = tuple(x509.load_pem_x509_certificates(certificate.read_bytes()))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise ValueError(f"{certificate} and {key} can't be read as a certificate and its key: {fault}") from fault
    if not isinstance(secret, Secret) or chain[0].public_key() != secret.public_key():
        raise ValueError(f"{key} is not the key of {certificate}, or neither RSA nor ECDSA")
    return Credential(chain, secret)


def _write(credential: Credential, certificate: Path, key: Path) -> None:
    """Write into new files; the key is readable for its owner only."""
    secret, begin, rest = credential.pem.partition(b"-----BEGIN CERTIFICATE")
    for path, content, mode in ((key, secret, 0o600), (certificate, begin + rest, 0o644)):
        path.touch(mode, exist_ok=False)
        path.write_bytes(content)


@dataclass(frozen=True)
class Factory:
    """Where the devices of a fleet have their certificates from."""

    authority: Credential | None = None
    """None: one that is made up."""
    folder: Path | None = None
    """Where certificates and keys of devices lie, as NAME.pem and NAME.key; those that have none there show none."""
    serial_names: bool = False
    """The common name is the serial number without dashes, and not the hardware id."""
    rsa: bool = False
    until: datetime | None = None
    """When the certificates that it makes end; None: in many years."""
    keys: KeyRing = field(default_factory=KeyRing)

    @cached_property
    def _own(self) -> Credential:
        return self.authority or new_authority()

    @cached_property
    def _foreign(self) -> Credential:
        return new_authority()

    def common_name(self, kind: str, mac: bytes, misbehaviours: frozenset[Misbehaviour]) -> str:
        """Give what stands in the certificate of a device of a type."""
        if Misbehaviour.BORROWED_CERTIFICATE in misbehaviours:
            mac = ((int.from_bytes(mac, "big") + NEXT) % (1 << 8 * len(mac))).to_bytes(len(mac), "big")
        if self.serial_names:
            return mac.hex()
        if Misbehaviour.OLD_CERTIFICATE_NAME in misbehaviours:
            kind += "a" if kind.upper() in ("IP200", "IP240") else "s"
        return f"{kind}-{mac[3:].hex('-')}"

    def credential(
        self, name: str, misbehaviours: frozenset[Misbehaviour], now: datetime | None = None
    ) -> Credential | None:
        """Make or read what a device of that name shows; None: nothing. Raises ValueError if it can't be read.

        What it makes itself is dated as its own clock says, which is *now*.
        """
        if Misbehaviour.NO_CERTIFICATE in misbehaviours:
            return None
        if Misbehaviour.SELF_MADE_CERTIFICATE in misbehaviours:
            return _self_made(name, self._secret(), now)
        if Misbehaviour.FOREIGN_CERTIFICATE in misbehaviours:
            return certify(self._foreign, name, self._secret())
        if Misbehaviour.EXPIRED_CERTIFICATE in misbehaviours:
            return certify(self._own, name, self._secret(), OVER)
        if self.folder is not None:
            return _read(self.folder, name)
        valid = LONG if self.until is None else Validity(LONG.start, self.until)
        return certify(self._own, name, self._secret(), valid)

    def _secret(self) -> Secret:
        return self.keys.key(FACTORY_KEY).secret if self.rsa else generate_ec_key(SECP256R1())


def _read(folder: Path, name: str) -> Credential | None:
    certificate = folder / f"{name}.pem"
    return read_credential(certificate, certificate.with_suffix(".key")) if certificate.exists() else None


def _self_made(name: str, secret: Secret, now: datetime | None) -> Credential:
    valid = LONG if now is None else Validity(now - DAY, now + TEN_YEARS)
    return Credential((_builder(name, _named(name), secret, valid).sign(secret, SHA256()),), secret)


def _builder(name: str, issuer: x509.Name, secret: Secret, validity: Validity) -> x509.CertificateBuilder:
    public = secret.public_key()
    builder = x509.CertificateBuilder().subject_name(_named(name)).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(validity.start).not_valid_after(validity.end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def read_chain(blobs: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Read certificates from DER without checking their signatures; raises ValueError if one is none."""
    return tuple(x509.load_der_x509_certificate(blob) for blob in blobs)
