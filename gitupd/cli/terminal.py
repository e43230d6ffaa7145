"""What commands print: times as they are read here, facts, and texts that can't steer the terminal."""

from __future__ import annotations

import shutil
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from datetime import tzinfo

_NARROWEST = 8


def zoned(at: datetime, zone: tzinfo | None = None) -> str:
    """Return a time by the clock of *zone*, None for the one here, with its distance to UTC: it can be typed."""
    return at.astimezone(zone).isoformat(" ", "seconds")


def printable(text: str) -> str:
    """Return what a device says without what would steer the terminal; tabs do no harm."""
    return "".join(letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def harmless(text: str) -> str:
    """Return *text* as it goes to standard output: as it is to a file or a program, to a terminal without steering it.

    Line ends stay: they are of those who print.
    """
    return "\n".join(map(printable, text.split("\n"))) if sys.stdout.isatty() else text


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], whole: Container[int] = frozenset()) -> None:
    """Print *rows* in columns below *headings*, to a terminal no wider than it is.

    Columns are made narrower for that, the widest first, but not those whose numbers *whole* has; what does not fit
    even then is cut at the end of the line.
    """
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if room is not None:
        _fit(widths, room, [number for number in range(len(widths)) if number not in whole])
    for row in (headings, *rows):
        cells = (_cut(value, width).ljust(width) for value, width in zip(row, widths, strict=True))
        line = "  ".join(cells).rstrip()
        click.echo(line if room is None else _cut(line, room))


def _fit(widths: list[int], room: int, flexible: Sequence[int]) -> None:
    """Narrow the *flexible* ones of *widths* until they fit into the *room*, or are too narrow to be read."""
    surplus = sum(widths) + 2 * (len(widths) - 1) - room
    while surplus > 0 and flexible:
        widest = max(flexible, key=lambda number: widths[number])
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1
        surplus -= 1


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def print_facts(facts: dict[str, Any], indent: str = "") -> None:
    """Print what is known, one fact in a line; what is not known is left out."""
    width = max((len(name) for name, value in facts.items() if not isinstance(value, dict)), default=0)
    for name, value in facts.items():
        title = name.replace("_", " ")
        if value in (None, [], {}, ""):
            continue
        if isinstance(value, dict):
            click.echo(f"{indent}{title}")
            print_facts(value, f"{indent}  ")
        elif isinstance(value, list):
            for number, item in enumerate(value):
                text = "  ".join(map(str, item.values())) if isinstance(item, dict) else item
                click.echo(f"{indent}{title if not number else '':<{width}}  {printable(str(text))}")
        else:
            click.echo(f"{indent}{title:<{width}}  {printable(str(value))}")


def readable(value: Any) -> Any:
    """Return a remembered value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return zoned(value) if isinstance(value, datetime) else plain(value)
