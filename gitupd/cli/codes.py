"""``gitupd codes``: one-time codes, by which devices are accepted that nobody knows yet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import CODE
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import printable, zoned
from gitupd.core.words import counted
from gitupd.errors import SiteError
from gitupd.service.admission.codes import DAYS, LONGEST_DAYS, MOST_AT_ONCE, make_codes, revoke_codes
from gitupd.service.clock import now
from gitupd.service.facts import code_facts

if TYPE_CHECKING:
    from gitupd.service.site import Site

_TITLE = "devices"


@click.group()
def codes() -> None:
    """One-time codes, by which devices are accepted that nobody knows yet."""


@codes.command()
@click.option("--count", type=click.IntRange(1, MOST_AT_ONCE), default=1, show_default=True, help="How many.")
@click.option(
    "--days", type=click.IntRange(1, LONGEST_DAYS), default=DAYS, show_default=True, help="For how long they are good."
)
@click.option("--title", default=_TITLE, show_default=True, help="What they are for.")
@as_json
@on_site
def add(site: Site, count: int, days: int, title: str, as_json: bool) -> None:
    """Make codes, and print them, this once.

    Each is good for one device, whose update URL says it, and its serial number, too:
    http://SERVER/update.php?type=#t&sn=#m&hwid=#h&ip=#i&code=CODE
    """
    made = make_codes(site, actor(), now(), count=count, days=days, title=title)
    if as_json:
        click.echo(json.dumps([code_facts(code, now()) | {"code": shown} for code, shown in made], indent=2))
        return
    for _, shown in made:
        click.echo(shown)


@codes.command("list")
@as_json
@on_site
def list_codes(site: Site, as_json: bool) -> None:
    """List codes, the latest first, and which devices have used them."""
    listed = site.codes.listed()
    if as_json:
        click.echo(json.dumps([code_facts(code, now()) for code in listed], indent=2))
        return
    for code in listed:
        until = f"good until {zoned(code.expires)}" if code.is_open(now()) else code.state(now())
        by = f" by {code.serial} {zoned(code.used)}" if code.serial and code.used else ""
        click.echo(f"{code.id:>6}  {printable(code.title)}  made by {printable(code.who)}  {until}{by}")


@codes.command()
@click.argument("numbers", metavar="ID...", type=CODE, nargs=-1, required=True)
@on_site
def revoke(site: Site, numbers: tuple[int, ...]) -> None:
    """Revoke codes by their ids, which gitupd codes list shows. Devices that have used one stay accepted."""
    count = revoke_codes(site, numbers, actor(), now())
    if not count:
        raise SiteError("no such code is open; see: gitupd codes list")
    click.echo(f"revoked {counted(count, 'code')}")
