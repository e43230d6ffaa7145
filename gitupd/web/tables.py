"""Tables for spreadsheets: lines of CSV in UTF-8, of which nothing is taken for a formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""What stands in front of such a table: by it Excel knows that it is UTF-8."""

_WIDE = "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_FORMULA = tuple(f"=+-@\t\r\n{_WIDE}")


def defused(text: str) -> str:
    """Return *text* so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def written(rows: Iterable[list[str]]) -> str:
    """Return *rows* as lines of CSV."""
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()
