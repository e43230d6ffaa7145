"""How the answers of two servers to one poll differ, but for what is meant to be different."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from gitupd.core.certificates.report import QUERY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BREAK = "\n"
_COMMENT = "#"
_CHECK = re.compile(r"mod cmd UP1 check ser ([0-9a-f]{32})")
_COMPLAINT = re.compile(r"<br\s*/?>|<b>(?:Warning|Notice|Deprecated|Fatal error|Parse error)</b>:", re.IGNORECASE)
"""What PHP itself says within an answer, where it is told to show its errors."""

_NEEDED = re.compile(rf"&id=(?:{QUERY}|admin) ser nop /always ")
_MISSPELT, _SPELT = " /signature SH256 ", " /signature SHA256 "
_FIRMWARE = re.compile(r"mod cmd UP0 (?:prot|boot) ")
_AROUND_STEPS = (
    "config add UP1 /",
    "config write",
    "config activate",
    "config rem UP1 /provision",
    "mod cmd UP1 provision ",
    "iresetn",
)
_STEPS = ("mod cmd X509 ", "vars create X509/", "vars del X509/", "ser")
_DUMPS = "mode=vardump&"


class OnPurpose(StrEnum):
    """Why two answers differ on purpose: rows of docs/reference/php-differences.md."""

    SIGNATURE = "the signature of signing requests is SHA256, where the PHP server misspelt it SH256"
    QUERIES = "the queries that a roll-out of certificates needs are asked by themselves"
    CERTIFICATE = (
        "updates go on while the certificate of a device waits for something, where the PHP server sent nothing"
    )
    MASTER = "without an answer of the master device only firmware is left out, where the PHP server sent nothing"
    PHASE = "a device in a phase that does not exist starts over, where the PHP server sent nothing"
    ENVIRONMENT = "an environment that does not exist is ignored, where the PHP server sent nothing"


class Cause(StrEnum):
    """Why the old server gave an answer that can't be compared."""

    FRESH = "its files were changed a moment ago, and it waits (grace): ask again later"
    SKIPPED = "it only asked how a roll-out stands after a step: ask again later"
    OFF = "it could not read its own configuration"


@dataclass(frozen=True)
class ScriptAnswer:
    """What a server has answered to a poll."""

    body: bytes

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """All lines that say something, without blanks at their ends; bytes that are no UTF-8 are kept."""
        text = self.body.decode(errors="surrogateescape")
        return tuple(line for each in text.split(_BREAK) if (line := each.rstrip()))

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """What the device executes."""
        return tuple(line for line in self.lines if line[0] != _COMMENT and not _COMPLAINT.match(line))

    @cached_property
    def comments(self) -> tuple[str, ...]:
        """What it passes over, without the sign in front."""
        return tuple(line[1:].strip() for line in self.lines if line[0] == _COMMENT)

    @property
    def complaints(self) -> tuple[str, ...]:
        """What PHP itself says in between: devices take it for commands that they don't know."""
        return tuple(line for line in self.lines if _COMPLAINT.match(line))

    @property
    def check(self) -> str | None:
        """The CHECK serial that the device is to store, None if there is none."""
        found = [match[1] for line in self.commands if (match := _CHECK.fullmatch(line))]
        return found[-1] if found else None

    def says(self, beginning: str) -> bool:
        """Whether a comment begins so."""
        return any(comment.startswith(beginning) for comment in self.comments)

    @property
    def cause(self) -> Cause | None:
        """Why this answer of the PHP server can't be compared, None if it can."""
        if self.says("files being updated ("):
            return Cause.FRESH
        if self.says("need up-to-date query state, skipping"):
            return Cause.SKIPPED
        return Cause.OFF if self.says("cannot parse ./") or self.says("config: ") else None


@dataclass(frozen=True, slots=True)
class ScriptComparison:
    """How two answers differ: ``changes`` are the lines of one that the other has not, with - (old) or + (new).

    They are in order, and none if the answers say the same; ``purposes`` are the reasons for what differs besides.
    """

    changes: tuple[str, ...] = ()
    purposes: tuple[OnPurpose, ...] = ()


def compared(old: ScriptAnswer, new: ScriptAnswer) -> ScriptComparison:
    """Return how the answer of a gitupd, *new*, differs from that of the *old* server."""
    purposes: list[OnPurpose] = []
    before, after = list(old.commands), list(new.commands)
    for step in _ON_PURPOSE:
        if before == after:
            break
        found = step(old, before, after)
        if found is not None:
            purpose, before, after = found
            purposes.append(purpose)
    # The CHECK serial follows from all other lines, and would make a kind of its own of each set of scripts.
    if _without_check(before) != _without_check(after):
        before, after = _without_check(before), _without_check(after)
    return ScriptComparison(tuple(_changes(before, after)), tuple(purposes))


def _without_check(lines: list[str]) -> list[str]:
    return [line for line in lines if not _CHECK.fullmatch(line)]


_Found = tuple[OnPurpose, list[str], list[str]]


def _signature(_old: ScriptAnswer, before: list[str], after: list[str]) -> _Found | None:
    spelt = [line.replace(_MISSPELT, _SPELT) for line in before]
    return None if spelt == before else (OnPurpose.SIGNATURE, spelt, after)


def _queries(_old: ScriptAnswer, before: list[str], after: list[str]) -> _Found | None:
    left = [line for line in after if line in before or not _NEEDED.search(line)]
    return None if left == after else (OnPurpose.QUERIES, before, left)


def _nothing(old: ScriptAnswer, before: list[str], after: list[str]) -> _Found | None:
    """Where the old server gave up, what it had not said yet is what it would have said."""
    for beginning, purpose in (
        ("cannot get cached PBX info", OnPurpose.MASTER),
        ("invalid phase: ", OnPurpose.PHASE),
        ("invalid environment: ", OnPurpose.ENVIRONMENT),
    ):
        if old.says(beginning):
            firmware_left_out = not any(map(_FIRMWARE.match, after)) or purpose is not OnPurpose.MASTER
            is_beginning = after[: len(before)] == before
            return (purpose, [], []) if is_beginning and firmware_left_out else None
    return None


def _certificate(old: ScriptAnswer, before: list[str], after: list[str]) -> _Found | None:
    """Where the old server said nothing but what a certificate needs, the new one goes on."""
    if not old.says("certificate cmds need to process"):
        return None
    same = _same_beginning(before, after)
    return (OnPurpose.CERTIFICATE, [], []) if all(map(_is_step, before[same:])) else None


_ON_PURPOSE = (_signature, _queries, _nothing, _certificate)


def _same_beginning(before: Sequence[str], after: Sequence[str]) -> int:
    count = 0
    for left, right in zip(before, after, strict=False):
        if left != right:
            break
        count += 1
    return count


def _is_step(line: str) -> bool:
    return line.startswith((*_AROUND_STEPS, *_STEPS)) or _DUMPS in line


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for what, from_old, to_old, from_new, to_new in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            yield from (f"- {line}" for line in before[from_old:to_old])
            yield from (f"+ {line}" for line in after[from_new:to_new])
