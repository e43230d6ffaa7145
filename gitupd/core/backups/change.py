"""Configurations that devices upload: what of them counts, when two are the same, and which can't be true."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitupd.core.patterns import TextPattern

Fingerprint = NewType("Fingerprint", str)
"""The SHA-256 of the lines that count, in hexadecimal: equal for two versions that differ in nothing that matters."""

_TEXT = bytes((*b"\t\n\v\f\r\x1b", *range(0x20, 0x100)))
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*[<{]")
_LITERAL_START = re.compile(r"\^([0-9A-Za-z_/ -]*)(?=$|[^0-9A-Za-z_/ ?*{-])", re.ASCII)
_REMEMBERED_LINES = 50_000
_LONGEST_REMEMBERED = 500
_LONGEST_LOOKED_AT = 8192
_AT_ONCE = 10_000

SURELY_LARGE = 4096
"""Bytes from which on a version that shrinks to less than half is doubted."""


class Volatile:
    """Lines that change without anybody changing anything, by the policy's patterns."""

    def __init__(self, patterns: Sequence[TextPattern]) -> None:
        """Take lines in which one of *patterns* is found for volatile; blank and very long ones never are."""
        self._counts = _Counts(patterns)
        starts = {_start_of(pattern) for pattern in patterns}
        looked_at = b"|".join((rb"[ \t\n\v\f]", *map(re.escape, sorted(starts))))
        self._looked_at = None if b"" in starts else re.compile(rb"\n(?=%b)" % looked_at)

    def __contains__(self, line: object) -> bool:
        """Whether *line* is volatile."""
        return isinstance(line, bytes) and bool(line.strip()) and not self._counts[line]

    def counting(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield those of *lines* that are neither blank nor volatile."""
        return filter(self._counts.__getitem__, lines)

    def fingerprint(self, content: bytes) -> Fingerprint:
        """Return the fingerprint of the lines of *content* that count, most of which are not even looked at."""
        if self._looked_at is None or not content:
            return fingerprint(self.counting(lines_of(content)))
        text = b"\n".join((b"", *content.splitlines(), b""))
        digest, done = hashlib.sha256(), 1
        for match in self._looked_at.finditer(text):
            start, end = match.end(), text.find(b"\n", match.end())
            if end >= 0 and not self._counts[text[start:end]]:
                digest.update(text[done:start])
                done = end + 1
        digest.update(text[done:])
        return Fingerprint(digest.hexdigest())


class _Counts(dict[bytes, bool]):
    """Whether a line counts. Devices have most lines in common, so the answers are remembered."""

    def __init__(self, patterns: Sequence[TextPattern]) -> None:
        self._patterns = tuple(patterns)
        self._starts = tuple(_start_of(pattern) for pattern in patterns)

    def __missing__(self, line: bytes) -> bool:
        counts = bool(line.strip()) and not self._is_volatile(line)
        if len(line) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED_LINES:
                self.clear()
            self[line] = counts
        return counts

    def _is_volatile(self, line: bytes) -> bool:
        if not line.startswith(self._starts) or len(line) > _LONGEST_LOOKED_AT:
            return False
        text = line.decode(errors="surrogateescape")
        return any(pattern.search(text) for pattern in self._patterns)


def _start_of(pattern: TextPattern) -> bytes:
    """Return what every line begins with in which *pattern* is found, as far as that is easy to see: to ask it less."""
    match = _LITERAL_START.match(pattern.pattern)
    if match is None or pattern.flags != re.UNICODE or "|" in pattern.pattern:
        return b""
    return match[1].encode("ascii")


def lines_of(content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of *content*, or of its parts that end in LF, without their ends: CR LF, LF or CR."""
    for part in (content,) if isinstance(content, bytes) else content:
        yield from part.splitlines()


def counting(lines: Iterable[bytes], volatile: Volatile) -> Iterator[bytes]:
    """Yield the lines that count: neither blank nor volatile."""
    return volatile.counting(lines)


def fingerprint(lines: Iterable[bytes]) -> Fingerprint:
    """Return the fingerprint of a version of which these *lines* count."""
    digest = hashlib.sha256()
    remaining = iter(lines)
    while batch := list(islice(remaining, _AT_ONCE)):
        digest.update(b"\n".join(batch))
        digest.update(b"\n")
    return Fingerprint(digest.hexdigest())


def fault_in(content: bytes) -> str | None:
    """Return why *content* can't be a configuration, None if it can: it is text of some lines, and no markup."""
    if not content.strip():
        return "it is empty"
    if content.translate(None, _TEXT):
        return "it is no text"
    if _MARKUP.match(content):
        return "it is no configuration but something like a web page"
    return None


def is_doubtful(length: int, last_length: int | None) -> bool:
    """Whether a version of *length* bytes is implausibly short after one of *last_length*, None if there was none."""
    return last_length is not None and last_length > SURELY_LARGE and length * 2 < last_length


@dataclass(frozen=True, slots=True)
class Delta:
    """How many of the lines that count came and went between two versions."""

    added: int
    removed: int

    @classmethod
    def of(cls, lines: Mapping[bytes, int]) -> Delta:
        """Return how many of *lines* came and went, as :func:`changed_lines` gives them."""
        counts = lines.values()
        return cls(sum(count for count in counts if count > 0), -sum(count for count in counts if count < 0))

    @property
    def changed(self) -> int:
        """How many lines differ: one that was exchanged counts once."""
        return max(self.added, self.removed)


def changed_lines(before: Iterable[bytes], after: Iterable[bytes]) -> dict[bytes, int]:
    """Return the lines that *after* has more often than *before*, or with negative numbers less often, and how often.

    Both are lines that count; their order is left out. Only lines are held that have yet to find their like, so that
    large versions may be compared.
    """
    balance: dict[bytes, int] = {}
    for old, new in zip_longest(before, after):
        if old != new:
            _book(balance, new, 1)
            _book(balance, old, -1)
    return balance


def _book(balance: dict[bytes, int], line: bytes | None, change: int) -> None:
    if line is None:
        return
    count = balance.get(line, 0) + change
    if count:
        balance[line] = count
    else:
        del balance[line]
