"""Scripts of devices as commands print them: without secrets, unless somebody asks for these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitupd.core.concealing import Veil, sealed_in
from gitupd.core.script import hiding
from gitupd.errors import SiteError

if TYPE_CHECKING:
    from gitupd.core.script import Script
    from gitupd.service.deployments.live import Live


def veil_over(live: Live | None, *, show_secrets: bool) -> Veil:
    """Return what hides secrets of what is deployed, as pages do; with *show_secrets* only what is encrypted in Git."""
    relevant = [live.snapshot] if live else []
    return Veil(lifted=True, sealed=sealed_in(relevant)) if show_secrets else Veil.over(relevant)


def print_script(script: Script | None, hide: Veil) -> None:
    """Print what a device would get, with what *hide* hides; raises SiteError if that is not known."""
    if script is None:
        raise SiteError("it is not known what this device would get: nothing is deployed, or it never polled")
    for line in script.lines:
        click.echo(hiding(line, hide)(line.text))
    if script.executed:
        click.echo("the device has executed this already", err=True)
    if script.failure:
        click.echo(script.failure, err=True)
