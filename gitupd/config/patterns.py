"""Regular expressions of policies, compiled for RE2: it takes time in proportion to a text, whatever the two are.

They come from anybody who can push, and meet what devices send (docs/decisions/0015-patterns.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import re2

if TYPE_CHECKING:
    from gitupd.core.patterns import Occurrence

_LARGEST_PROGRAM = 1_000
_MOST_MEMORY = 4 * 2**20
_LONGEST_REASON = 200
"""Letters; RE2 repeats the expression."""
_NO_REPETITION = re.compile(r"\{(?:,[0-9]+|[0-9]{5,}(?:,[0-9]*)?|[0-9]*,[0-9]{5,})\}")
_OF_PYTHON = re.compile(r"invalid perl operator: (\(\?<?[=!]|\(\?>|\(\?P=)")


class UnfitPatternError(ValueError):
    """A text that is no regular expression, or one that is refused; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class LinearPattern:
    """A regular expression of RE2, with as much of the interface of ``re.Pattern`` as is needed.

    Texts may hold surrogates, which stand for bytes that are no UTF-8.
    """

    pattern: str
    flags: int
    groups: int
    _engine: Any = field(repr=False, compare=False)

    def search(self, text: str, start: int = 0) -> Occurrence | None:
        """Return where this is found first in *text*, not before *start*."""
        if text.isascii():  # then bytes are counted as letters are, and need not be counted again
            occurrence: Occurrence | None = self._engine.search(text.encode(), start)
        else:
            occurrence = self._engine.search(_encodable(text), start)
        return occurrence

    def sub(self, replacement: str, text: str) -> str:
        """Return *text* with each occurrence replaced."""
        replaced: str = self._engine.sub(replacement, _encodable(text))
        return replaced

    def check(self, replacement: str) -> None:
        """Raise re.error or IndexError if *replacement* is none for this, or refers to a group that is not there."""
        names = {number: f"?P<{name}>" for name, number in self._engine.groupindex.items()}
        same_groups = "".join(f"({names.get(number, '')})" for number in range(1, self.groups + 1))
        re.sub(same_groups, replacement, "")


def compiled(pattern: str, flags: int = 0) -> LinearPattern:
    """Return *pattern* as a regular expression, *flags* being those of ``re``; raises UnfitPatternError."""
    if repetition := _NO_REPETITION.search(pattern):
        reason = f"{repetition[0]!r} repeats nothing in RE2; write {{0,9}} for up to nine times, 1,000 at the most"
        raise UnfitPatternError(f"is no regular expression: {reason}, and [{{] for the brace itself")
    options = re2.Options()
    options.log_errors, options.max_mem = False, _MOST_MEMORY
    options.case_sensitive = not flags & re.IGNORECASE
    try:
        engine = re2.compile(_encodable(pattern), options)
    except re2.error as error:
        raise UnfitPatternError(_refused(_reason(error))) from error
    if engine.programsize > _LARGEST_PROGRAM:
        raise UnfitPatternError(
            "is too large: a repetition counts as often as it repeats, a class of letters as often as it has ranges"
        )
    return LinearPattern(pattern, flags | re.UNICODE, engine.groups, engine)


def _refused(reason: str) -> str:
    if _OF_PYTHON.match(reason):
        operator = reason.partition(": ")[2]
        return f"can't be used: {operator} looks around, or back, which can take for ever; write what is there instead"
    return f"is no regular expression: {reason}"


def _reason(error: Exception) -> str:
    """Return what *error* says, which is in bytes if it comes from RE2 itself."""
    reason = error.args[0] if error.args else ""
    said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return said if len(said) <= _LONGEST_REASON else f"{said[:_LONGEST_REASON]}…"


def _encodable(text: str) -> str:
    """Return *text* with a question mark for each surrogate, of the same length."""
    return text.encode(errors="replace").decode()
