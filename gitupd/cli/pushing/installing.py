"""The command that installs hooks."""

from __future__ import annotations

from pathlib import Path

import click

from gitupd.service.pushing.installing import install_hooks


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("--force", is_flag=True, help="Replace other hooks, and keep them as NAME.before.")
def install(directory: Path, force: bool) -> None:
    """Put hooks into the repository at DIRECTORY.

    One with a work tree gets a hook that looks at what is committed; a bare one, such as that of a site, hooks that
    look at what is pushed, and say what becomes of it.
    """
    for installed in install_hooks(directory, force=force):
        kept = f"; what was there is {installed.kept}" if installed.kept else ""
        click.echo(f"installed {installed.path}{kept}")
