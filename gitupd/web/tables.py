"""Tables as files: CSV after RFC 4180 for programs, and such that spreadsheets open it rightly for people."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol
from flask import Response, request, stream_with_context

from gitupd.web.language.choosing import chosen_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Cell = str | int | datetime | Sequence[str] | None

Row = TypeVar("Row")

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
"""What an address may ask for to stand between cells."""

AT_ONCE = 500
"""So many rows are looked up, and sent, at a time."""

_TYPE = "text/csv; charset=utf-8"
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by it Excel knows that it is UTF-8; it would not behind a line sep=;
_WIDE = "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_FORMULA = re.compile(rf"^(?=[=+\-@\t\r\n{_WIDE}])|(?<=[,;\t\r\n])(?=[=+\-@{_WIDE}])")


def spreadsheet(name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Return a table that spreadsheets open as it is meant, to be saved as *name*; *rows* are read as it is sent.

    It is in UTF-8 with a byte order mark, and separated as the address asks, or else as the spreadsheet of whoever asks
    is likely to expect it. Times are in UTC, and nothing is taken for a formula.
    """
    lines = _lines(headings, rows, SEPARATORS[separator()])
    response = Response(stream_with_context(lines), content_type=_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def plain_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """Return a table for programs: after RFC 4180, in UTF-8, each text as it is; *rows* are read as it is sent."""

    def lines() -> Iterator[str]:
        yield _written([headings], ",")
        for some in _some(rows):
            yield _written(some, ",")

    return Response(stream_with_context(lines()), content_type=_TYPE)


def separator() -> str:
    """Return the name of what separates cells: as the address asks, or as the language of whoever asks has it.

    Where numbers have a decimal comma, Excel separates by semicolons.
    """
    asked = request.args.get("separator", "")
    if asked in SEPARATORS:
        return asked
    language = chosen_language() or next(iter(request.accept_languages.values()), "en")
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return "comma"
    # In Switzerland, numbers have a point, and Excel separates by semicolons all the same.
    return "semicolon" if locale.language == "de" or get_decimal_symbol(locale) == "," else "comma"


def other_separator() -> str:
    """Return the name of the separator to be offered beside the one that whoever asks gets by default."""
    return "comma" if separator() == "semicolon" else "semicolon"


def defused(text: str) -> str:
    """Return *text* so that no spreadsheet takes it for a formula, or a part of it, if it separates cells otherwise."""
    return _FORMULA.sub("'", text)


def _lines(headings: Sequence[str], rows: Iterable[Sequence[Cell]], between: str) -> Iterator[str]:
    yield _MARK + _written([list(map(defused, headings))], between)
    for some in _some(rows):
        yield _written((list(map(_cell, row)) for row in some), between)


def _some(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case int():
            return str(value)
        case str():
            return defused(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return defused(", ".join(value))


def _written(rows: Iterable[Sequence[str]], between: str) -> str:
    lines = io.StringIO()
    csv.writer(lines, delimiter=between).writerows(rows)
    return lines.getvalue()
