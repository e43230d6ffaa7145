"""Texts in the language of whoever reads. Texts in the source are English, and the keys of the catalogues.

Each takes its values by name, as ``%(name)s``; a per cent sign is written ``%%``. A sentence is translated as a
whole: nobody puts it together of parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.words import measured
from gitupd.language.catalogues import translations
from gitupd.language.marks import marked, plural
from gitupd.web.language.choosing import language, reader
from gitupd.web.language.forms import decimal

if TYPE_CHECKING:
    from flask import Flask

__all__ = [
    "counted",
    "duration",
    "gettext",
    "install",
    "marked",
    "ngettext",
    "pgettext",
    "plural",
    "translated",
    "whole",
]


def install(app: Flask) -> None:
    """Have the templates of *app* translate: ``{% trans %}``, ``_("…")``, and words that are values by a filter."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        lambda text: translations(language()).gettext(text),
        lambda one, many, number: translations(language()).ngettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, text: translations(language()).pgettext(context, text),
    )
    app.jinja_env.filters.update(translated=translated, counted=counted)
    app.jinja_env.globals["plural"] = plural


def gettext(text: str, /, **values: object) -> str:
    """Return *text* in the reader's language, with *values* filled in."""
    return reader().gettext(text, **values)


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """Return the form of a text for *number*, which it has as ``%(number)s``, with *values* filled in."""
    return reader().ngettext(one, many, number, **values)


def pgettext(context: str, text: str, /, **values: object) -> str:
    """Return *text*, which means something else elsewhere, as it is meant in *context*."""
    return reader().pgettext(context, text, **values)


def translated(word: object) -> str:
    """Return in the reader's language what is a value of the program, such as a role or a state.

    The word is ``marked`` somewhere; any other, as from a device, stays as it is.
    """
    return reader().translated(word)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return *number* with its noun: ``1 device``, ``1,250 devices``; *many* is the plural if it is no mere ``s``."""
    return reader().counted(number, one, many)


def whole(seconds: int) -> str:
    """Return *seconds* in the largest unit that tells them exactly: ``90 seconds``, ``7 days``, ``1 hour``."""
    if seconds and seconds % 86400 == 0:
        return counted(seconds // 86400, "day")
    if seconds and seconds % 3600 == 0:
        return counted(seconds // 3600, "hour")
    if seconds and seconds % 60 == 0:
        return counted(seconds // 60, "minute")
    return counted(seconds, "second")


def duration(seconds: float) -> str:
    """Return how long something takes: ``at once``, ``2.5 s``, ``45 s``, ``4 min``, ``3 h 20 min``, ``2 days``."""
    return " ".join(_measure(*part) for part in measured(seconds)) or gettext("at once")


def _measure(number: float, unit: str) -> str:
    if unit == "day":
        return counted(int(number), "day")
    return f"{decimal(number) if isinstance(number, float) else number} {unit}"
