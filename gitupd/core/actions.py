"""What a poll is answered with: a stream of values, and the one function that turns them into text.

Nothing that a request says can become a command here: a :class:`Do` is one line or it is refused, and every line of a
:class:`Say` starts with ``#``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.certificates.rollout import Need
    from gitupd.core.snapshot import Snippet

CRLF = b"\r\n"
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Say:
    """A comment: read by people, skipped by devices."""

    text: str


@dataclass(frozen=True, slots=True)
class Do:
    """A command of gitupd's own: exactly one line."""

    command: str

    def __post_init__(self) -> None:
        """Refuse a command that would be more, or less, than one line that a device executes."""
        if _BREAKS.search(self.command) or not self.command.strip() or self.command.startswith("#"):
            raise ValueError(f"not one command line: {self.command!r}")


@dataclass(frozen=True, slots=True)
class Deliver:
    """A snippet, sent as it is."""

    snippet: Snippet


@dataclass(frozen=True, slots=True)
class Compute:
    """One line that the configuration's own code made for this device; may be a comment."""

    line: str

    def __post_init__(self) -> None:
        """Refuse what would be more than one line."""
        if "\n" in self.line or "\r" in self.line:
            raise ValueError(f"not one line: {self.line!r}")


@dataclass(frozen=True, slots=True)
class Warn:
    """Something an administrator should know about this device: a comment, and a message on its page."""

    text: str


@dataclass(frozen=True, slots=True)
class FirmwareRequested:
    """The device was told to load this firmware build."""

    build: str


@dataclass(frozen=True, slots=True)
class BootcodeRequested:
    """The device was told to load this boot code."""

    build: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The device came back with the CHECK serial of what this commit says: it has executed it."""

    serial: str


@dataclass(frozen=True, slots=True)
class InPhase:
    """The device is in this phase; ``before`` is the one from which devices come into it, None in the first."""

    phase: str
    before: str | None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The device was answered at this stage of the roll-out of its certificate, for the reason given."""

    need: Need


@dataclass(frozen=True, slots=True)
class Restoring:
    """The device was told to fetch the restore of this number."""

    number: int


Action = (
    Say
    | Do
    | Deliver
    | Compute
    | Warn
    | FirmwareRequested
    | BootcodeRequested
    | Confirmed
    | InPhase
    | Enrolled
    | Restoring
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a script and where it is from: ``number`` is the line within a delivered snippet, from 1, else 0."""

    text: bytes
    origin: Action
    number: int = 0


def comment(text: str) -> bytes:
    """Return *text* as one comment line, whatever it holds."""
    return b"# " + _BREAKS.sub(" ", text).encode(errors="replace")


def lines(actions: Iterable[Action]) -> Iterator[Line]:
    """Yield the lines that *actions* put into a script, each with its origin."""
    for action in actions:
        match action:
            case Say(text) | Warn(text):
                yield Line(comment(text), action)
            case Do(line) | Compute(line):
                yield Line(line.encode(errors="surrogateescape"), action)
            case Deliver(snippet):
                for number, content in enumerate(snippet.lines, 1):
                    yield Line(content, action, number)
            case FirmwareRequested() | BootcodeRequested() | Confirmed() | InPhase() | Enrolled() | Restoring():
                pass
            case _:
                assert_never(action)


def script(actions: Iterable[Action]) -> bytes:
    """Return the text that a device executes: one line each, ended by CR LF.

    CR LF is what the PHP server sent; devices take any line end (docs/reference/device-protocol.md).
    """
    parts: list[bytes] = []
    for action in actions:
        if isinstance(action, Deliver):
            parts.append(action.snippet.sent)
        else:
            parts.extend(line.text + CRLF for line in lines((action,)))
    return b"".join(parts)
