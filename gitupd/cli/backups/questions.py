"""Commands that answer questions about backups: who has a text, since when, which devices give none or drift."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.backups.history import history_of, viewed, with_secrets
from gitupd.cli.completion.kinds import DEVICE_AND_VERSION, FILTER
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.stories.known_devices import version_meant
from gitupd.cli.terminal import printable, zoned
from gitupd.core.backups.overdue import Overdue
from gitupd.core.words import counted
from gitupd.service.backups.facts import drift_facts, overdue_facts, version_facts
from gitupd.service.backups.finding import find_all_holders
from gitupd.service.backups.overdue import OverdueBackups
from gitupd.service.backups.search import TextQuery, parse_text
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.facts import plain
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.service.backups.finding import HoldersFound
    from gitupd.service.backups.origins import LineSource
    from gitupd.service.backups.search import Held, Hit
    from gitupd.service.site import Site
    from gitupd.store.backups.texts import HeldLine

_MOST = 1_000_000
_SECONDS = 600.0


@click.command("search")
@click.argument("text")
@click.option("--word", "whole", is_flag=True, help="Whole words only: 10.1.0.1 does not find 10.1.0.10.")
@click.option(
    "--of", "words", metavar="WORDS", type=FILTER, default="", help="Look at devices that these words find only."
)
@click.option("--without", is_flag=True, help="Find the devices that do not have it.")
@click.option("--history", "ever", is_flag=True, help="Find the devices that ever had it, and from when to when.")
@click.option("--lines", "grouped", is_flag=True, help="List the different lines, and how many devices have each.")
@as_json
@on_site
def search(
    site: Site, *, text: str, whole: bool, words: str, without: bool, ever: bool, grouped: bool, as_json: bool
) -> None:
    """Find the devices whose latest configuration holds TEXT; letter case does not matter.

    WORDS are those of: gitupd devices. All of them are listed, and counted exactly.
    """
    if ever + without + grouped > 1:
        raise click.UsageError("take one of --without, --history and --lines")
    fleet = Fleet(site, live_now(site), now())
    device_search = fleet.checked(words)
    among = frozenset(fleet.serials(device_search)) if device_search.terms else None
    query, history = TextQuery(parse_text(text), whole, among), history_of(site, secrets=False)
    if ever:
        held = history.search_through(query, seconds=math.inf).held
        _searched(site, text, held, "the history")
        _print_holders(held, as_json=as_json)
        return
    if without:
        serials, hits = history.lacking(query)
        _searched(site, text, hits)
        _listed([str(serial) for serial in serials], as_json=as_json)
        return
    if grouped:
        found = find_all_holders(history, query)
        _searched(site, text, found.lines)
        _print_lines(found, as_json=as_json)
        return
    hits, _ = history.search(query, _MOST)
    _searched(site, text, hits)
    if as_json:
        click.echo(json.dumps([{"serial": hit.serial, "line": hit.number, "text": hit.text} for hit in hits], indent=2))
        return
    for hit in hits:
        click.echo(f"{hit.serial}:{hit.number}: {printable(hit.text)}")
    click.echo(counted(len({hit.serial for hit in hits}), "device"), err=True)


@click.command("since")
@click.argument("what", metavar="DEVICE[@REV]", type=DEVICE_AND_VERSION)
@click.argument("text", required=False, default="")
@as_json
@with_secrets
@on_site
def since(site: Site, *, what: str, text: str, as_json: bool, show_secrets: bool) -> None:
    """Print since when each line of a version is there: the commit that brought it, and when that came.

    DEVICE is its serial number, name or address. With TEXT only lines that hold it; letter case does not matter. A line
    that was taken out and came back is as old as its return.
    """
    history = history_of(site, secrets=show_secrets)
    version = history.version(*version_meant(site, what))
    viewed(site, str(version.serial), f"since when the lines of {version.commit[:12]} are there")
    sources = [source for source in history.origins(version, _SECONDS) if text.lower() in source.line.text.lower()]
    if as_json:
        click.echo(json.dumps([_source_facts(source) for source in sources], indent=2))
        return
    for source in sources:
        click.echo(f"{_source_line(source)}  {source.line.number:>5}  {printable(source.line.text)}")


@click.command("overdue")
@click.option("--days", type=click.IntRange(1, 10_000), help="For how long; default: for missing_after of the policy.")
@as_json
@on_site
def overdue(site: Site, *, days: int | None, as_json: bool) -> None:
    """List devices that have not uploaded a backup for some days, or never.

    An upload that is the same as the one before counts, too. None is overdue while backups are switched off.
    """
    overdue_backups = OverdueBackups(site, live_now(site), now(), timedelta(days=days) if days else None)
    devices = [*overdue_backups.late(_MOST), *overdue_backups.never(_MOST)]
    if as_json:
        click.echo(json.dumps([overdue_facts(device) for device in devices], indent=2))
        return
    for device in devices:
        name = f'  "{device.name}"' if device.name else ""
        called = f"{_at(device.last_seen)}{'  missing' if device.because is Overdue.MISSING else ''}"
        click.echo(printable(f"{device.serial}  uploaded {_at(device.uploaded)}  called {called}{name}"))
    if overdue_backups.deadline is None:
        click.echo("no device is overdue: nothing asks them for backups", err=True)
        return
    counts = overdue_backups.count()
    late, never = counted(counts.late, "device"), counted(counts.never, "device")
    missing = f", {counts.missing:,} more missing altogether" if counts.missing else ""
    click.echo(f"{late} late, {never} without any backup{missing}", err=True)


@click.command("drift")
@click.argument("words", nargs=-1, type=FILTER)
@as_json
@on_site
def drift(site: Site, *, words: tuple[str, ...], as_json: bool) -> None:
    """List devices that executed what is deployed, and whose latest backup is not as that wants it.

    WORDS are those of: gitupd devices. The keeper of a server that runs finds that out as they upload. Only options of
    modules that the script mentions are compared, and no secrets.
    """
    fleet = Fleet(site, live_now(site), now())
    yardstick, found = fleet.yardstick, fleet.checked(" ".join(words))
    drifted, figures = site.drifts.listed(found, yardstick, _MOST), site.drifts.figures(found, yardstick)
    viewed(site, "", "which devices are not as wanted")
    if as_json:
        latest = {version.serial: version.commit for version in history_of(site, secrets=False).latest()}
        click.echo(json.dumps([drift_facts(each, latest.get(each.serial)) for each in drifted], indent=2))
        return
    for each in drifted:
        options = ", ".join(f"{module} {option}" for module, option, _ in each.off)
        click.echo(printable(f"{each.serial}  {options}"))
    pending = f"; {figures.pending:,} yet to be judged" if figures.pending else ""
    click.echo(f"{figures.drifted:,} of {counted(figures.executed, 'device')} not as wanted{pending}", err=True)


def _searched(site: Site, text: str, hits: Sequence[Hit | Held | HeldLine], where: str = "the latest versions") -> None:
    """Write into the audit what was searched for, unless it may be a secret: others read the audit."""
    searched = f"search for {text!r} in {where}" if hits else f"search in {where} for a text that is hidden, or nowhere"
    viewed(site, "", searched)


def _print_lines(found: HoldersFound, *, as_json: bool) -> None:
    if as_json:
        lines = [{"text": line.text, "devices": list(map(str, found.of(line)))} for line in found.lines]
        click.echo(json.dumps(lines, indent=2))
        return
    for line in found.lines:
        click.echo(printable(f"{line.devices:>7,}  {line.text}"))
    lines_in = counted(len(found.lines), "different line")
    click.echo(f"{counted(found.count, 'device')}, {lines_in}", err=True)


def _print_holders(holders: Sequence[Held], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_held_facts(holder) for holder in holders], indent=2))
        return
    for holder in holders:
        first, last = (f"{version.commit[:12]} {zoned(version.received)}" for version in (holder.first, holder.last))
        line = f"{holder.serial}  from {first}  to {last}  {counted(holder.count, 'version')}: {holder.lines[0].text}"
        click.echo(printable(line))
    click.echo(counted(len(holders), "device"), err=True)


def _held_facts(holder: Held) -> dict[str, Any]:
    return {
        "serial": str(holder.serial),
        "name": holder.name,
        "versions": holder.count,
        "first": version_facts(holder.first),
        "last": version_facts(holder.last),
        "lines": [{"line": line.number, "text": line.text} for line in holder.lines],
    }


def _listed(serials: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(serials, indent=2))
        return
    for serial in serials:
        click.echo(serial)
    click.echo(counted(len(serials), "device"), err=True)


def _at(at: datetime | None) -> str:
    return f"{zoned(at) if at else 'never':<25}"


def _source_line(source: LineSource) -> str:
    """Return the beginning of a printed line; lines that change by themselves have none."""
    if source.version is None:
        return " " * 39
    return f"{source.version.commit[:12]}{'<' if source.is_older else ' '} {zoned(source.version.received)}"


def _source_facts(source: LineSource) -> dict[str, Any]:
    version = source.version
    return {
        "line": source.line.number,
        "text": source.line.text,
        "commit": version and version.commit,
        "received": plain(version.received) if version else None,
        "older": source.is_older,
    }


"""The whole group, which has the commands of this module only once this is read."""
