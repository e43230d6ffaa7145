"""Commands on the inventory of a site: the devices that asked."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import DEVICE, FILTER, SHARED_SEARCH, Completed
from gitupd.cli.listing.saved import shared_search
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.stories.beside import print_beside
from gitupd.cli.stories.known_devices import known_device, serial_meant
from gitupd.cli.stories.scripts import print_script, veil_over
from gitupd.cli.terminal import print_facts, print_table, printable, readable, zoned
from gitupd.core.concealing import Veil
from gitupd.core.search import typed
from gitupd.core.searches.saved import ListView
from gitupd.core.words import counted
from gitupd.errors import SiteError
from gitupd.service.answers import shown_answers
from gitupd.service.clock import now
from gitupd.service.comparison.fleet_file import poll_facts
from gitupd.service.deployments.convergence import Measures
from gitupd.service.deployments.live import live_now
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.facts import answer_facts, device_facts, inspected_facts, name_facts
from gitupd.service.fleet import SORTS, Fleet
from gitupd.service.inspection import Inspection
from gitupd.service.listing.columns import OWN, Listing, chosen, still_there, usual
from gitupd.service.listing.environments import ORDERS, environment_facts, environments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.core.snapshot import SnippetName
    from gitupd.core.standing import Standings
    from gitupd.service.listing.columns import Value
    from gitupd.service.listing.environments import EnvironmentOverview
    from gitupd.service.site import Site

_AT_ONCE = 1_000  # no database takes any number of parameters
_COLUMNS = usual(
    ("state", "sn", "type", "name", "env", "address", "phase", "firmware", "commit", "certificate", "seen")
)
_COLUMN_NAMES = Completed("column", [each.name for each in OWN], many=True)
_COMMITS = ("commit", "sent")
_WHOLE = frozenset({"state", "sn", *_COMMITS})
"""Columns that are not cut, so that they can be copied."""
_OF_ENVIRONMENTS = (
    "environment",
    "devices",
    "missing",
    "waiting",
    "warned",
    "drifted",
    "backup overdue",
    "commit",
    "firmware",
)
_SHORT = 12


@click.command()
@click.argument("words", metavar="[FILTER]...", nargs=-1, type=FILTER)
@click.option(
    "--saved",
    metavar="NAME",
    type=SHARED_SEARCH,
    help="What the search finds that is saved for everybody as NAME, as it lists it.",
)
@click.option("--sort", type=click.Choice(SORTS), help="What to sort by.  [default: serial]")
@click.option("--descending", is_flag=True, help="Sort the other way round.")
@click.option("--limit", type=click.IntRange(1), help="How many at the most.  [default: all]")
@click.option(
    "--columns", metavar="NAME,...", type=_COLUMN_NAMES, help="Which columns, with commas between their names."
)
@as_json
@on_site
def devices(
    site: Site,
    *,
    words: tuple[str, ...],
    saved: str | None,
    sort: Any,
    descending: bool,
    limit: int | None,
    columns: str | None,
    as_json: bool,
) -> None:
    """List the devices that asked, those that FILTER finds.

    A word of FILTER is part of a name, serial number, hardware id or address, or another value as a whole: a type,
    phase, class, environment or build; or it is present, missing, current, waiting, warned, unknown, quarantined,
    refused or accepted. Quoted, it is a whole value. An address that ends in a dot finds all that start so. Devices
    that are not let in are found by these words, or by serial number, only. KEY:VALUE looks for one kind of value,
    and * and ? stand for characters: type:IP222, env:berlin, name:desk*, commit:7f3c21a, has:message,
    admin.name:lobby*. A minus in front finds all others, a comma separates values of which one is enough, and builds
    and times have < > and ..: -missing, type:IP222,IP232, firmware:<137213, seen:15m, seen:>30d,
    seen:2026-05-01..2026-05-07. certificate:signing finds devices whose roll-out is at that stage, runs:7f3c21a
    devices that surely run a commit, never:7f3c21a those that were to and never confirmed it, and deployment:silent,
    or delivered, drifted, in-force and others, what devices have reached in the deployment that is live. A FILTER
    that begins with a minus stands behind --.

    Names of columns are those of the keys, some more, and those of values that devices answered to queries:
    --columns name,sn,env,seen,admin.name.

    With --saved, FILTER finds some of what the saved search finds, and the other options go before what it says.
    """
    live = live_now(site)
    fleet = Fleet(site, live, now())
    view = shared_search(site, saved).view if saved is not None else ListView()
    search = fleet.checked(f"{view.text} {typed(words)}".strip())
    queries = live.snapshot.policy.queries if live else ()
    named = still_there(view.columns, queries) if columns is None else chosen(columns, queries)
    wanted = named or _COLUMNS
    sort, descending = (sort, descending) if sort else (view.order, descending or view.descending)
    listing = Listing(site, fleet, wanted, queries, Veil(lifted=True))
    total = fleet.find(search, limit=1).total
    matches = fleet.find(search, sort=sort, descending=descending, limit=limit or max(total, 1))
    if as_json:
        polls = site.inventory.last_polls(device.serial for device in matches.devices)
        listed = [_with_its_poll(device_facts(fleet, device), polls.get(device.serial)) for device in matches.devices]
        if named:
            for facts, values in zip(listed, listing.facts(matches.devices), strict=True):
                facts["columns"] = values
        click.echo(json.dumps(listed, indent=2))
        return
    _print_table(listing, _rows(fleet, listing, matches.devices))
    shown_of = "" if len(matches.devices) == total else f", {len(matches.devices)} shown"
    click.echo(f"{counted(total, 'device')}{shown_of}{_totals(fleet.standings(search))}", err=True)


def _totals(found: Standings) -> str:
    """Return how the devices stand that were *found*; nothing if there are none."""
    numbers = (
        (found.current, "current"),
        (found.waiting, "waiting"),
        (found.missing, "missing"),
        (found.warned, "with a warning"),
    )
    told = ", ".join(f"{number:,} {word}" for number, word in numbers if number)
    return f": {told}" if told else ""


@click.command()
@click.option("--sort", type=click.Choice(ORDERS), default="worst", show_default=True, help="What to sort by.")
@as_json
@on_site
def environments(site: Site, *, sort: Any, as_json: bool) -> None:
    """List the environments that devices are in, and how they stand.

    A device counts in each of its environments, and in those that they imply. Sorted by worst, those come first of
    which the greatest part is missing, or else waits; by name, from the first on; by anything else, from the most on.
    """
    listed = environments_of(_fleet(site), sort)
    if as_json:
        click.echo(json.dumps(environment_facts(listed), indent=2))
        return
    if listed:
        print_table(_OF_ENVIRONMENTS, [_environment_row(each) for each in listed])
    click.echo(counted(len(listed), "environment"), err=True)


def _environment_row(each: EnvironmentOverview) -> list[str]:
    firmware, commit = each.firmware[0], each.commits[0]
    numbers = (each.total, each.missing, each.waiting, each.warned, each.drifted, each.overdue)
    most = (
        f"{commit.count} on {(commit.value or 'unknown')[:_SHORT]}",
        f"{firmware.count} on {firmware.value or 'unknown'}",
    )
    return [printable(text) for text in (each.name, *map(str, numbers), *most)]


@click.command()
@click.argument("text", metavar="DEVICE", type=DEVICE)
@click.option("--script", "script", is_flag=True, help="Print the script that the device would get, and nothing else.")
@click.option("--show-secrets", is_flag=True, help="Print passwords in the script as they are.")
@click.option(
    "--names", is_flag=True, help="Print the names that its snippets could have, whether there are such or not."
)
@click.option(
    "--with", "other", metavar="DEVICE", type=DEVICE, help="Print in what this other device differs, and in what not."
)
@as_json
@on_site
def device(
    site: Site, text: str, *, script: bool, show_secrets: bool, names: bool, other: str | None, as_json: bool
) -> None:
    """Say all that is known of one device: DEVICE is its serial number, name or address.

    With another device: what is known of both, and the lines in which differ what they would get.
    """
    if script + names + (other is not None) > 1:
        raise click.UsageError("take one of --script, --names and --with")
    live = live_now(site)
    fleet = Fleet(site, live, now())
    device = known_device(site, fleet, text)
    if other is not None:
        print_beside(site, live, device, known_device(site, fleet, other), show_secrets=show_secrets, as_json=as_json)
        return
    inspection = Inspection(device, live, Snapshots(site), now())
    if script:
        print_script(inspection.now_lines(), veil_over(live, show_secrets=show_secrets))
        return
    if names:
        _print_names(inspection.snippet_names(), as_json=as_json)
        return
    answers = shown_answers(live.snapshot.policy.queries if live else (), site.answers.of(device.serial))
    if as_json:
        progress = Measures(site, live, now()).progress(device)
        facts = inspected_facts(fleet, device, inspection.next_step(), Veil(lifted=True), progress)
        facts["answers"] = [answer_facts(answer, Veil(lifted=True)) for answer in answers]
        click.echo(json.dumps(facts, indent=2))
        return
    print_facts(
        {
            **device_facts(fleet, device, readable),
            "answers": {answer.query: dict(answer.values) for answer in answers if answer.received is not None},
            "next": inspection.next_step(),
            "messages": [{"at": zoned(message.at), "text": message.text} for message in device.messages],
        }
    )


@click.command()
@click.argument("texts", metavar="DEVICE...", type=DEVICE, nargs=-1, required=True)
@on_site
def forget(site: Site, texts: tuple[str, ...]) -> None:
    """Forget devices with all that is remembered of them. One that still polls comes back by itself.

    DEVICE is a serial number, all of a name, or an address.
    """
    listed = _present_serials(site, texts)
    count = _fleet(site).forget(listed, actor())
    click.echo(f"forgot {counted(count, 'device')}")


@click.command()
@click.argument("texts", metavar="DEVICE...", type=DEVICE, nargs=-1, required=True)
@on_site
def touch(site: Site, texts: tuple[str, ...]) -> None:
    """Count devices as seen now, so that they are neither missing nor forgotten for the time being.

    DEVICE is a serial number, all of a name, or an address.
    """
    listed = _present_serials(site, texts)
    count = _fleet(site).touch(listed, actor())
    click.echo(f"touched {counted(count, 'device')}")


def _present_serials(site: Site, texts: Iterable[str]) -> list[Serial]:
    """Return the devices that are meant; raises SiteError, before anything is done, if one of them is none."""
    listed = list(dict.fromkeys(serial_meant(site, text, whole=True) for text in texts))
    present = [site.inventory.some(listed[first : first + _AT_ONCE]) for first in range(0, len(listed), _AT_ONCE)]
    unknown = [str(serial) for serial in listed if not any(serial in devices for devices in present)]
    if unknown:
        raise SiteError(f"no such device: {', '.join(unknown)}; nothing was changed")
    return listed


def _with_its_poll(facts: dict[str, Any], device: Device | None) -> dict[str, Any]:
    """Return *facts* of a device with what its last poll said, which is all that gitupd plan has to know."""
    return {**facts, "last_poll": None if device is None else poll_facts(device)}


def _fleet(site: Site) -> Fleet:
    return Fleet(site, live_now(site), now())


def _rows(fleet: Fleet, listing: Listing, devices: Sequence[Device]) -> list[list[str]]:
    names = [column.name for column in listing.columns]
    return [
        [_cell(fleet, device, name, value) for name, value in zip(names, row, strict=True)]
        for device, row in zip(devices, listing.rows(devices), strict=True)
    ]


def _cell(fleet: Fleet, device: Device, name: str, value: Value) -> str:
    """Return what a terminal shows in a column called *name*; a state has a mark where there are warnings."""
    match value:
        case datetime():
            return zoned(value)
        case tuple():
            return printable(", ".join(value) or "-")
        case _ if name == "state" and fleet.warnings(device):
            return f"{value} !"
        case _:
            return printable((value or "-")[:_SHORT] if name in _COMMITS else value or "-")


def _print_table(listing: Listing, rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    whole = {number for number, column in enumerate(listing.columns) if column.name in _WHOLE}
    print_table([printable(column.title.lower()) for column in listing.columns], rows, whole)


def _print_names(names: Sequence[SnippetName], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(name_facts(names), indent=2))
        return
    if not names:
        raise SiteError("it is not known which snippets this device would get: nothing is deployed, or it never polled")
    width = max(len(each.name) for each in names)
    for each in names:
        click.echo(f"{each.name:{width}}  {each.path or '-'}")
