"""Groups whose commands are imported when they are called: a hook waits for ``gitupd validate`` at each commit.

Click asks a group for all of its commands to list them, and for one to run it. This group lists them out of a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


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
