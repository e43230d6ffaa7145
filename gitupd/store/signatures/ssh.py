"""Signatures as OpenSSH and Git write them (PROTOCOL.sshsig), and the certificates that may be in them.

What a signature is worth is decided elsewhere; here is what it says, and whether it is sound. Why this is not left to
``ssh-keygen``, and is held against it by tests: docs/decisions/0028-signed-commits.md.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from gitupd.core.deployments.signature import Flaw, SshCertificate, SshClaim

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
MAGIC = b"SSHSIG"
VERSION = struct.pack(">I", 1)
_LENGTH, _LONG, _TIMES = struct.Struct(">I"), struct.Struct(">Q"), struct.Struct(">QQ")
_DIGESTS = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_RSA: dict[bytes, HashAlgorithm] = {b"rsa-sha2-256": SHA256(), b"rsa-sha2-512": SHA512()}
_LEAST_RSA_BITS = 2048
_CURVES: dict[bytes, tuple[ec.EllipticCurve, HashAlgorithm]] = {
    b"nistp256": (ec.SECP256R1(), SHA256()),
    b"nistp384": (ec.SECP384R1(), SHA384()),
    b"nistp521": (ec.SECP521R1(), SHA512()),
}
_CERTIFIED = b"-cert-v01@openssh.com"
_ON_TOKEN = b"@openssh.com"
_PARTS = {b"ssh-ed25519": 1, b"ssh-rsa": 2, b"sk-ssh-ed25519": 2, b"sk-ecdsa-sha2-nistp256": 3}
_OF_CURVE = 2
_LONGEST_NAME = 40
_OF_USERS = 1
_FOR_EVER = 2**64 - 1


class Unsound(Exception):
    """A signature that is damaged, or not by the key that it names: ``flaw`` says which, the text more of it."""

    def __init__(self, flaw: Flaw, detail: str = "") -> None:
        """Have *flaw*, of which *detail* says more."""
        super().__init__(detail)
        self.flaw = flaw


class TooWeak(Exception):
    """A signature whose algorithm, or key, nobody relies on any more; the text names it."""


@dataclass(frozen=True, slots=True)
class SshSignature:
    """What a signature says: made with ``key``, for a ``namespace``, of a text's ``digest`` by that algorithm.

    ``key`` and ``value`` are as SSH sends them; ``key`` may be a certificate.
    """

    key: bytes
    namespace: bytes
    digest: bytes
    value: bytes

    @classmethod
    def parse(cls, armoured: bytes) -> SshSignature:
        """Return what the signature *armoured* says; raises Unsound."""
        try:
            blob = unarmoured(armoured)
            key, namespace, _, digest, value = texts(blob)
        except ValueError as error:
            raise Unsound(Flaw.DAMAGED) from error
        return cls(key, namespace, digest, value)

    def claim(self) -> SshClaim:
        """Return what is claimed: nothing of it has been checked yet. Raises Unsound."""
        certificate = _certificate(self.key)
        namespace = self.namespace.decode(errors="replace")
        if certificate is None:
            return SshClaim(self.key, namespace)
        return SshClaim(certificate.key, namespace, certificate.said)

    def check(self, content: bytes) -> None:
        """Raise Unsound unless this signs *content*, and the authority its certificate; TooWeak if that is no proof."""
        if self.digest not in _DIGESTS:
            raise TooWeak(f"its hash is {self.digest[:_LONGEST_NAME].decode(errors='replace')}")
        certificate = _certificate(self.key)
        if certificate is not None:
            _verify(certificate.said.authority, certificate.signature, certificate.signed)
        key = self.key if certificate is None else certificate.key
        _verify(key, self.value, covered(content, self.namespace, self.digest))


class _Certificate(NamedTuple):
    """A certificate for ``key``: what it says, and the ``signature`` of the part of it that is ``signed``."""

    key: bytes
    said: SshCertificate
    signature: bytes
    signed: bytes


def covered(content: bytes, namespace: bytes, digest: bytes) -> bytes:
    """Return what is signed in the place of *content*."""
    parts = (namespace, b"", digest, _DIGESTS[digest](content).digest())
    return MAGIC + b"".join(map(text, parts))


def unarmoured(signature: bytes) -> bytes:
    """Return what is in an armoured *signature*, behind magic and version; raises ValueError."""
    lines = signature.decode("ascii").split()
    begin, end = BEGIN.split(), END.split()
    if lines[: len(begin)] != begin or lines[-len(end) :] != end:
        raise ValueError("no signature of OpenSSH")
    blob = base64.b64decode("".join(lines[len(begin) : -len(end)]), validate=True)
    if not blob.startswith(MAGIC + VERSION):
        raise ValueError("no signature of OpenSSH")
    return blob[len(MAGIC + VERSION) :]


def text(content: bytes) -> bytes:
    """Return *content* as SSH sends it, behind its length."""
    return _LENGTH.pack(len(content)) + content


def texts(blob: bytes) -> Iterator[bytes]:
    """Yield the texts of which *blob* consists; raises ValueError if it is cut off."""
    while blob:
        part, blob = _first(blob)
        yield part


def _first(blob: bytes) -> tuple[bytes, bytes]:
    """Return the text that *blob* begins with, and what comes behind it; raises ValueError if it is cut off."""
    if len(blob) < _LENGTH.size or len(blob) < _LENGTH.size + _LENGTH.unpack_from(blob)[0]:
        raise ValueError("a signature is cut off")
    end = _LENGTH.size + _LENGTH.unpack_from(blob)[0]
    return blob[_LENGTH.size : end], blob[end:]


def _certificate(key: bytes) -> _Certificate | None:
    """Return the certificate that *key* is, None if it is a plain key (PROTOCOL.certkeys); raises Unsound."""
    try:
        kind, rest = _first(key)
        return _read_certificate(kind.removesuffix(_CERTIFIED), key, rest) if kind.endswith(_CERTIFIED) else None
    except (ValueError, struct.error) as error:
        raise Unsound(Flaw.DAMAGED, "in its certificate") from error


def _read_certificate(kind: bytes, whole: bytes, rest: bytes) -> _Certificate:
    """Return the certificate *whole*, of which *rest* is what comes behind the name of its kind."""
    _, rest = _first(rest)  # a nonce
    numbers = []
    for _ in range(_PARTS.get(kind, _OF_CURVE)):
        number, rest = _first(rest)
        numbers.append(number)
    plain = kind + _ON_TOKEN if kind.startswith(b"sk-") else kind
    (holder,) = _LENGTH.unpack_from(rest, _LONG.size)  # behind a number
    _, rest = _first(rest[_LONG.size + _LENGTH.size :])  # what people call it
    names, rest = _first(rest)
    after, before = _TIMES.unpack_from(rest)
    critical, rest = _first(rest[_TIMES.size :])
    _, rest = _first(rest)  # what it permits at a log-in
    _, rest = _first(rest)
    authority, rest = _first(rest)
    signature, nothing = _first(rest)
    if nothing or holder != _OF_USERS or critical:
        raise Unsound(Flaw.NO_SIGNER, "its certificate is one of hosts, or has critical options")
    principals = tuple(name.decode(errors="replace") for name in texts(names))
    said = SshCertificate(authority, principals, _time(after), None if before == _FOR_EVER else _time(before))
    return _Certificate(b"".join(map(text, (plain, *numbers))), said, signature, whole[: len(whole) - len(rest)])


def _time(seconds: int) -> datetime:
    """Return when *seconds* since 1970 are, or the end of time."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def _verify(key: bytes, signature: bytes, data: bytes) -> None:
    """Raise Unsound unless *signature* is one of *data* by *key*; both are as SSH sends them. Raises TooWeak, too."""
    try:
        kind, *parts = texts(key)
        named, rest = _first(signature)
        value, rest = _first(rest)
        on_token = kind.startswith(b"sk-")
        if on_token:
            # What a token signs is about where the key is used, whether somebody touched it, and how often.
            data = hashlib.sha256(parts.pop()).digest() + rest + hashlib.sha256(data).digest()
        if kind not in (named, b"ssh-rsa") or len(rest) != on_token * (1 + _LENGTH.size):
            raise Unsound(Flaw.DAMAGED)
        _verify_plainly(kind, parts, named, value, data)
    except InvalidSignature as error:
        raise Unsound(Flaw.OTHER_CONTENT) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unsound(Flaw.DAMAGED, "in its key, or of a kind that is not known") from error


def _verify_plainly(kind: bytes, parts: list[bytes], named: bytes, value: bytes, data: bytes) -> None:
    """Raise InvalidSignature unless *value* is a signature of *data*, ValueError if the key is damaged, TooWeak."""
    if kind.removeprefix(b"sk-").startswith(b"ssh-ed25519"):
        (point,) = parts
        ed25519.Ed25519PublicKey.from_public_bytes(point).verify(value, data)
    elif kind == b"ssh-rsa":
        exponent, modulus = (int.from_bytes(part) for part in parts)
        if named not in _RSA or modulus.bit_length() < _LEAST_RSA_BITS:
            raise TooWeak(f"{named.decode('ascii', 'replace')[:_LONGEST_NAME]}, {modulus.bit_length()} bits")
        rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(value, data, padding.PKCS1v15(), _RSA[named])
    else:
        name, point = parts
        if name not in _CURVES or kind.removeprefix(b"sk-").removesuffix(_ON_TOKEN) != b"ecdsa-sha2-" + name:
            raise ValueError("no curve that is known")
        curve, digest = _CURVES[name]
        first, second = (int.from_bytes(part) for part in texts(value))
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
        public.verify(encode_dss_signature(first, second), data, ec.ECDSA(digest))
