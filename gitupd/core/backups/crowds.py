"""Crowds of devices as integers, with a bit for the number of each: united, cut and counted as a whole."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LISTED, _BITS = b"\0", b"\1"
_OF_A_NUMBER = 4  # bytes


def crowd(numbers: Iterable[int]) -> int:
    """Return the crowd of *numbers*, which are not negative."""
    numbers = list(numbers)
    bits = bytearray(max(numbers, default=0) // 8 + 1)
    for number in numbers:
        bits[number // 8] |= 1 << number % 8
    return int.from_bytes(bits, "little")


def numbers_in(members: int) -> Iterator[int]:
    """Yield the numbers in a crowd, ascending."""
    for place, byte in enumerate(members.to_bytes((members.bit_length() + 7) // 8, "little")):
        if byte:
            yield from (place * 8 + bit for bit in range(8) if byte >> bit & 1)


def packed_crowd(members: int) -> bytes:
    """Return a crowd as few bytes: its numbers one by one, below 2**32, or all bits, whatever is shorter."""
    size = (members.bit_length() + 7) // 8
    count = members.bit_count()
    if count * _OF_A_NUMBER < size:
        return _LISTED + struct.pack(f"<{count}I", *numbers_in(members))
    return _BITS + members.to_bytes(size, "little")


def unpacked_crowd(packed: bytes) -> int:
    """Return the crowd that :func:`packed_crowd` was given."""
    if packed.startswith(_BITS):
        return int.from_bytes(packed[1:], "little")
    return crowd(struct.unpack(f"<{len(packed) // _OF_A_NUMBER}I", packed[1:]))


def united(packed: Iterable[bytes]) -> int:
    """Return the crowd of all that are in any of many, each given by :func:`packed_crowd`."""
    listed, others = set[int](), 0
    for each in packed:
        if each.startswith(_BITS):
            others |= int.from_bytes(each[1:], "little")
        else:
            listed.update(struct.unpack(f"<{len(each) // _OF_A_NUMBER}I", each[1:]))
    return others | crowd(listed)
