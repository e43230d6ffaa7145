"""The size of a Git object without inflating it: a megabyte of pack can hold a gigabyte of zeros.

dulwich has no call for that, so the first bytes of the object are read here, as the pack format describes them
(gitformat-pack, "pack entries").
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dulwich.objects import hex_to_filename

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore
    from dulwich.objects import ObjectID

_OFFSET_DELTA, _REFERENCE_DELTA = 6, 7


def object_size(store: DiskObjectStore, object_id: ObjectID) -> int:
    """Return the inflated size of an object in bytes; raises KeyError if there is none."""
    for _attempt in range(2):
        for pack in store.packs:
            if object_id in pack:
                with Path(pack.data.path).open("rb") as file:
                    file.seek(pack.index.object_offset(object_id))
                    return _packed_size(file)
        loose = Path(hex_to_filename(str(store.path), object_id))
        if loose.exists():
            with loose.open("rb") as file:
                header = zlib.decompressobj().decompress(file.read(256), 64)
            return int(header.split(b"\0", 1)[0].split(b" ")[1])
        store._update_pack_cache()  # noqa: SLF001 - a pack may have come, or a loose object been packed, meanwhile
    raise KeyError(object_id)


def _packed_size(file: BinaryIO) -> int:
    byte = file.read(1)[0]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 128:
        byte = file.read(1)[0]
        size |= (byte & 127) << shift
        shift += 7
    if kind == _OFFSET_DELTA:
        while file.read(1)[0] & 128:
            pass
    elif kind == _REFERENCE_DELTA:
        file.read(20)
    else:
        return size
    start = zlib.decompressobj().decompress(file.read(256), 32)  # a delta starts with the sizes of source and target
    _, at = _number(start, 0)
    return _number(start, at)[0]


def _number(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if not byte & 128:
            return value, at
