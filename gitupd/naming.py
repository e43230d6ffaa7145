"""The table ``[site]`` of a site's settings: by what people tell this site from others."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from gitupd.entries import entries_of, table_in

if TYPE_CHECKING:
    from gitupd.entries import Readers

SiteColour = Literal["green", "blue", "violet", "red", "amber", "grey"]

LONGEST_SITE_NAME = 40


@dataclass(frozen=True, slots=True)
class SiteName:
    """What stands at the top of each page: a ``name``, empty for none, and a ``colour`` that the style sheet knows."""

    name: str = ""
    colour: SiteColour = "green"


def _name(value: object) -> str:
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if not text or not text.isprintable() or len(text) > LONGEST_SITE_NAME:
        raise ValueError(f"{value!r} is no name of 1 to {LONGEST_SITE_NAME} letters in one line")
    return text


def _colour(value: object) -> str:
    if value not in get_args(SiteColour):
        raise ValueError(f"{value!r} is no colour of a site; choose one of {', '.join(get_args(SiteColour))}")
    return str(value)


_READERS: Readers = {"name": _name, "colour": _colour}


def read_site_name(value: object) -> SiteName:
    """Return what the table ``[site]`` says; raises ValueError with a line for each fault."""
    faults: list[str] = []
    read = entries_of(table_in(value, "it is a table: [site]"), _READERS, faults)
    if faults:
        raise ValueError("\n".join(faults))
    return SiteName(**read)
