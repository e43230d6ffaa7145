"""The languages of the pages, and their catalogues, which are read as translators write them; nothing is compiled."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

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


TRANSLATIONS = Path(__file__).parents[1] / "translations"


def catalogue_file(language: str) -> Path:
    """Return where the texts of *language* are, which is not the source's."""
    return TRANSLATIONS / f"{language}.po"


@cache
def translations(language: str) -> NullTranslations:
    """Return the texts of *language*; what it lacks is answered in the source's language."""
    if language == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    with catalogue_file(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
