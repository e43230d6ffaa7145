"""The server's own certificate: what a file of one says, and one that is made by itself."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gitupd.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

Certificate = x509.Certificate
ServerKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_VALID = timedelta(days=3650)
_EARLIER = timedelta(days=1)
"""So much before it was made it is valid already: the clocks of devices are not exact."""

_BITS = 2048
_LONGEST_NAME = 64  # of a common name, by X.520


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A certificate with the ``chain`` behind it, and what it says.

    That is its ``names``, until when it is valid, and its ``fingerprint`` (SHA-256).
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    names: tuple[str, ...]
    not_after: datetime
    fingerprint: str


def read_server_certificate(path: Path) -> ServerCertificate:
    """Return what is in the PEM file at *path*: the server's certificate first. Raises SiteError."""
    try:
        certificate, *chain = x509.load_pem_x509_certificates(path.read_bytes())
        names = _names(certificate)
    except OSError as error:
        raise SiteError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SiteError(f"{path}: this is no certificate in PEM") from error
    fingerprint = certificate.fingerprint(SHA256()).hex(":").upper()
    return ServerCertificate(certificate, tuple(chain), names, certificate.not_valid_after_utc, fingerprint)


def read_server_key(path: Path, certificate: ServerCertificate) -> ServerKey:
    """Return the key in the PEM file at *path*; raises SiteError if there is none, or it is that of another one."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise SiteError(f"{path}: {error.strerror}") from error
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise SiteError(f"{path}: this is no key in PEM, without a password") from error
    if not isinstance(key, ServerKey):
        raise SiteError(f"{path}: TLS needs an RSA or an elliptic curve key")
    if key.public_key() != certificate.certificate.public_key():
        raise SiteError(f"{path}: this key is that of another certificate")
    return key


def read_authorities(path: Path) -> Sequence[Certificate]:
    """Return the certificates in the PEM file at *path*; raises SiteError."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise SiteError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SiteError(f"{path}: this is no certificate in PEM") from error


def make_server_certificate(certificate: Path, key: Path, now: datetime) -> None:
    """Make a key, and a certificate that is signed with it, for all names by which this machine knows itself.

    RSA, since that is what every device understands. The key is written first, and both appear as a whole.
    """
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, socket.getfqdn()[:_LONGEST_NAME])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(_own_names()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(private.public_key()), critical=False)
    )
    signed = builder.sign(private, SHA256())
    _write(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _write(certificate, signed.public_bytes(Encoding.PEM), 0o644)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(attribute.value) for attribute in common)
    return tuple(named.get_values_for_type(x509.DNSName))


def _own_names() -> list[x509.GeneralName]:
    hosts = dict.fromkeys((socket.getfqdn(), socket.gethostname(), "localhost"))
    addresses = ("127.0.0.1", "::1")
    return [
        *(x509.DNSName(host) for host in hosts if host.isascii()),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
