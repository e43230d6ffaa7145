"""Two devices beside each other, as a command prints them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitupd.cli.stories.scripts import veil_over
from gitupd.cli.terminal import print_table, printable
from gitupd.core.script import hiding
from gitupd.core.words import counted
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.inspection import Inspection
from gitupd.service.stories.beside import pair_facts, paired_facts, paired_scripts

if TYPE_CHECKING:
    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.core.script import Row
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.service.stories.beside import PairedScripts

_SIGNS = {"left": ("-", "red"), "right": ("+", "green")}


def print_beside(
    site: Site, live: Live | None, device: Device, other: Device, *, show_secrets: bool, as_json: bool
) -> None:
    """Print in what *device* and another one differ, and in what not; raises SiteError if that is the same."""
    if device.serial == other.serial:
        raise SiteError(f"{device.serial} is one device; name another one to hold it against")
    snapshots = Snapshots(site)
    scripts = paired_scripts(*(Inspection(each, live, snapshots, now()).now_lines() for each in (device, other)))
    hide = veil_over(live, show_secrets=show_secrets)
    if as_json:
        click.echo(json.dumps(pair_facts(device, other, scripts, hide), indent=2))
        return
    names = [each.name or str(each.serial) for each in (device, other)]
    rows = [
        [fact.title, *(text or "-" for text in fact.texts), "differs" if fact.differs else ""]
        for fact in paired_facts(device, other)
    ]
    print_table(["", *map(printable, names), ""], [list(map(printable, row)) for row in rows])
    _print_rows(scripts, hide)


def _print_rows(scripts: PairedScripts, hide: Veil) -> None:
    """Print the lines in which two scripts differ, and what there is to be said of them beside."""
    for row in scripts.rows or ():
        for line, (sign, colour) in ((row.left, _SIGNS["left"]), (row.right, _SIGNS["right"])):
            if line is not None:
                click.secho(f"{sign}{printable(hiding(line, hide)(line.text))}", fg=colour)
    for failure in scripts.failures:
        click.echo(failure, err=True)
    click.echo(_said(scripts.rows), err=True)


def _said(rows: tuple[Row, ...] | None) -> str:
    if rows is None:
        return "what they would get can't be compared: it is not known, or too much"
    if not rows:
        return "they would get the same"
    return f"{counted(len(rows), 'line')} of what they would get {'differs' if len(rows) == 1 else 'differ'}"
