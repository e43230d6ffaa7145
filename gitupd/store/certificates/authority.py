"""The site's own authority: a folder of certificates and encrypted keys, one below it for each that there was.

    authority/passphrase       what the issuing keys are encrypted with; readable by nobody else
    authority/1/issuing.pem    who signs for devices, and its key
    authority/1/issuing.key
    authority/1/chain.pem      who is above it, the nearest first
    authority/1/root.key       the key of the root, if it was made here; nothing needs it but another issuing authority

Of those below the one with the highest number signs. Those before it are kept: their lists of revoked certificates go
on (docs/decisions/0020-own-authority.md).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from gitupd.core.people.audit import Kind
from gitupd.errors import SiteError
from gitupd.store.certificates.deeds import Deeds
from gitupd.store.certificates.making import AuthorityKey, Issuer
from gitupd.store.certificates.reading import UNREADABLE, UnreadableCertificate, read
from gitupd.store.durable import create

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.certificates.reading import CertificateReading
    from gitupd.store.database import Database

_CERTIFICATE, _KEY, _CHAIN, _ROOT_KEY = "issuing.pem", "issuing.key", "chain.pem", "root.key"
_LARGEST = 256 * 1024
_MOST = 1_000  # authorities one after the other


@dataclass(frozen=True)
class OwnAuthority:
    """An authority of the site: its ``number``, the certificate of who signs, and those ``above`` it.

    ``has_root_key`` is whether the key of the root lies beside it.
    """

    number: int
    reading: CertificateReading
    above: tuple[CertificateReading, ...] = ()
    has_root_key: bool = field(default=False)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """What goes along with a certificate that it has signed, in DER: its own first."""
        return (self.reading.der, *(each.der for each in self.above))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The common names of all that issue here, the nearest first: what a policy has among its authorities."""
        line = (self.reading, *self.above)
        issuers = (each.certificate.issuer or "" for each in line)
        return tuple(dict.fromkeys(filter(None, (self.reading.certificate.common_name or "", *issuers))))


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """An authority that is to be kept: who signs, who is above it, and the key of the root, if that is known.

    ``root_passphrase`` is what that is encrypted with.
    """

    issuer: Issuer
    above: tuple[x509.Certificate, ...]
    root_key: AuthorityKey | None = field(default=None, repr=False)
    root_passphrase: str = field(default="", repr=False)


