"""The command that tells the story of a device."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitupd.cli.completion.kinds import DEVICE
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.stories.known_devices import known_device
from gitupd.cli.terminal import printable, zoned
from gitupd.core.concealing import Veil
from gitupd.core.stories.happening import StoryTopic
from gitupd.service.answers import shown_answers
from gitupd.service.backups.history import parse_moment
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.facts import happening_facts
from gitupd.service.fleet import Fleet
from gitupd.service.stories.telling import Story

if TYPE_CHECKING:
    from gitupd.service.site import Site


@click.command()
@click.argument("text", metavar="DEVICE", type=DEVICE)
@click.option("--about", type=click.Choice([each.value for each in StoryTopic]), help="Only what is about that.")
@click.option(
    "--before", metavar="TIME", help="Only what happened earlier than TIME, such as 2026-05-01 or 2026-05-01T12:00."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How much at the most.")
@as_json
@on_site
def timeline(site: Site, text: str, *, about: str | None, before: str | None, limit: int, as_json: bool) -> None:
    """Tell what happened to a device, the latest first: DEVICE is its serial number, name or address.

    It was sent commits and confirmed them, moved, uploaded and went back, was warned of, got certificates, and people
    did something about it.
    """
    live = live_now(site)
    device = known_device(site, Fleet(site, live, now()), text)
    answers = shown_answers(live.snapshot.policy.queries if live else (), site.answers.of(device.serial))
    story = Story(site, device, Veil(lifted=True), answers, with_deeds=True)
    found = story.page(limit, parse_moment(before) if before else None, StoryTopic(about) if about else None)
    if as_json:
        click.echo(json.dumps([happening_facts(each) for each in found.happenings], indent=2))
        return
    for each in found.happenings:
        ends = (each.commit or each.version or "")[:12]
        click.echo(f"{zoned(each.at)}  {printable(each.text)} {ends}".rstrip())
    if found.earlier is not None:
        click.echo(f"there is more: --before {found.earlier.isoformat()}", err=True)
