"""``gitupd trust``: the authorities whose certificates identify devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import TRUSTED
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import harmless
from gitupd.errors import GitupdError
from gitupd.service.certificates.authorities import add_trust, remove_trust, trust_facts, trusted
from gitupd.service.clock import now
from gitupd.store.certificates.revocation import LARGEST

if TYPE_CHECKING:
    from gitupd.service.site import Site


@click.group()
def trust() -> None:
    """See whose certificates identify devices, and change that."""


@trust.command("add")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@on_site
def add(site: Site, files: tuple[Path, ...]) -> None:
    """Trust the authorities in files, in PEM or DER, and take over lists of revoked certificates.

    A running server goes by them within seconds.
    """
    for path in files:
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
            names = add_trust(site, content, actor(), now())
        except OSError as error:
            raise GitupdError(f"can't read {path}: {error.strerror}") from error
        except GitupdError as error:
            raise GitupdError(f"{path}: {error}") from error
        for name in names:
            click.echo(f"trust/{name}")
        if not names:
            click.echo(f"{path}: all of it is trusted already", err=True)


@trust.command("list")
@as_json
@on_site
def list_all(site: Site, as_json: bool) -> None:
    """List what the site trusts, until when, and what is wrong with it."""
    site.trust.settle()
    what = trusted(site.trust.read(), now())
    if as_json:
        click.echo(json.dumps(trust_facts(what), indent=2))
        return
    for each in what.authorities:
        known = " (the vendor's)" if each.is_vendors else ""
        click.echo(harmless(f"{each.file:<32}  until {each.not_after:%Y-%m-%d}  {each.name}{known}"))
        click.echo(f"{'':<32}  SHA-256 {each.fingerprint}")
    for listed in what.lists:
        until = f"until {listed.next_update:%Y-%m-%d}" if listed.next_update else "for ever"
        click.echo(harmless(f"{listed.file:<32}  {until}  {listed.revoked:,} revoked by {listed.name}"))
    for trouble in what.troubles:
        click.echo(harmless(f"warning: {trouble}"), err=True)


@trust.command("remove")
@click.argument("name", type=TRUSTED)
@on_site
def remove(site: Site, name: str) -> None:
    """Trust NAME no more: a file of the list, a common name, or the beginning of a fingerprint."""
    click.echo(f"trust/{remove_trust(site, name, actor(), now())} is removed")