class AuthorityFolder:
    """The folder of a site's own authorities."""

    def __init__(self, path: Path, database: Database, passphrase: Path) -> None:
        """Keep them in the folder *path*, with keys encrypted by what stands in the file *passphrase*."""
        self.path, self._passphrase = path, passphrase
        self._deeds = Deeds(path, database, added=Kind.AUTHORITY_ADD, removed=Kind.AUTHORITY_ADD)
        self._last: tuple[object, tuple[OwnAuthority, ...]] = (None, ())
        self._keys: dict[bytes, AuthorityKey] = {}

    def claimed(self) -> AbstractContextManager[None]:
        """Keep everybody else from changing the folder while the block runs; raises SiteError."""
        return self._deeds.claimed()

    def settle(self) -> None:
        """Finish what somebody was killed at, or take it back; raises SiteError."""
        self._deeds.settle()

    def all(self) -> tuple[OwnAuthority, ...]:
        """Return all that there were, the one that signs last; raises SiteError if one can't be read."""
        folders = sorted(self._numbered(), key=lambda folder: int(folder.name))
        state = tuple((folder.name, folder.stat().st_mtime_ns) for folder in folders)
        if state != self._last[0]:
            self._last = state, tuple(_read(folder) for folder in folders)
        return self._last[1]

    def current(self) -> OwnAuthority | None:
        """Return the one that signs, None if the site has none; raises SiteError if it can't be read."""
        known = self.all()
        return known[-1] if known else None

    def issuer(self, authority: OwnAuthority) -> Issuer:
        """Return *authority* with its key; raises SiteError if that can't be used. Keys are read once."""
        key = self._keys.get(authority.reading.der)
        if key is None:
            path = self.path / str(authority.number) / _KEY
            key = read_key(_bytes(path), self.passphrase(), str(path))
            if key.public_key() != authority.reading.parsed.public_key():
                raise SiteError(f"{path} is the key of another certificate than {_CERTIFICATE} beside it")
            self._keys[authority.reading.der] = key
        return Issuer(authority.reading.parsed, key)

    def root(self, authority: OwnAuthority, passphrase: str, content: bytes | None = None) -> Issuer:
        """Return the root above *authority* with its key: that in *content*, None for the one that is kept here.

        Raises SiteError if there is none, or it can't be used.
        """
        if content is None:
            with_key = [each.number for each in self.all() if each.has_root_key]
            if not with_key:
                raise SiteError(f"{_ROOT_KEY} is not in {self.path} any more; say where it is: --root-key")
            content = _bytes(self.path / str(with_key[-1]) / _ROOT_KEY)
        key = read_key(content, passphrase, "the root's key")
        for each in (authority.reading, *authority.above):
            if each.parsed.public_key() == key.public_key():
                return Issuer(each.parsed, key)
        raise SiteError("the root's key is that of another authority")

    def passphrase(self) -> str:
        """Return what the issuing keys are encrypted with; raises SiteError if it can't be read, or others may."""
        content = _bytes(self._passphrase).strip()
        if not content:
            raise SiteError(f"{self._passphrase} is empty; the passphrase of the authority's key belongs there")
        if self._passphrase.stat().st_mode & 0o007:
            raise SiteError(f"{self._passphrase} can be read by everybody; chmod 600 {self._passphrase}")
        return content.decode(errors="replace")

    def make_passphrase(self) -> None:
        """Make the file of the passphrase, of chance, if it is not there; raises SiteError."""
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            if not self._passphrase.exists():
                create(self._passphrase, f"{secrets.token_urlsafe(24)}\n".encode())
        except OSError as error:
            raise SiteError(f"can't write {self._passphrase}: {error.strerror}") from error

    def lay_aside(self, connection: Connection, made: NewAuthority, event: Event) -> Path:
        """Write a new authority within a transaction; :meth:`put` it once that has ended. For whoever has claimed."""
        number = max((each.number for each in self.all()), default=0) + 1
        if number > _MOST:
            raise SiteError(f"there were {_MOST} authorities here already")
        files = {
            _CERTIFICATE: made.issuer.certificate.public_bytes(Encoding.PEM),
            _KEY: _encrypted(made.issuer.key, self.passphrase()),
            _CHAIN: b"".join(each.public_bytes(Encoding.PEM) for each in made.above),
        }
        if made.root_key is not None:
            files[_ROOT_KEY] = _encrypted(made.root_key, made.root_passphrase)
        return self._deeds.lay_aside(connection, str(number), files, event)

    def put(self, aside: Path) -> None:
        """Give what was laid *aside* its name."""
        self._deeds.put(aside)

    def _numbered(self) -> Iterator[Path]:
        try:
            yield from (path for path in self.path.iterdir() if path.name.isdecimal() and path.name.isascii())
        except FileNotFoundError:
            return
        except OSError as error:
            raise SiteError(f"can't read {self.path}: {error.strerror}") from error


def read_key(content: bytes, passphrase: str | None, place: str) -> AuthorityKey:
    """Return the private key in *content*, PEM or DER; raises SiteError, which names *place*, if it can't be used.

    A *passphrase* for a key that is not encrypted is not needed, and no fault.
    """
    secret = passphrase.encode() if passphrase else None
    for password in dict.fromkeys((secret, None)):
        for load in (load_pem_private_key, load_der_private_key):
            try:
                key = load(content, password, unsafe_skip_rsa_key_validation=True)  # it is held against its certificate
            except (ValueError, TypeError, UnsupportedAlgorithm):
                continue
            if isinstance(key, AuthorityKey):
                return key
            raise SiteError(f"{place} is neither an RSA nor an elliptic curve key")
    needed = "with this passphrase" if secret else "without a passphrase"
    raise SiteError(f"{place} is no private key that can be read {needed}")


def read_above(certificates: Sequence[x509.Certificate]) -> tuple[CertificateReading, ...]:
    """Return *certificates* as they are read everywhere else; raises SiteError for one that is odd."""
    try:
        return tuple(read(each.public_bytes(Encoding.DER)) for each in certificates)
    except UnreadableCertificate as error:
        raise SiteError(f"a certificate {error}") from error


def _read(folder: Path) -> OwnAuthority:
    try:
        (own,) = x509.load_pem_x509_certificates(_bytes(folder / _CERTIFICATE))
        content = _bytes(folder / _CHAIN)
        above = x509.load_pem_x509_certificates(content) if content.strip() else []
    except UNREADABLE as error:
        raise SiteError(f"{folder} holds no authority that can be read: {error}") from error
    (reading,) = read_above([own])
    return OwnAuthority(int(folder.name), reading, read_above(above), (folder / _ROOT_KEY).exists())


def _encrypted(key: AuthorityKey, passphrase: str) -> bytes:
    encryption = BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise SiteError(f"can't read {path}: {error.strerror}") from error
