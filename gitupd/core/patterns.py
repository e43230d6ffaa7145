"""What the core needs of a regular expression; that it takes time in proportion to a text, whoever makes it sees to."""

from __future__ import annotations

from typing import Protocol


class Occurrence(Protocol):
    """Where a pattern was found; ``group`` 0 is the whole."""

    def start(self, group: int = 0, /) -> int:
        """Return where *group* starts, -1 if it took no part."""

    def end(self, group: int = 0, /) -> int:
        """Return where *group* ends."""

    def span(self, group: int = 0, /) -> tuple[int, int]:
        """Return both."""


class TextPattern(Protocol):
    """A compiled pattern, in whose ``pattern`` it is as it was written; ``re.Pattern[str]`` is one, too."""

    @property
    def pattern(self) -> str:
        """The pattern as it was written."""

    @property
    def flags(self) -> int:
        """As of the module ``re``."""

    @property
    def groups(self) -> int:
        """How many groups there are."""

    def search(self, text: str, start: int = 0, /) -> Occurrence | None:
        """Return where this is found first in *text*, not before *start*, whose surroundings it sees all the same."""


class Substitution(TextPattern, Protocol):
    """A pattern that can be replaced."""

    def sub(self, replacement: str, text: str, /) -> str:
        r"""Return *text* with each occurrence replaced, ``\\1`` standing for its first group."""
