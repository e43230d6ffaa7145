"""Signatures of commits with an Ed25519 key of the site, as OpenSSH and Git write them.

The form is that of OpenSSH's PROTOCOL.sshsig, so ``git log --show-signature`` checks it without gitupd.
"""

from __future__ import annotations

import base64
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)

from gitupd.errors import SiteError
from gitupd.store.durable import replacing, sync_file
from gitupd.store.signatures.ssh import BEGIN, END, MAGIC, VERSION, covered, text, texts, unarmoured

if TYPE_CHECKING:
    from pathlib import Path

_NAMESPACE, _HASH, _KIND = b"git", b"sha512", b"ssh-ed25519"
_WIDTH = 70


class SigningKey:
    """The key with which a site signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Sign with *key*."""
        self._key = key
        self._public = _public(key.public_key())

    @classmethod
    def kept(cls, path: Path, signers: Path) -> Self:
        """Return the key in the file *path*, which is made if there is none; *signers* lists it as well then.

        Raises SiteError if there is something else, or it can't be read or written.
        """
        try:
            if not path.exists():
                _create(path, signers)
            key = load_ssh_private_key(path.read_bytes(), password=None)
            if isinstance(key, Ed25519PrivateKey) and _public(key.public_key()) not in Signers.listed(signers).keys:
                _list(key, signers)  # the list was lost
        except OSError as error:
            raise SiteError(f"{path} can't be read or written: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SiteError(f"{path} is no private key in OpenSSH's form without a passphrase: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise SiteError(f"{path} is no Ed25519 key; put one there, or remove it to have a new one made")
        return cls(key)

    def sign(self, content: bytes) -> bytes:
        """Return the signature of *content*, armoured."""
        signature = text(_KIND) + text(self._key.sign(covered(content, _NAMESPACE, _HASH)))
        parts = (self._public, _NAMESPACE, b"", _HASH, signature)
        coded = base64.b64encode(MAGIC + VERSION + b"".join(map(text, parts))).decode("ascii")
        return "\n".join((BEGIN, *textwrap.wrap(coded, _WIDTH), END)).encode("ascii")


@dataclass(frozen=True, slots=True)
class Signers:
    """Those whose signatures count: their public keys, as SSH sends them."""

    keys: frozenset[bytes]

    @classmethod
    def listed(cls, path: Path) -> Signers:
        """Return the keys that the file *path* lists in the form of ``allowed_signers``, none if it is missing.

        Raises SiteError for what is no Ed25519 key.
        """
        try:
            lines = path.read_text("utf-8").splitlines() if path.exists() else []
            return cls(frozenset(_listed(line) for line in lines if line.strip() and not line.startswith("#")))
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise SiteError(f"{path} is no list of Ed25519 keys in the form of allowed_signers: {error}") from error

    def vouch(self, content: bytes, signature: bytes) -> bool:
        """Whether *signature* is one of theirs, and of *content*."""
        try:
            public, namespace, _, algorithm, signed = texts(unarmoured(signature))
            kind, raw = texts(signed)
            if public not in self.keys or (namespace, algorithm, kind) != (_NAMESPACE, _HASH, _KIND):
                return False
            Ed25519PublicKey.from_public_bytes(list(texts(public))[1]).verify(raw, covered(content, _NAMESPACE, _HASH))
        except (InvalidSignature, ValueError, IndexError):
            return False
        return True


def _create(path: Path, signers: Path) -> None:
    """Make a key; whoever is killed meanwhile has listed one too many, which harms nobody."""
    key = Ed25519PrivateKey.generate()
    _list(key, signers)
    with replacing(path) as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))


def _list(key: Ed25519PrivateKey, signers: Path) -> None:
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    with signers.open("ab") as stream:
        stream.write(f'gitupd@localhost namespaces="git" {public}\n'.encode())
        sync_file(stream)


def _listed(line: str) -> bytes:
    coded = line[line.index(_KIND.decode()) :]
    key = load_ssh_public_key(coded.encode("ascii"))
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{line!r} is no Ed25519 key")  # noqa: TRY004 - told like all other faults of the file
    return _public(key)


def _public(key: Ed25519PublicKey) -> bytes:
    return text(_KIND) + text(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
