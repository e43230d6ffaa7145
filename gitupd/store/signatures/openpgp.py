"""Signatures of OpenPGP, held against public keys that are given: no keyring of an account, no agent, no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pysequoia import Cert, Sig, verify
from pysequoia.packet import HashAlgorithm, PacketPile, SignatureType, Tag

from gitupd.core.deployments.signature import Discounted, Flaw, SignedBy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BEGIN, END = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"
_KEYS = (Tag.PublicKey, Tag.PublicSubkey)
_REVOCATIONS = (SignatureType.KeyRevocation, SignatureType.SubkeyRevocation)
_WEAK = (HashAlgorithm.MD5, HashAlgorithm.SHA1, HashAlgorithm.RipeMD)
_LONGEST_NAME = 100
_Result = TypeVar("_Result")
TOLERANCE = timedelta(days=1)
"""How far the clock of whoever signs may be in front of ours."""


class UnreadableKey(Exception):
    """What is no OpenPGP public key; the text says what it is instead."""


@dataclass(frozen=True, slots=True)
class OpenPgpKey:
    """A key, or a subkey of it, that may have signed: when it was made, and until when it is good, None for ever.

    ``certificate`` is what it belongs to, ``name`` its first user.
    """

    fingerprint: str
    name: str
    certificate: Cert
    made: datetime
    expires: datetime | None
    revoked: bool


class OpenPgpKeys:
    """The public keys in some files; what can't be read lets nobody sign."""

    def __init__(self, contents: Iterable[bytes]) -> None:
        """Take the keys in *contents*, each of which may hold several, armoured or not."""
        merged: dict[str, Cert] = {}
        for content in contents:
            for certificate in _readable(content):
                known = merged.get(certificate.fingerprint)
                merged[certificate.fingerprint] = certificate if known is None else known.merge(certificate)
        self._keys: dict[str, OpenPgpKey] = {}
        for certificate in merged.values():
            for key, short in _keys(certificate):
                self._keys[key.fingerprint] = key
                self._keys.setdefault(short, key)

    def judge(self, signature: bytes, content: bytes, now: datetime) -> SignedBy | Discounted:
        """Return what *signature*, which is armoured, is worth as one of *content*."""
        sig = _only_one(signature)
        if sig is None:
            return Discounted(Flaw.DAMAGED)
        named = sig.issuer_fingerprint or sig.issuer_key_id or ""
        key = self._keys.get(named)
        if key is None:
            return Discounted(Flaw.UNKNOWN_KEY, "", named.upper())
        made = sig.created or datetime.fromtimestamp(0, UTC)
        flaw = _untimely(key, made, now)
        if flaw is None and sig.signature_type != SignatureType.Binary:
            flaw = Flaw.OTHER_CONTENT
        if flaw is None and not _is_sound(sig, key.certificate, content):
            flaw = Flaw.WEAK if sig.hash_algorithm in _WEAK else Flaw.OTHER_CONTENT
        fingerprint = key.fingerprint.upper()
        return SignedBy(key.name, fingerprint) if flaw is None else Discounted(flaw, key.name, fingerprint)


def openpgp_keys(content: bytes) -> list[OpenPgpKey]:
    """Return the primary keys in *content*, in their order; raises UnreadableKey."""
    certificates = _attempt(lambda: Cert.split_bytes(content))
    if not certificates:
        raise UnreadableKey("it is damaged, or none at all")
    if any(packet.tag in (Tag.SecretKey, Tag.SecretSubkey) for packet in _packets(content)):
        raise UnreadableKey("it is a secret key, which everybody gets who may read the configuration")
    return [next(key for key, _ in _keys(certificate)) for certificate in certificates]


def _readable(content: bytes) -> list[Cert]:
    return _attempt(lambda: Cert.split_bytes(content)) or []


def _packets(content: bytes) -> list[Any]:
    return _attempt(lambda: list(PacketPile.from_bytes(content))) or []


def _only_one(signature: bytes) -> Sig | None:
    """Return the one signature that is in an armoured *signature*, None if it is damaged or there are several."""
    lines = signature.strip().split(b"\n")
    is_armoured = lines[0].strip() == BEGIN and lines[-1].strip() == END and signature.count(b"-----BEGIN") == 1
    if not is_armoured or len(_packets(signature)) != 1:
        return None
    return _attempt(lambda: Sig.from_bytes(signature))


def _keys(certificate: Cert) -> Iterator[tuple[OpenPgpKey, str]]:
    """Yield the key of *certificate* and its subkeys, each with the short name by which old signatures go."""
    users = certificate.user_ids
    name = str(users[0])[:_LONGEST_NAME] if users else certificate.fingerprint.upper()
    packets = _packets(bytes(certificate))
    places = [place for place, packet in enumerate(packets) if packet.tag in _KEYS]
    for place, end in zip(places, [*places[1:], len(packets)], strict=True):
        packet, said = packets[place], [each for each in packets[place + 1 : end] if each.tag == Tag.Signature]
        made, is_primary = packet.key_created, packet.tag == Tag.PublicKey
        revoked = certificate.is_revoked or any(each.signature_type in _REVOCATIONS for each in said if not is_primary)
        expires = [certificate.expiration, None if is_primary else _expiry(made, said)]
        known = [each for each in expires if each is not None]
        key = OpenPgpKey(packet.fingerprint, name, certificate, made, min(known, default=None), revoked)
        yield key, packet.key_id


def _expiry(made: datetime, said: Iterable[Any]) -> datetime | None:
    """Return until when a subkey is good by the latest of the bindings that are *said* of it."""
    bindings = [each for each in said if each.signature_type == SignatureType.SubkeyBinding and each.signature_created]
    latest = max(bindings, key=lambda each: each.signature_created, default=None)
    period: timedelta | None = None if latest is None else latest.key_validity_period
    return made + period if period else None


def _untimely(key: OpenPgpKey, at: datetime, now: datetime) -> Flaw | None:
    # Sequoia judges by the time of the signature, and a key that was given up may have been good then; but whoever has
    # it can date a signature back.
    if key.revoked:
        return Flaw.REVOKED
    if at < key.made:
        return Flaw.NOT_YET_VALID
    if key.expires is not None and at > key.expires:
        return Flaw.EXPIRED
    return Flaw.FUTURE if at > now + TOLERANCE else None


def _is_sound(sig: Sig, certificate: Cert, content: bytes) -> bool:
    found = _attempt(lambda: verify(bytes=content, store=lambda _: [certificate], signature=sig))
    return found is not None and len(found.valid_sigs) == 1


def _attempt(call: Callable[[], _Result]) -> _Result | None:
    """Return what *call* returns, None if the library does not take what it is given.

    Its errors are of the most general kinds; that of a defect in it is not even an Exception.
    """
    try:
        return call()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - see above
        return None
