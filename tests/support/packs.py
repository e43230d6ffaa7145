"""Packs as no Git makes them: written byte by byte, and given to ``git receive-pack`` as a push."""

from __future__ import annotations

import hashlib
import struct
import zlib

COMMIT, TREE, BLOB, REFERENCE = 1, 2, 3, 7
ZERO = "0" * 40


def object_id(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def entry(kind: int, content: bytes, size: int | None = None, base: str = "") -> bytes:
    """Return an entry of a pack, which says that it is of *size* bytes; a difference names its *base*."""
    size = len(content) if size is None else size
    head, size = [kind << 4 | size & 15], size >> 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + bytes.fromhex(base) + zlib.compress(content, 9)


def pack(*entries: bytes, count: int | None = None) -> bytes:
    """Return a pack of *entries*, which says that there are *count*."""
    content = struct.pack(">4sLL", b"PACK", 2, len(entries) if count is None else count) + b"".join(entries)
    return content + hashlib.sha1(content, usedforsecurity=False).digest()


def exploding(base: int, target: int) -> bytes:
    """Return a difference to a blob of *base* bytes that makes *target* bytes of it, by copying all of it."""
    copies = b"".join(b"\xf0" + struct.pack("<L", base)[:3] for _ in range(target // base))
    return _number(base) + _number(target // base * base) + copies


def tree(*rows: tuple[str, bytes, str]) -> bytes:
    """Return a tree of *rows*: mode, name and id."""
    return b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(digest) for mode, name, digest in rows)


def commit(tree_id: str, *parents: str) -> bytes:
    who = "Tess <tess@example.org> 1700000000 +0000"
    lines = [f"tree {tree_id}", *(f"parent {parent}" for parent in parents), f"author {who}", f"committer {who}"]
    return ("\n".join(lines) + "\n\nmade\n").encode()


def push(old: str, new: str, ref: str, packed: bytes) -> bytes:
    """Return the body of a push of one reference."""
    return command(f"{old} {new} {ref}\0report-status side-band-64k") + b"0000" + packed


def command(text: str) -> bytes:
    return f"{len(text.encode()) + 4:04x}{text}".encode()


def said(answer: bytes) -> str:
    """Return what a push is answered in one text: lines that came in several packets are whole again."""
    told, left = b"", answer
    while len(size := left[:4]) == 4 and size.strip(b"0123456789abcdef") == b"":
        length = max(int(size, 16), 4)
        told, left = told + left[5:length], left[length:]
    return (told + left).decode(errors="replace")


def _number(value: int) -> bytes:
    digits = [value & 127]
    while value := value >> 7:
        digits[-1] |= 128
        digits.append(value & 127)
    return bytes(digits)
