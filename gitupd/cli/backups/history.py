"""Commands on the backup history of a site."""

from __future__ import annotations

import json
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import who
from gitupd.cli.completion.kinds import DEVICE_AND_VERSION, KEPT_DEVICE, VERSION
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.stories.known_devices import serial_meant, version_meant
from gitupd.cli.terminal import printable, zoned
from gitupd.core.backups.version import path_of
from gitupd.core.concealing import Veil
from gitupd.core.people.audit import Kind
from gitupd.core.policy import Policy
from gitupd.core.words import counted
from gitupd.errors import SiteError
from gitupd.service.backups.difference import Fold
from gitupd.service.backups.facts import version_facts
from gitupd.service.backups.history import BackupHistory, parse_beginning, parse_moment
from gitupd.service.backups.messages import change_of
from gitupd.service.backups.recovery import begin_anew as begin_history_anew
from gitupd.service.backups.upkeep import compact
from gitupd.service.backups.upkeep import verify as verify_history
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.policy import Backup
    from gitupd.service.backups.difference import Comparison, VersionLine
    from gitupd.service.site import Site

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_FOR_ITS_OWNER = 0o600
_SIGNS = {"left": ("-", "red"), "right": ("+", "green")}

with_secrets = click.option("--show-secrets", is_flag=True, help="Print passwords and keys as they are.")


@click.command("log")
@click.argument("device", metavar="[DEVICE]", type=KEPT_DEVICE, required=False)
@click.option("--since", metavar="TIME", help="From then on, such as 2026-05-02 or 2026-05-02T18:00 (UTC).")
@click.option("--until", metavar="TIME", help="Until then, such as 2026-05-03 for the end of that day (UTC).")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at the most.")
@as_json
@on_site
def log(site: Site, *, device: str | None, since: str | None, until: str | None, limit: int, as_json: bool) -> None:
    """List the versions of a device, or of all devices, the newest first.

    DEVICE is its serial number, name or address; of a device that was forgotten its serial number.
    """
    history = history_of(site, secrets=False)
    serial = None if device is None else serial_meant(site, device)
    end = parse_moment(until) if until else datetime.max.replace(tzinfo=UTC)
    if serial is not None and not site.backup_index.of(serial, 1):
        raise SiteError(f"no version of device {serial} is kept; those without any: gitupd backups overdue")
    versions = history.within(serial, parse_beginning(since) if since else _LONG_AGO, end, limit)
    if as_json:
        click.echo(json.dumps([version_facts(version) for version in versions], indent=2))
        return
    for version in versions:
        name = f' "{version.facts["name"]}"' if version.facts.get("name") else ""
        whose = "" if serial else f"{version.serial}{name}  "
        click.echo(f"{version.commit[:12]}  {zoned(version.received)}  {printable(whose)}{change_of(version)}")


@click.command("show")
@click.argument("what", metavar="DEVICE[@REV]", type=DEVICE_AND_VERSION)
@with_secrets
@on_site
def show(site: Site, what: str, show_secrets: bool) -> None:
    """Print a version: the latest, or REV: a commit, ~2 for the second before, or a time (2026-05-01T12:00).

    DEVICE is its serial number, name or address; behind a name that holds an @, there has to be a version, such as
    @latest. Into a file or another program it goes byte for byte.
    """
    history = history_of(site, secrets=show_secrets)
    version = history.version(*version_meant(site, what))
    viewed(site, str(version.serial), version.commit[:12])
    content = history.raw(version)
    if not sys.stdout.isatty():
        click.echo(content, nl=False)
        return
    for line in content.decode(errors="replace").splitlines():
        click.echo(printable(line))


@click.command("diff")
@click.argument("device", metavar="DEVICE", type=KEPT_DEVICE)
@click.argument("old", metavar="A", type=VERSION, default="~1")
@click.argument("new", metavar="B", type=VERSION, default="latest")
@click.option("--context", type=click.IntRange(0), default=3, show_default=True, help="Equal lines around changes.")
@click.option("--snippet", is_flag=True, help="Print commands that make B of A: the lines of a snippet.")
@with_secrets
@on_site
def diff(site: Site, *, device: str, old: str, new: str, context: int, snippet: bool, show_secrets: bool) -> None:
    """Print what version B of a device changed against version A: the latest two by default.

    DEVICE is its serial number, name or address. Either version may be one of another device: DEVICE@REV.

    Lines that change by themselves are left out. A secret that changed shows as changed, without its value.
    """
    history = history_of(site, secrets=show_secrets)
    serial = serial_meant(site, device)
    before, after = (_version(site, history, serial, name) for name in (old, new))
    for viewed_serial in {before.serial, after.serial}:
        viewed(site, str(viewed_serial), f"{before.commit[:12]} against {after.commit[:12]}")
    if snippet:
        for command in history.snippet(before, after):
            click.echo(command)
        return
    for sign, version in (("---", before), ("+++", after)):
        click.echo(f"{sign} {path_of(version.serial)}  {version.commit[:12]}  {zoned(version.received)}")
    for line in unified(history.comparison(before, after), context):
        click.echo(line)


