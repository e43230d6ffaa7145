"""Texts that are looked for in the lines of configurations; letter case of ASCII does not matter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitupd.core.names import fold

_BEHIND_A_CODE, _NOT_ON = r"(?<=%[0-9a-f]{2})", r"(?!\w)"


@dataclass(frozen=True, slots=True)
class TextInLine:
    """A ``text`` to be found in lines, as a part of them.

    With ``whole`` words are found, not parts of them: ``10.1.0.1`` is not in ``10.1.0.10``.
    """

    text: str
    whole: bool = False

    def is_in(self, line: str) -> bool:
        """Whether *line* holds the text."""
        return self.is_in_folded(fold(line))

    def is_in_folded(self, line: str) -> bool:
        """Whether a line holds the text that is folded already."""
        text = fold(self.text)
        return text in line and (not self.whole or re.search(_as_words(text), line) is not None)


def _as_words(text: str) -> str:
    """Return the pattern that finds *text* where no letter or digit goes on before or behind it.

    Devices write values percent-encoded: what such a code ends with is no letter.
    """
    start = rf"(?:(?<!\w)|{_BEHIND_A_CODE})" if _is_of_a_word(text[0]) else ""
    return f"{start}{re.escape(text)}{_NOT_ON if _is_of_a_word(text[-1]) else ''}"


def _is_of_a_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
