"""Regular expressions of policies: compiled, unless one could keep a server busy for ever.

They come from anybody who can push, and one of them meets the address in every poll. Whether a pattern is slow for
some text can't be decided by a simple rule, so this one is strict: a pattern may leave open only so much.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

_parser: Any = import_module("re._parser")
_REPEATS = (_parser.MAX_REPEAT, _parser.MIN_REPEAT, _parser.POSSESSIVE_REPEAT)
_MOST_OPEN = 20
_WITHOUT_END = 3
"""How much a repetition without end counts; an optional part or a choice counts 1."""


class UnfitPatternError(ValueError):
    """A text that is no regular expression, or one that is refused; the message is the end of a sentence."""


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return *pattern* as a regular expression; raises UnfitPatternError."""
    try:
        if _left_open(_parser.parse(pattern, flags), 1) > _MOST_OPEN:
            raise UnfitPatternError("could take for ever: too much in it is repeated, optional, or a choice")
        return re.compile(pattern, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise UnfitPatternError(f"is no regular expression: {error}") from error


def _left_open(tree: Any, times: int) -> int:
    """Return how much *tree* leaves open if it is repeated so many *times*: each way to match multiplies the time."""
    total = 0
    for kind, rest in tree:
        again = times
        if kind in _REPEATS:
            least, most, _ = rest
            total += times * _weight(int(least), int(most))
            again *= max(int(most), 1)
        elif kind is _parser.BRANCH:
            total += times
        total += sum(_left_open(part, again) for part in _parts(rest))
    return total


def _weight(least: int, most: int) -> int:
    if least == most:
        return 0
    return _WITHOUT_END if most > _MOST_OPEN else 1


def _parts(rest: Any) -> list[Any]:
    """Return the patterns within an element of a pattern, whatever else there is."""
    if isinstance(rest, _parser.SubPattern):
        return [rest]
    if isinstance(rest, tuple | list):
        return [part for each in rest for part in _parts(each)]
    return []
