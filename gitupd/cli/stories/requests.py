"""The command that records what a device asks, and what it is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor, who
from gitupd.cli.completion.kinds import DEVICE
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.stories.known_devices import known_device
from gitupd.cli.terminal import printable, zoned
from gitupd.core.people.audit import Kind
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet
from gitupd.service.stories.recording import (
    all_requests,
    recorded_facts,
    request_lines,
    start_recording,
    stop_recording,
)

if TYPE_CHECKING:
    from gitupd.service.site import Site


@click.command()
@click.argument("text", metavar="DEVICE", type=DEVICE)
@click.option("--record", is_flag=True, help="Record its requests for an hour from now on.")
@click.option("--stop", is_flag=True, help="Record them no longer; what was recorded stays for a day.")
@as_json
@on_site
def requests(site: Site, text: str, *, record: bool, stop: bool, as_json: bool) -> None:
    """Print what a device asked while that was recorded, and what it was answered, the latest first.

    DEVICE is its serial number, name or address. Secrets are left out before anything is written down.
    """
    if record and stop:
        raise SiteError("--record begins what --stop ends; give one of them")
    serial = known_device(site, Fleet(site, live_now(site), now()), text, whole=record or stop).serial
    if record:
        recording = start_recording(site, serial, actor(), now())
        click.echo(f"requests of {serial} are recorded until {zoned(recording.until)}")
        return
    if stop:
        was = stop_recording(site, serial, actor(), now())
        click.echo(f"requests of {serial} {'are not recorded any more' if was else 'were not recorded'}")
        return
    is_known = site.recordings.of(serial) is not None
    if is_known:
        site.audit.add(now(), who(), Kind.REQUESTS_VIEW, str(serial))
    if as_json:
        click.echo(json.dumps(recorded_facts(site.recordings, serial, now()), indent=2))
        return
    for number, each in enumerate(all_requests(site.recordings, serial)):
        click.echo("\n" * bool(number) + "\n".join(map(printable, request_lines(each))))
    if not is_known:
        click.echo(f"nothing is recorded of {serial}; begin with --record", err=True)
