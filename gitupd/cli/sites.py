"""Commands on a site as a whole: creating, serving, and how it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd import listeners
from gitupd.cli.acting import who
from gitupd.cli.deployments import commit_line
from gitupd.cli.lazy import hint
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import printable, zoned
from gitupd.core.certificates.rollout import Stage
from gitupd.core.deployments.convergence import in_words
from gitupd.core.words import counted
from gitupd.listeners import CERTIFICATE, parse_address
from gitupd.service.certificates.server import own_certificate
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.convergence import Measures
from gitupd.service.deployments.live import live_now
from gitupd.service.deployments.telling import commit_facts, freeze_facts, freezes_now
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.waiting import next_up, stall
from gitupd.service.facts import fleet_facts
from gitupd.service.fleet import Fleet
from gitupd.service.health import repository_trouble
from gitupd.service.people.access import FIRST_ADMINISTRATOR
from gitupd.service.people.passwords import generated_password
from gitupd.service.rollouts.concerns import certificate_concerns
from gitupd.service.rollouts.overview import CertificateOverview, summary_facts
from gitupd.service.upstream.telling import followed, upstream_concerns, upstream_facts

if TYPE_CHECKING:
    from gitupd.core.deployments.convergence import Convergence
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site


@click.command()
@click.argument("place", metavar="SITE", type=click.Path(path_type=Path))
def init(place: Path) -> None:
    """Create a new site with an example configuration, deployed, and print the password of its administrator, once."""
    password = generated_password()
    site, deployment = create_site(place, who=who(), now=now(), password=password)
    click.echo(f"created {place}, and deployed {deployment.commit[:12]}")
    print_administrator(password)
    print_certificate(own_certificate(site, now()))
    click.echo(f"edit:   git clone {place / 'config.git'}")
    click.echo(f"serve:  gitupd serve --site {place}")
    site.close()


def print_certificate(fingerprint: str | None) -> None:
    """Print by what the certificate of a server is known that was just made, None if none was."""
    if fingerprint is not None:
        click.echo(f"TLS:    {CERTIFICATE}, made just now, SHA-256 {fingerprint}")


def print_administrator(password: str) -> None:
    """Print how the first administrator logs in."""
    click.echo(f"log in: {FIRST_ADMINISTRATOR}, with the password {password} (shown only now)")


@click.command()
@click.option("--http", metavar="ADDR:PORT", multiple=True, help="Where to listen; else as the site's settings say.")
@click.option("--https", metavar="ADDR:PORT", multiple=True, help="Where to listen with TLS.")
@click.option("--mtls", metavar="ADDR:PORT", multiple=True, help="Where devices must show a certificate besides.")
@click.option("--workers", type=click.IntRange(1, 64), help="How many processes answer.")
@on_site
def serve(
    site: Site, http: tuple[str, ...], https: tuple[str, ...], mtls: tuple[str, ...], workers: int | None
) -> None:
    """Run the server until it is told to stop; SIGHUP replaces its processes without losing a request.

    Addresses given here are all: those of the settings do not count then.
    """
    from gitupd.web.asgi.log import configure_log  # noqa: PLC0415 - the other commands start faster without a server
    from gitupd.web.listening import listen_at  # noqa: PLC0415 - as above
    from gitupd.web.supervisor import Supervisor  # noqa: PLC0415 - as above
    from gitupd.web.tls.files import TlsFiles  # noqa: PLC0415 - as above

    try:
        given = [
            make(parse_address(text))
            for make, texts in ((listeners.http, http), (listeners.https, https), (listeners.mtls, mtls))
            for text in texts
        ]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    configure_log(site.settings.log_format)
    wanted = given or site.settings.listen
    fingerprint = None
    if any(listener.tls for listener in wanted):
        fingerprint = own_certificate(site, now())
        TlsFiles(site.settings.tls, site.path)  # told here, rather than by each worker
    count = workers or site.settings.workers
    listening = listen_at(wanted, count)
    started = now()
    site.close()  # the processes open their own connections
    if fingerprint:
        click.echo(f"TLS: {site.path / CERTIFICATE}, made just now, SHA-256 {fingerprint}", err=True)
    urls = " and ".join(each.listener.url for each in listening[0])
    click.echo(f"gitupd serves {site.path} at {urls} with {counted(count, 'worker')}", err=True)
    Supervisor(site.path, listening, started).run()


@click.command()
@as_json
@on_site
def status(site: Site, as_json: bool) -> None:
    """Say what is deployed, and how far the fleet is."""
    live = site.deployments.live()
    delivered = live_now(site)
    fleet = Fleet(site, delivered, now()).summary()
    trouble, stalled = repository_trouble(site), stall(site, delivered, Verdicts(site))
    overview = CertificateOverview(site, delivered, now())
    certificates, upstream = overview.summary(), followed(site, delivered)
    concerns = [*certificate_concerns(site, delivered, now()), *upstream_concerns(site, delivered, now())]
    ahead, ahead_lines = _ahead(site, delivered)
    measures = Measures(site, delivered, now())
    convergence = measures.live()
    pace = measures.pace(convergence)
    if as_json:
        told = fleet_facts(fleet, live, site.deployments.blocked(), convergence, pace)
        report = {**told, "trouble": trouble, "stalled": stalled, "upstream": upstream and upstream_facts(upstream)}
        report |= {**ahead, "certificates": summary_facts(certificates, overview.endings()), "concerns": concerns}
        click.echo(json.dumps(report, indent=2))
        return
    click.echo("nothing is deployed" if live is None else f"deployed {commit_line(site, live)}")
    if live is not None:
        click.echo(f"since    {zoned(live.at)} by {live.who}")
    for line in ahead_lines:
        click.echo(printable(line))
    click.echo(f"devices  {fleet.total}, {fleet.present} present, {fleet.current} run the deployed commit")
    _print_reached(convergence, pace)
    if fleet.strangers.outside:
        hint(f"outside  {fleet.strangers.outside} unknown ones wait to be accepted; see: gitupd devices unknown")
    if certificates.stages:
        waiting = f"{counted(certificates.at(Stage.SIGNING), 'request waits', 'requests wait')} for a signature"
        click.echo(f"signing  {waiting}, {certificates.at(Stage.FAILED)} failed, {certificates.ending} end in 30 days")
    if trouble:
        click.echo(f"trouble  {trouble}")
    if stalled:
        click.echo(f"stalled  {stalled}")
    if upstream is not None:
        asked = f"fetched {zoned(upstream.fetched_at)}" if upstream.fetched_at else "not fetched yet"
        click.echo(f"upstream {upstream.url}, branch {upstream.branch}, {asked}")
    for concern in concerns:
        click.echo(f"warning  {concern}")


def _ahead(site: Site, live: Live | None) -> tuple[dict[str, Any], list[str]]:
    """Return what is to be deployed next, and what freezes deployments: as facts, and as lines."""
    freezes, waits = freezes_now(site, live, now()), next_up(site, live)
    facts = {
        "next": waits and commit_facts(waits, site.approvals.of(waits.commit)),
        "freeze": freeze_facts(site.freezes.current(now())),
        "frozen": [each.text for each in freezes],
    }
    lines = [f"frozen   {each.text}" for each in freezes]
    if waits is not None:
        lines.insert(0, f"next     {waits.commit[:12]} {waits.arrival.subject!r}: {waits.state}, {waits.reason}")
    return facts, lines


def _print_reached(convergence: Convergence | None, pace: str) -> None:
    """Print how far the deployment has come that is live, and what is said of its speed."""
    if convergence is not None and convergence.counted:
        click.echo(f"reached  {in_words(convergence)}")
    if pace:
        click.echo(f"pace     {pace}")
