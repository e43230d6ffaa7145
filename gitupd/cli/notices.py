"""Commands on notices: who is told of what, and whether that works."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import RECIPIENT
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import printable, zoned
from gitupd.service.clock import now
from gitupd.service.notices.notifying import send_test
from gitupd.service.notices.telling import notice_facts, state

if TYPE_CHECKING:
    from gitupd.service.site import Site


@click.group()
def notify() -> None:
    """Messages to people: who is told of what happened, and whether that works."""


@notify.command("test")
@click.argument("name", type=RECIPIENT)
@on_site
def test(site: Site, name: str) -> None:
    """Send a test message to NAME of [notify.to] in the settings, by each way; exit with 1 if one fails."""
    outcomes = send_test(site, name, actor(), now())
    for channel, fault in outcomes.items():
        click.echo(f"{channel:<8} {'sent' if fault is None else printable(fault)}")
    if any(outcomes.values()):
        sys.exit(1)


@notify.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at the most.")
@as_json
@on_site
def listing(site: Site, *, limit: int, as_json: bool) -> None:
    """List what people were told of, or are to be, the latest first."""
    latest = site.outbox.latest(limit)
    if as_json:
        click.echo(json.dumps([notice_facts(posted) for posted in latest], indent=2))
        return
    for posted in latest:
        waiting = posted.waiting
        why = f" ({posted.error})" if posted.error else ""
        head = f"{zoned(waiting.at)}  {state(posted):<8} {waiting.recipient} by {waiting.channel}"
        click.echo(printable(f"{head}  {waiting.notice.kind}: {waiting.notice.text}{why}"))
