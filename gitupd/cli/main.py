"""The program ``gitupd``: all commands, and what becomes of their errors."""

from __future__ import annotations

import sys

import click

from gitupd import __version__
from gitupd.cli import deployments, devices, firmware, people, repository, sites
from gitupd.cli.backups import questions, restores
from gitupd.cli.demo import demo
from gitupd.cli.emulate import emulate
from gitupd.errors import GitupdError, InvalidConfiguration


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="gitupd")
def cli() -> None:
    """Serve fleets of innovaphone phones and gateways from a Git repository.

    Commands on a configuration repository need no server; commands on a site take --site, else GITUPD_SITE, else the
    current directory.
    """


for command in (
    *repository.COMMANDS,
    *sites.COMMANDS,
    *deployments.COMMANDS,
    *firmware.COMMANDS,
    *devices.COMMANDS,
    *questions.COMMANDS,
    *restores.COMMANDS,
    *people.COMMANDS,
    emulate,
    demo,
):
    cli.add_command(command)


def main() -> None:
    """Run the program; exit with 0 if it did what was asked, 1 for what the user can mend, 2 for wrong usage."""
    try:
        cli(prog_name="gitupd")
    except InvalidConfiguration as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)
    except GitupdError as error:
        click.echo(f"gitupd: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
