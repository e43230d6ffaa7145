"""``gitupd certificates approve``, ``reject`` and ``revoke``: what people decide on requests and certificates."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import CERTIFICATE, SERIAL_NUMBER
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import printable
from gitupd.core.caller import parse_serial
from gitupd.core.words import counted
from gitupd.service.certificates.revoked_lists import FLAGS
from gitupd.service.certificates.signing import Signing, outcome_facts
from gitupd.service.clock import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.caller import Serial
    from gitupd.service.certificates.signing import SigningOutcome
    from gitupd.service.site import Site

_ALL = click.option("--all", "everybody", is_flag=True, help="All devices whose request waits.")
_SERIALS = click.argument("serials", metavar="SN...", type=SERIAL_NUMBER, nargs=-1)


@click.command()
@_SERIALS
@_ALL
@as_json
@on_site
def approve(site: Site, *, serials: tuple[str, ...], everybody: bool, as_json: bool) -> None:
    """Have signing requests of devices signed: by the site's authority, or whom the configuration names.

    Look at what you sign: gitupd certificates show SN. Exit with 1 if one was not signed, and say why.
    """
    signing = Signing(site)
    _told("signed", signing.approve(_chosen(signing, serials, everybody=everybody), actor(), now()), as_json=as_json)


@click.command()
@_SERIALS
@_ALL
@click.option("--reason", required=True, help="Why; it is shown with the device, and in the audit.")
@as_json
@on_site
def reject(site: Site, *, serials: tuple[str, ...], everybody: bool, reason: str, as_json: bool) -> None:
    """Have signing requests of devices stay unsigned, until they start over."""
    signing = Signing(site)
    chosen = _chosen(signing, serials, everybody=everybody)
    _told("rejected", signing.reject(chosen, reason, actor(), now()), as_json=as_json)


@click.command()
@_SERIALS
@click.option(
    "--number",
    "numbers",
    type=CERTIFICATE,
    multiple=True,
    help="The certificate with this serial number, in hexadecimal.",
)
@click.option(
    "--reason",
    required=True,
    help=f"Why, in your own words; published are {', '.join(FLAGS)}.",
)
@as_json
@on_site
def revoke(site: Site, *, serials: tuple[str, ...], numbers: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Revoke what the site's authority has signed for devices, and is good still; it counts within seconds.

    A device gets no other certificate before somebody has it start over: gitupd certificates restart SN
    """
    if not serials and not numbers:
        raise click.UsageError("name devices, or certificates with --number")
    signing = Signing(site)
    devices = [parse_serial(text) for text in serials]
    outcomes = signing.revoke(devices, reason, actor(), now()) if devices else []
    outcomes += [signing.revoke_number(number, reason, actor(), now()) for number in numbers]
    _told("revoked", outcomes, as_json=as_json)


def _chosen(signing: Signing, serials: Sequence[str], *, everybody: bool) -> list[Serial]:
    """Return the devices that are named, or all whose request waits."""
    if everybody == bool(serials):
        raise click.UsageError("name devices, or say --all")
    if everybody:
        return [record.serial for record in signing.waiting()]
    return [parse_serial(text) for text in serials]


def _told(what: str, outcomes: Sequence[SigningOutcome], *, as_json: bool) -> None:
    """Print what became of devices; exit with 1 if something was not done."""
    if as_json:
        click.echo(json.dumps([outcome_facts(each) for each in outcomes], indent=2))
    else:
        for each in outcomes:
            state = what if each.is_done else f"not {what}"
            click.echo(f"{each.serial}  {state}: {printable(each.detail)}", err=not each.is_done)
        click.echo(counted(sum(each.is_done for each in outcomes), "device") + f" {what}", err=True)
    if not all(each.is_done for each in outcomes):
        sys.exit(1)
