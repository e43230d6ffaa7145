"""Which languages there are."""

from __future__ import annotations

SOURCE = "en"
"""The language that the texts in the source are written in; it needs no catalogue."""

LANGUAGES = {SOURCE: "English", "de": "Deutsch"}
"""All languages, by what ``<html lang>`` calls them, each with its own name for itself."""

IN_PROGRESS: dict[str, str] = {}
"""Languages that still lack texts, and how they say so: people may choose them, their browsers may not."""


def own_name(language: str) -> str:
    """Return what *language* calls itself, and whether it still lacks texts."""
    name = LANGUAGES[language]
    return f"{name} ({IN_PROGRESS[language]})" if language in IN_PROGRESS else name
