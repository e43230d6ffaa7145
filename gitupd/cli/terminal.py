"""What commands print: times as they are read here, facts, and texts that can't steer the terminal."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gitupd.service.facts import plain

if TYPE_CHECKING:
    from datetime import tzinfo


def local(at: datetime) -> str:
    """Return a time as people read it here."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


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
    return local(value) if isinstance(value, datetime) else plain(value)
