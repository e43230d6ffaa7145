"""The size of a Git object without inflating it: a megabyte of pack can hold a gigabyte of zeros.

dulwich has no call for that, so the first bytes of the object are read here, as the pack format describes them
(gitformat-pack, "pack entries").
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dulwich.object_store import DiskObjectStore
from dulwich.objects import RawObjectID, hex_to_filename
from dulwich.pack import PackFileDisappeared

if TYPE_CHECKING:
    from dulwich.objects import ObjectID
    from dulwich.pack import Pack

_OFFSET_DELTA, _REFERENCE_DELTA = 6, 7
_LONGEST_CHAIN = 5_000
_LARGEST_BASE = 64 * 2**20
"""Git stores an object as the difference to one of about its size, so this is far beyond any that we read."""


def object_size(store: DiskObjectStore, object_id: ObjectID) -> int:
    """Return the inflated size of an object in bytes.

    Raises KeyError if there is none, ValueError if it is the difference to something too large to be inflated.
    """
    for _attempt in range(2):
        for pack in store.packs:
            try:
                if object_id in pack:
                    return _packed_size(pack, object_id)
            except (FileNotFoundError, PackFileDisappeared):
                continue  # another process packs anew; its new pack is seen in the second attempt
        loose = Path(hex_to_filename(os.fspath(store.path), object_id))
        if loose.exists():
            with loose.open("rb") as file:
                header = zlib.decompressobj().decompress(file.read(256), 64)
            return int(header.split(b"\0", 1)[0].split(b" ")[1])
        store._update_pack_cache()  # noqa: SLF001 - a pack may have come, or a loose object been packed, meanwhile
    for alternate in store.alternates:
        if isinstance(alternate, DiskObjectStore):
            with suppress(KeyError):
                return object_size(alternate, object_id)
    raise KeyError(object_id)


def _packed_size(pack: Pack, object_id: ObjectID) -> int:
    """Return the size of an object in *pack*; what it is a difference to has to be inflated, too, and is measured."""
    own: int | None = None
    at = pack.index.object_offset(object_id)
    with Path(pack.data.path).open("rb") as file:
        for _step in range(_LONGEST_CHAIN):
            file.seek(at)
            kind, stored = _entry_header(file)
            base = _base(pack, file, kind, at)
            size = stored if base is None else _target_size(file)
            own = size if own is None else own
            if own > _LARGEST_BASE:
                return own
            if max(stored, size) > _LARGEST_BASE:
                raise ValueError(f"{object_id.decode()} is stored as a difference to {max(stored, size):,} bytes")
            if base is None:
                return own
            at = base
    raise ValueError(f"{object_id.decode()} is stored as a difference to a difference, and so on without end")


def _entry_header(file: BinaryIO) -> tuple[int, int]:
    """Return the kind of an entry, and the size of its content or, of a difference, of its instructions."""
    byte = file.read(1)[0]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 128:
        byte = file.read(1)[0]
        size |= (byte & 127) << shift
        shift += 7
    return kind, size


def _base(pack: Pack, file: BinaryIO, kind: int, at: int) -> int | None:
    """Return where the object lies that the entry *at* is the difference to, None if it is whole."""
    if kind == _REFERENCE_DELTA:
        return pack.index.object_offset(RawObjectID(file.read(pack.object_format.oid_length)))
    if kind != _OFFSET_DELTA:
        return None
    byte = file.read(1)[0]
    distance = byte & 127
    while byte & 128:
        byte = file.read(1)[0]
        distance = (distance + 1) << 7 | byte & 127
    return at - distance


def _target_size(file: BinaryIO) -> int:
    start = zlib.decompressobj().decompress(file.read(256), 32)  # a difference starts with the sizes before and after
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
