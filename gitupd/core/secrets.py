"""Secrets in scripts and configurations, kept from those who may not see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

HIDDEN = "***"


def hidden(text: str, patterns: Iterable[re.Pattern[str]]) -> str:
    """Return *text* with ``***`` for the last group of each match of *patterns*, for all of it where there is none."""
    for pattern in patterns:
        if (found := pattern.search(text)) is not None:
            parts: list[str] = []
            done = 0
            for start, end in _secrets(text, found):
                parts += (text[done:start], HIDDEN)
                done = end
            text = "".join((*parts, text[done:]))
    return text


def _secrets(text: str, found: re.Match[str] | None) -> Iterator[tuple[int, int]]:
    """Yield where secrets start and end in *text*, in order, from the first match on.

    What is taken for a secret may be what names the next one: in ``/pw /psk abc`` the first has no value. So the next
    match may begin within it.
    """
    hidden_to = 0
    while found is not None:
        start, end = found.span(found.re.groups)
        if end > max(start, hidden_to):  # else the group took no part, or is empty, or known from the match before
            yield max(start, hidden_to), end
            again, hidden_to = max(start, found.start() + 1), end
        else:
            again = max(found.end(), hidden_to, found.start() + 1)
        found = found.re.search(text, again) if max(again, hidden_to) < len(text) else None
