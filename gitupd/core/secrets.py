"""Secrets in scripts and configurations, kept from those who may not see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

HIDDEN = "***"


def hidden(text: str, patterns: Iterable[re.Pattern[str]]) -> str:
    """Return *text* with ``***`` for the last group of each match of *patterns*, for all of it where there is none."""
    for pattern in patterns:
        text = pattern.sub(_hide, text)
    return text


def _hide(found: re.Match[str]) -> str:
    start, end = found.span(found.re.groups)
    if start < 0:
        return found[0]  # a group that took no part in the match
    whole = found[0]
    return whole[: start - found.start()] + HIDDEN + whole[end - found.start() :]
