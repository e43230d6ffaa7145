"""What hooks say: to standard error, where Git shows it to whoever waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitupd.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.errors import Problem

_MOST_TOLD = 200


def say(sentence: str) -> None:
    """Say what becomes of a commit or a push."""
    _print(f"gitupd: {sentence}")


def tell(problems: Sequence[Problem]) -> None:
    """Tell what is wrong, errors first."""
    ordered: Iterable[Problem] = sorted(problems, key=lambda problem: problem.severity.value)
    for number, problem in enumerate(ordered):
        if number == _MOST_TOLD:
            add(f"… and {len(problems) - _MOST_TOLD} more")
            break
        add(str(problem))


def add(detail: str) -> None:
    """Add a line to what was said before."""
    _print(f"  {detail}")


def _print(text: str) -> None:
    """Print *text*, in which a name of a branch or a file may be that is meant to steer a terminal."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=True)
