"""Passwords and keys: made, hashed, and compared."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gitupd.core.people.person import LONGEST_PASSWORD

KEY_PREFIX = "gitupd_"
"""Every token starts so, that those who look for leaked keys know it."""

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is taken for another
_HASHER = PasswordHasher()
_SLOTS = threading.BoundedSemaphore(2)  # each hash takes 64 MiB while it is made
_PATIENCE_SECONDS = 5.0


def generated_password() -> str:
    """Return a password of 100 bits that can be read out and typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def generated_key() -> str:
    """Return a key of 256 bits."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """Return the hash by which a key is kept; it needs no salt and no work, because nobody can guess 256 bits."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def hashed(password: str) -> str:
    """Return the hash by which *password* is kept."""
    with _SLOTS:
        return _HASHER.hash(_bytes(password))


def matches(password: str, password_hash: str | None) -> bool | None:
    """Whether *password* is the one of *password_hash*, None if so many are being compared that there is no time.

    It takes as long for None, nobody's password, as for somebody's.
    """
    if not _SLOTS.acquire(timeout=_PATIENCE_SECONDS):
        return None
    try:
        _HASHER.verify(password_hash or _NOBODY, _bytes(password[:LONGEST_PASSWORD]))
    except (Argon2Error, InvalidHashError):
        return False
    else:
        return password_hash is not None and len(password) <= LONGEST_PASSWORD
    finally:
        _SLOTS.release()


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than are used now."""
    return _HASHER.check_needs_rehash(password_hash)


def _bytes(password: str) -> bytes:
    """Return what is hashed: the same bytes, however a keyboard puts letters and their accents together."""
    return unicodedata.normalize("NFC", password).encode(errors="replace")


def _nobody() -> str:
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (_HASHER.salt_len, _HASHER.hash_len)
    )
    parameters = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${parameters}${salt}${digest}"


_NOBODY = _nobody()
