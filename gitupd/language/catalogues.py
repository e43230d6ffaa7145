"""The catalogues of the languages, which are read as translators write them; nothing is compiled."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from gitupd.language.languages import SOURCE

TRANSLATIONS = Path(__file__).parent / "translations"


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
