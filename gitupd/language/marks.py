"""Marks of texts that are for the catalogue, and translated elsewhere.

Texts in the source are English, and the keys of the catalogues. Each takes its values by name, as ``%(name)s``; a per
cent sign is written ``%%``. A sentence is translated as a whole: nobody puts it together of parts.
"""

from __future__ import annotations


def marked(text: str) -> str:
    """Return *text* as it is; it is for the catalogue, and translated where it is shown."""
    return text


def plural(one: str, many: str) -> tuple[str, str]:
    """Return both forms of a text as they are; they are for the catalogue, as with :func:`marked`."""
    return one, many
