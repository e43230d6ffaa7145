"""Short answers in words, outside of the poll path: they are of this moment, so that nobody keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_KEPT: Mapping[str, str] = {"cache-control": "no-store"}


def in_words(status: int, text: str | bytes, headers: Mapping[str, str] | None = None) -> PlainTextResponse:
    """Return *text* as an answer, with further *headers*."""
    return PlainTextResponse(text, status, {**NOT_KEPT, **(headers or {})})
