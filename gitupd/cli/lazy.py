"""Groups whose commands are imported when they are called: a hook waits for ``gitupd validate`` at each commit.

Click asks a group for all of its commands to list them, and for one to run it. This group lists them out of a table.
By it, commands in messages are known, too: they hold the site that somebody has named, so that they can be copied.
"""

from __future__ import annotations

import re
import shlex
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAMED_SITE: ContextVar[Path | None] = ContextVar("named_site", default=None)
"""What --site has named, None if nobody gave it: then a command finds the site as this one did."""

_COMMAND = re.compile(r"\bgitupd(?P<words>( [a-z][a-z-]*){1,2})(?P<rest>[^;,)\n]*)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: ``place`` is ``module:attribute``, ``summary`` the first sentence of its help.

    A test holds the summary to what the command itself says.
    """

    place: str
    summary: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class LazyGroup(click.Group):
    """A group of the commands in ``entries``, by name, in the order in which the reference tells them."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Return the names of all commands, in alphabetical order as any group of click's."""
        return sorted(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click gives it
        """Return the command called *cmd_name*, None if there is none."""
        entry = self.entries.get(cmd_name)
        return entry.load() if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands as click does, each with the summary of its entry, and import none."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))
        commands = [click.Command(name, help=self.entries[name].summary) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl([(str(command.name), command.get_short_help_str(room)) for command in commands])


def copyable(text: str, program: click.Command) -> str:
    """Return *text* with ``--site`` in each command of *program* that takes it, if this one was told a site."""
    if (site := NAMED_SITE.get()) is None or not isinstance(program, click.Group):
        return text
    option = f" --site {shlex.quote(str(site))}"

    def with_option(found: re.Match[str]) -> str:
        count = _length(found["words"].split(), program)
        if not count or "--site" in found["rest"]:
            return found[0]
        words = found["words"].split()
        left = " ".join(words[count:])
        return f"gitupd {' '.join(words[:count])}{option}{f' {left}' if left else ''}{found['rest']}"

    return _COMMAND.sub(with_option, text)


def hint(text: str, *, err: bool = False) -> None:
    """Print a line that holds commands to go on with, with *err* to standard error."""
    click.echo(copyable(text, click.get_current_context().find_root().command), err=err)


def _length(words: list[str], program: click.Group) -> int:
    """Return of how many of *words* a command consists that takes --site, 0 if there is no such command."""
    command: click.Command | None = program
    for count, word in enumerate(words, 1):
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
        if command is None:
            return 0
        if any("--site" in parameter.opts for parameter in command.params):
            return count
    return 0