def _version(site: Site, history: BackupHistory, serial: Serial, name: str) -> BackupVersion:
    """Return the version of a device that is meant by REV, or of another one by DEVICE@REV."""
    return history.version(*(version_meant(site, name) if "@" in name else (serial, name)))


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--at", "at", metavar="TIME", help="As it was then, such as 2026-05-01T12:00 (UTC).  [default: now]")
@with_secrets
@on_site
def export(site: Site, folder: Path, at: str | None, show_secrets: bool) -> None:
    """Write the configuration of every device into FOLDER, one file each: SN.txt."""
    history = history_of(site, secrets=show_secrets)
    versions = history.at(parse_moment(at)) if at else history.latest()
    folder.mkdir(mode=_FOR_ITS_OWNER | stat.S_IXUSR, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SiteError(f"{folder} is not empty; choose another folder")
    viewed(site, "", f"export of {counted(len(versions), 'configuration')}, as of {at or 'now'}")
    for version, content in zip(versions, history.raws(versions), strict=True):
        _write(folder / f"{version.serial}.txt", content)
    click.echo(f"{counted(len(versions), 'configuration')} in {folder}")


def _write(path: Path, content: bytes) -> None:
    """Write a configuration, which holds passwords, for its owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_ITS_OWNER), "wb") as file:
        file.write(content)


@click.command("verify")
@on_site
def verify(site: Site) -> None:
    """Check the history: every object, and that the index fits it. What can be healed is healed."""
    for line in verify_history(site):
        click.echo(line)


@click.command("pack")
@on_site
def pack(site: Site) -> None:
    """Pack the whole history anew, as small as it gets, and so that clones cost little.

    That takes minutes with a large one. Uploads are taken in meanwhile, and committed afterwards.
    """
    before, after = compact(site)
    click.echo(f"{before / 2**20:,.1f} MiB before, {after / 2**20:,.1f} MiB now")


@click.command("begin-anew")
@click.confirmation_option(prompt="Give up the history so far?", help="Don't ask.")
@on_site
def begin_anew(site: Site) -> None:
    """Begin an empty history, because the old one is lost and there is no copy.

    What is left of it is put aside. Devices have their next upload kept as a first version.
    """
    aside = begin_history_anew(site, who=who(), now=now())
    click.echo(f"a new history begins in {site.backups.path}" + (f"; what is left: {aside}" if aside else ""))


def viewed(site: Site, subject: str, detail: str) -> None:
    """Write into the audit that configurations are being looked at."""
    site.audit.add(now(), who(), Kind.BACKUP_VIEW, subject, detail)


def policy_of(site: Site) -> Backup:
    """Return the policy on backups that is deployed, the default one if nothing is."""
    live = live_now(site)
    return live.snapshot.policy.backup if live else Policy().backup


def history_of(site: Site, *, secrets: bool) -> BackupHistory:
    """Return the history of *site*, as it is only with *secrets*, and never with what is encrypted in Git."""
    live = live_now(site)
    veil = Veil.over([live.snapshot]) if live else None
    return BackupHistory(site, live.snapshot.policy.backup if live else Policy().backup, secrets=secrets, veil=veil)


def unified(comparison: Comparison, context: int) -> Iterator[str]:
    """Yield changed lines as in a unified difference, with *context* equal ones around them."""
    for row in comparison.folded(context, sys.maxsize):
        if isinstance(row, Fold):
            yield click.style("…", dim=True)
        elif not row.changed:
            yield f" {_printed(row.right)}"
        else:
            for line, (sign, colour) in ((row.left, _SIGNS["left"]), (row.right, _SIGNS["right"])):
                if line is not None:
                    yield click.style(f"{sign}{_printed(line)}", fg=colour)


def _printed(line: VersionLine | None) -> str:
    return printable(line.text) if line is not None else ""
