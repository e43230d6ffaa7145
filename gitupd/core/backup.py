"""Configurations that devices upload: what of them counts, when two are the same, and which can't be true."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Fingerprint = NewType("Fingerprint", str)
"""The SHA-256 of the lines that count, in hexadecimal: equal for two versions that differ in nothing that matters."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"\s*[<{]")
_REMEMBERED_LINES = 50_000

SURELY_LARGE = 4096
"""Bytes from which on a version that shrinks to less than half is doubted."""


class Volatile:
    """Lines that change without anybody changing anything, by the policy's patterns."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        """Take lines in which one of *patterns* is found for volatile."""
        self._patterns = tuple(patterns)
        self._known: dict[bytes, bool] = {}

    def __contains__(self, line: object) -> bool:
        """Whether *line* is volatile; devices have most lines in common, so the answers are remembered."""
        if not isinstance(line, bytes):
            return False
        known = self._known.get(line)
        if known is None:
            if len(self._known) >= _REMEMBERED_LINES:
                self._known.clear()
            text = line.decode(errors="surrogateescape")
            known = self._known[line] = any(pattern.search(text) for pattern in self._patterns)
        return known


def lines_of(content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of *content*, or of its parts that end in LF, without their ends: CR LF, LF or CR."""
    for part in (content,) if isinstance(content, bytes) else content:
        lines = _LINE_END.split(part)
        if not lines[-1]:
            lines.pop()
        yield from lines


def counting(lines: Iterable[bytes], volatile: Volatile) -> Iterator[bytes]:
    """Yield the lines that count: neither blank nor volatile."""
    return (line for line in lines if line.strip() and line not in volatile)


def fingerprint(lines: Iterable[bytes]) -> Fingerprint:
    """Return the fingerprint of a version of which these *lines* count."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return Fingerprint(digest.hexdigest())


def fault_in(content: bytes) -> str | None:
    """Return why *content* can't be a configuration, None if it can: it is text of some lines, and no markup."""
    if not content.strip():
        return "it is empty"
    if _NO_TEXT.search(content):
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

    @property
    def changed(self) -> int:
        """How many lines differ: one that was exchanged counts once."""
        return max(self.added, self.removed)


def delta(before: Iterable[bytes], after: Iterable[bytes]) -> Delta:
    """Return how much *after* differs from *before*, both of lines that count; the order of lines is left out."""
    old, new = Counter(before), Counter(after)
    return Delta((new - old).total(), (old - new).total())
