"""Commands that put devices back to a version of their configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.backups.history import policy_of, unified, viewed, with_secrets
from gitupd.cli.completion.kinds import KEPT_DEVICE, VERSION
from gitupd.cli.lazy import hint
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.stories.known_devices import serial_meant
from gitupd.cli.terminal import printable, zoned
from gitupd.core.backups.version import path_of
from gitupd.core.words import counted
from gitupd.service.backups.facts import restore_facts
from gitupd.service.backups.history import BackupHistory
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.backups.version import BackupVersion
    from gitupd.service.backups.restoring import LeftBehind
    from gitupd.service.site import Site

_MOST_STAYING = 1_000


@click.command("restore")
@click.argument("device", metavar="DEVICE", type=KEPT_DEVICE)
@click.argument("revision", metavar="REV", type=VERSION)
@click.option("--yes", is_flag=True, help="Don't show what it would change, and don't ask.")
@with_secrets
@on_site
def restore(site: Site, *, device: str, revision: str, yes: bool, show_secrets: bool) -> None:
    """Put a device back to an earlier version of its configuration, when it polls next.

    DEVICE is its serial number, all of its name, or its address. REV is a version as in show: a commit, ~2 for the
    second before the latest, or a time. The device executes the lines of the version; what the version does not mention
    stays as it is, and is listed beforehand.
    """
    serial, policy, restoring = serial_meant(site, device, whole=True), policy_of(site), SiteRestores(site)
    history = BackupHistory(site, policy, secrets=show_secrets)
    target = history.version(serial, revision)
    if not yes:
        viewed(site, str(serial), f"going back to {target.commit[:12]}")
        present = history.version(serial)
        staying = restoring.left_behind(present, target, policy, history, _MOST_STAYING)
        for line in _question(history, present, target, staying):
            click.echo(line)
        click.confirm(f"Restore {serial}?", abort=True)
    pending = restoring.ask(target, actor(), now(), policy)
    hint(f"restore {pending.id}: {serial} gets it when it polls next; see: gitupd backups restores")


@click.command("restores")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at the most.")
@as_json
@on_site
def restores(site: Site, *, limit: int, as_json: bool) -> None:
    """List the restores of all devices, and what became of them, the newest first."""
    newest = site.restores.newest(limit)
    if as_json:
        click.echo(json.dumps([restore_facts(restore) for restore in newest], indent=2))
        return
    for restore in newest:
        detail = f": {restore.detail}" if restore.detail else ""
        version = f"{restore.serial}  {restore.commit[:12]}"
        line = f"{restore.id}  {version}  {zoned(restore.asked)}  {restore.who}  {restore.state}{detail}"
        click.echo(printable(line))


@click.command("cancel")
@click.argument("device", metavar="DEVICE", type=KEPT_DEVICE)
@on_site
def cancel(site: Site, device: str) -> None:
    """Take back the restore that a device has not fetched yet.

    DEVICE is its serial number, all of its name, or its address.
    """
    serial = serial_meant(site, device, whole=True)
    SiteRestores(site).cancel(serial, actor(), now())
    click.echo(f"{serial} stays as it is")


def _question(
    history: BackupHistory, present: BackupVersion, target: BackupVersion, staying: LeftBehind
) -> Iterator[str]:
    """Yield what a restore changes and what it can't undo."""
    for sign, version in (("---", present), ("+++", target)):
        yield f"{sign} {path_of(version.serial)}  {version.commit[:12]}  {zoned(version.received)}"
    yield from unified(history.comparison(present, target), 0)
    if staying.count:
        yield f"It can't undo {counted(staying.count, 'line')}, of which that version says nothing:"
        yield from (f"  {printable(line)}" for line in staying.lines)
        if staying.count > len(staying.lines):
            yield "  …"
