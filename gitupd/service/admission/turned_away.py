"""Who was turned away lately, as far as a bounded memory can tell: so that one sees who calls again."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BITS = 2**22
_MOST = _BITS // 8  # more, and too many would be taken for others
_SECONDS = 3600.0
_HASHES = 4


class TurnedAway:
    """Remembers serial numbers for an hour, two at the most, in a megabyte however many they are.

    It is a pair of Bloom filters: it forgets nobody within that time, and takes one in some hundreds for somebody else.
    With more than half a million within an hour, the earlier ones are forgotten sooner.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        """Remember nobody yet; *steady* tells seconds since any moment."""
        self._steady = steady
        self._now, self._before = bytearray(_BITS // 8), bytearray(_BITS // 8)
        self._since, self._count = steady(), 0

    def add(self, serial: str) -> None:
        """Remember *serial*."""
        self._turn()
        self._count += 1
        for bit in _bits(serial):
            self._now[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, serial: str) -> bool:
        """Whether *serial* was turned away lately; may be mistaken."""
        self._turn()
        bits = _bits(serial)
        return any(all(marks[bit >> 3] & 1 << (bit & 7) for bit in bits) for marks in (self._now, self._before))

    def _turn(self) -> None:
        """Begin a new hour if the last is over."""
        if self._steady() - self._since >= _SECONDS or self._count >= _MOST:
            self._before, self._now = self._now, bytearray(_BITS // 8)
            self._since, self._count = self._steady(), 0


def _bits(serial: str) -> list[int]:
    digest = hashlib.blake2b(serial.encode(), digest_size=4 * _HASHES).digest()
    return [int.from_bytes(digest[at : at + 4], "big") % _BITS for at in range(0, 4 * _HASHES, 4)]
