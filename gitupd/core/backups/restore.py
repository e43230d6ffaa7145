"""Putting a device back to an earlier version of its configuration: what it is served, and what that can't undo.

A restore is a replay and no replacement: the device executes the lines of the version, and keeps all that the version
does not mention.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.actions import CRLF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gitupd.core.backups.change import Fingerprint, Volatile
    from gitupd.core.caller import Serial
    from gitupd.core.snapshot import CommitId

# Always both, and in this order (docs/reference/device-protocol.md, Commands).
_ENDING = (b"config write", b"config activate")
_OWN_AFFAIRS = re.compile(
    rb"config\s+\w+\s+UP1(\s|$)|vars\s+\w+\s+UPDATE/|mod\s+cmd\s+UP[01](\s|$)|i?resetn?\s*$", re.IGNORECASE
)
"""Lines of the update client itself, which would send the device back to an old update URL, phase and CHECK serial, and
resets, which would come before the device has noted down that it executed the version."""


class RestoreState(StrEnum):
    """How far a restore has come; the first three are open."""

    ASKED = "asked"
    SENT = "sent"  # the device was told to fetch it
    FETCHED = "fetched"  # it did, and has yet to upload what came of it
    RESTORED = "restored"
    DIFFERS = "differs"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore of the version that ``commit`` brought; times are None for what did not happen yet.

    ``sent`` is None, too, for one that was sent by a server which was killed right then. ``done`` is when it was
    closed, and ``detail`` what there is to tell about that.
    """

    id: int
    serial: Serial
    commit: CommitId
    token: str = field(repr=False)
    expected: Fingerprint
    asked: datetime
    who: str
    sent: datetime | None
    fetched: datetime | None
    done: datetime | None
    state: RestoreState
    detail: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A restore that a device has yet to fetch; ``token`` is what makes its address a secret."""

    id: int
    token: str = field(repr=False)

    @property
    def guard(self) -> str:
        """The serial by which the device knows that it has executed this; never used before, by any site."""
        return f"gitupd-{self.id}-{hashlib.sha256(self.token.encode()).hexdigest()[:8]}"


def is_own_affair(line: bytes) -> bool:
    """Whether *line*, without blanks around it, is about the update client itself, or restarts the device."""
    return _OWN_AFFAIRS.match(line) is not None


def replayable(lines: Iterable[bytes], volatile: Volatile) -> bytes:
    """Return what a device is served to have it as in these *lines* again, each ended by CR LF.

    What the update client looks after itself is left out whatever *volatile* says. At the end, all of it takes effect.
    """
    replayed = [line for line in lines if _is_replayed(line, volatile)]
    if tuple(b" ".join(line.split()) for line in replayed[-len(_ENDING) :]) != _ENDING:
        replayed += _ENDING
    return b"".join(line + CRLF for line in replayed)


def left_behind(target: Iterable[bytes], present: Iterable[bytes], volatile: Volatile) -> tuple[bytes, ...]:
    """Return the lines of *present* that a replay of *target* leaves as they are: it says nothing of their subject."""
    mentioned = {_subject(line) for line in target}
    return tuple(line for line in _compared(present, volatile) if _subject(line) not in mentioned)


@dataclass(frozen=True, slots=True)
class Result:
    """What a replay came to: lines that it should have brought and did not, others, and what it left as foretold."""

    missing: tuple[bytes, ...]
    unexpected: tuple[bytes, ...]
    left: tuple[bytes, ...]

    @property
    def is_restored(self) -> bool:
        """Whether the device has what the version says, and nothing besides but what was foretold."""
        return not self.missing and not self.unexpected


def result(target: Iterable[bytes], before: Iterable[bytes], after: Iterable[bytes], volatile: Volatile) -> Result:
    """Return what became of a device that had *before*, executed *target*, and has *after*; order does not matter."""
    target = list(target)
    expected, actual = Counter(_compared(target, volatile)), Counter(_compared(after, volatile))
    foretold = Counter(left_behind(target, before, volatile))
    unexpected = actual - expected
    return Result(
        *(tuple(lines.elements()) for lines in (expected - actual, unexpected - foretold, unexpected & foretold))
    )


def _is_replayed(line: bytes, volatile: Volatile) -> bool:
    return bool(line.strip()) and line not in volatile and not is_own_affair(line.strip())


def _compared(lines: Iterable[bytes], volatile: Volatile) -> Iterator[bytes]:
    """Yield the lines that say what a device has."""
    return (line for line in lines if _is_replayed(line, volatile) and b" ".join(line.split()) not in _ENDING)


def _subject(line: bytes) -> tuple[bytes, ...]:
    """Return what *line* is about: a module, a variable, an entry of a directory; else it is about itself."""
    match line.split():
        case [b"config", b"add" | b"change" | b"rem", *words]:
            end = next((at for at, word in enumerate(words) if word.startswith(b"/")), len(words))
            return b"config", *words[:end]
        case [b"vars", b"create", name, *_]:
            return b"vars", name
        case [b"mod", b"cmd", module, b"add-item", entry, *_]:
            return b"item", module, entry
        case words:
            return tuple(words)
