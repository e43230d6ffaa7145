"""Certificates that stand between a device's and its authority, for sessions that are resumed.

A ticket holds the certificate of the client, and not those above it. A fleet has few of these, so they are remembered
by the issuer of what is below, in memory that the supervisor makes before it forks: any worker may be asked next. Only
what leads to an authority of the site is remembered, so a stranger can't push anything out.
"""

from __future__ import annotations

import mmap
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOTS = 256
SLOT_BYTES = 8192
_DIGEST = 32
_LENGTH = 2
_MOST = SLOT_BYTES - 2 * _DIGEST - _LENGTH
_TRIES = 8
_LATELY = 256


class SharedChains:
    """A table of chains by issuer. Nobody waits: what is half written, or overwritten, counts as not there."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOTS * SLOT_BYTES)
        self._known: set[tuple[bytes, ...]] = set()
        self._asked = 0

    def is_known(self, chain: tuple[bytes, ...]) -> bool:
        """Return whether this process has remembered *chain* lately: most devices show the same."""
        self._asked += 1
        if self._asked % _LATELY == 0:
            self._known.clear()
        return chain in self._known

    def remember(self, issuer: bytes, chain: Sequence[bytes]) -> None:
        """Note that above what *issuer*, a name in DER, has signed there is *chain*, the nearest first."""
        content = b"".join(len(each).to_bytes(_LENGTH) + each for each in chain)
        if not chain or len(content) > _MOST:
            return
        self._known.add(tuple(chain))
        if self.above(issuer) == tuple(chain):
            return
        key = sha256(issuer).digest()
        places = list(self._places(key))
        place = next((start for start in places if self._key_at(start) in (key, bytes(_DIGEST))), places[0])
        entry = key + len(content).to_bytes(_LENGTH) + content
        self._memory[place : place + len(entry) + _DIGEST] = entry + sha256(entry).digest()

    def above(self, issuer: bytes) -> tuple[bytes, ...]:
        """Return what was noted for *issuer*, the nearest first; nothing if that is not known, or not any more."""
        key = sha256(issuer).digest()
        for start in self._places(key):
            if self._key_at(start) == key:
                return _parts(self._memory[start : start + SLOT_BYTES])
        return ()

    def _key_at(self, start: int) -> bytes:
        return self._memory[start : start + _DIGEST]

    def _places(self, key: bytes) -> islice[int]:
        first = int.from_bytes(key[:4])
        return islice((((first + number) % SLOTS) * SLOT_BYTES for number in range(SLOTS)), _TRIES)


def _parts(slot: bytes) -> tuple[bytes, ...]:
    end = _DIGEST + _LENGTH + int.from_bytes(slot[_DIGEST : _DIGEST + _LENGTH])
    if sha256(slot[:end]).digest() != slot[end : end + _DIGEST]:
        return ()
    parts: list[bytes] = []
    content = slot[_DIGEST + _LENGTH : end]
    while content:
        size = int.from_bytes(content[:_LENGTH])
        parts.append(content[_LENGTH : _LENGTH + size])
        content = content[_LENGTH + size :]
    return tuple(parts)
