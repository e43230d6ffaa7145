"""Sentences that the core has put together, told again in the language of whoever reads a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.language import sentences
from gitupd.web.language.choosing import reader

if TYPE_CHECKING:
    from flask import Flask


def install(app: Flask) -> None:
    """Have the templates of *app* tell again what the core says, by a filter."""
    app.jinja_env.filters["retold"] = retold


def retold(text: object) -> str:
    """Return in the reader's language what the core says; what has no form stays as it is."""
    return sentences.retold(text, reader())
