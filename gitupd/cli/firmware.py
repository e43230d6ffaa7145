"""Commands on firmware files of a site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import who
from gitupd.cli.completion.kinds import BUILD
from gitupd.cli.on_site import as_json, on_site
from gitupd.core.people.audit import Event, Kind
from gitupd.service.clock import now

if TYPE_CHECKING:
    from gitupd.service.site import Site


@click.group()
def firmware() -> None:
    """Firmware files that devices load from this site."""


@firmware.command("add")
@click.argument("build", type=BUILD)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@on_site
def firmware_add(site: Site, build: str, files: tuple[Path, ...]) -> None:
    """Add files to a build, such as: gitupd firmware add 137213 ip222.bin boot222.bin."""
    for path in files:
        added = site.firmware.add(build, path, Event(now(), who(), Kind.FIRMWARE_ADD))
        click.echo(f"fw/{added.build}/{added.name}  {added.size:,} bytes")


@firmware.command("list")
@as_json
@on_site
def firmware_list(site: Site, as_json: bool) -> None:
    """List firmware files."""
    files = site.firmware.files()
    if as_json:
        click.echo(
            json.dumps([{"build": file.build, "name": file.name, "size": file.size} for file in files], indent=2)
        )
        return
    for file in files:
        click.echo(f"{file.build:<12}  {file.name:<24}  {file.size:>12,}")
