"""Commands on a site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.on_site import as_json, on_site, who
from gitupd.cli.terminal import local
from gitupd.core.audit import Kind
from gitupd.core.words import counted
from gitupd.service.clock import now
from gitupd.service.creating import create_site, import_site
from gitupd.service.deployments import deploying
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet
from gitupd.service.health import repository_trouble
from gitupd.service.people.access import FIRST_ADMINISTRATOR
from gitupd.service.people.passwords import generated_password
from gitupd.settings import Address, parse_address

if TYPE_CHECKING:
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.errors import Problem
    from gitupd.service.site import Site


def _print_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)


@click.command()
@click.argument("place", metavar="SITE", type=click.Path(path_type=Path))
def init(place: Path) -> None:
    """Create a new site with an example configuration, deployed, and print the password of its administrator, once."""
    password = generated_password()
    site, deployment = create_site(place, who=who(), now=now(), password=password)
    click.echo(f"created {place}, and deployed {deployment.commit[:12]}")
    _print_administrator(password)
    click.echo(f"edit:   git clone {place / 'config.git'}")
    click.echo(f"serve:  gitupd serve --site {place}")
    site.close()


@click.command("import-php")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("place", metavar="SITE", type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Write the report to this file, too.")
def import_php(source: Path, place: Path, report: Path | None) -> None:
    """Create a new site from an installation of the PHP based Update Server.

    SRC is the folder that holds config/, scripts/, certs/ and fw/; it is only read. What has no equal, what was never
    delivered, and what looks like a mistake is reported by file and line.
    """
    password = generated_password()
    site, deployment, notes = import_site(source, place, who=who(), now=now(), password=password)
    lines = [str(note) for note in notes]
    for line in lines:
        click.echo(line)
    if report:
        report.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    click.echo(f"created {place}, and deployed {deployment.commit[:12]}; {counted(len(lines), 'note')} above")
    _print_administrator(password)
    site.close()


def _print_administrator(password: str) -> None:
    click.echo(f"log in: {FIRST_ADMINISTRATOR}, with the password {password} (shown only now)")


@click.command()
@click.option("--http", "http", metavar="ADDR:PORT", help="Where to listen; else the site's setting, 127.0.0.1:8080.")
@click.option("--workers", type=click.IntRange(1, 64), help="How many processes answer.")
@on_site
def serve(site: Site, http: str | None, workers: int | None) -> None:
    """Run the server until it is told to stop; SIGHUP replaces its processes without losing a request."""
    from gitupd.web.asgi.log import configure_log  # noqa: PLC0415 - the other commands start faster without a server
    from gitupd.web.supervisor import Supervisor, listen  # noqa: PLC0415 - as above

    try:
        address = parse_address(http) if http else site.settings.http
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    configure_log(site.settings.log_format)
    count = workers or site.settings.workers
    listeners = listen(address, count)
    shown = Address(address.host, listeners[0].getsockname()[1])
    started = now()
    site.close()  # the processes open their own connections
    click.echo(f"gitupd serves {site.path} at http://{shown} with {counted(count, 'worker')}", err=True)
    Supervisor(site.path, listeners, started).run()


@click.command()
@click.argument("revision", metavar="REV")
@on_site
def deploy(site: Site, revision: str) -> None:
    """Deploy a commit: REV is a branch, a tag or a commit id. One with errors is refused, and they are printed."""
    deployment, warnings = deploying.deploy(site, revision, who=who(), now=now())
    _print_problems(warnings)
    click.echo(f"deployed {_said(site, deployment)}")


@click.command()
@click.argument("revision", metavar="REV")
@click.option("--reason", default="", help="Why, for those who read the deployments later.")
@on_site
def rollback(site: Site, revision: str, reason: str) -> None:
    """Go back to a commit that was deployed before; the one it replaces is blocked."""
    deployment = deploying.rollback(site, revision, who=who(), now=now(), reason=reason)
    click.echo(f"rolled back to {_said(site, deployment)}")
    if deployment.replaced:
        click.echo(f"blocked {deployment.replaced[:12]}; lift that with: gitupd unblock {deployment.replaced[:12]}")


@click.command()
@click.argument("revision", metavar="REV")
@on_site
def unblock(site: Site, revision: str) -> None:
    """Let a commit be deployed again that a rollback has blocked."""
    commit = deploying.unblock(site, revision, who=who(), now=now())
    click.echo(f"{commit[:12]} may be deployed again")


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at the most.")
@as_json
@on_site
def deployments(site: Site, limit: int, as_json: bool) -> None:
    """List deployments, the latest first."""
    found = site.deployments.latest(limit)
    blocked = site.deployments.blocked()
    if as_json:
        click.echo(json.dumps([{**_as_json(each), "blocked": each.commit in blocked} for each in found], indent=2))
        return
    for each in found:
        mark = "  blocked" if each.commit in blocked else ""
        click.echo(f"{each.id:>4}  {local(each.at)}  {each.kind:<9}  {_said(site, each)}  by {each.who}{mark}")
        if each.reason:
            click.echo(f"      {each.reason}")


@click.command()
@as_json
@on_site
def status(site: Site, as_json: bool) -> None:
    """Say what is deployed, and how far the fleet is."""
    live = site.deployments.live()
    fleet = Fleet(site, live_now(site), now()).summary()
    trouble = repository_trouble(site)
    if as_json:
        report = {
            "deployment": None if live is None else _as_json(live),
            "devices": fleet.total,
            "present": fleet.present,
            "missing": fleet.missing,
            "current": fleet.current,
            "waiting": fleet.waiting,
            "warned": fleet.warned,
            "trouble": trouble,
        }
        click.echo(json.dumps(report, indent=2))
        return
    click.echo("nothing is deployed" if live is None else f"deployed {_said(site, live)}")
    if live is not None:
        click.echo(f"since    {local(live.at)} by {live.who}")
    click.echo(f"devices  {fleet.total}, {fleet.present} present, {fleet.current} run the deployed commit")
    if trouble:
        click.echo(f"trouble  {trouble}")


def _said(site: Site, deployment: Deployment) -> str:
    """Return the deployed commit with its subject, if the repository can be read."""
    try:
        return f"{deployment.commit[:12]} {site.config.describe(deployment.commit).subject!r}"
    except Exception:  # noqa: BLE001 - the commit's subject is a courtesy; a list must come even without the repository
        return deployment.commit[:12]


def _as_json(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "commit": deployment.commit,
        "at": deployment.at.isoformat(timespec="seconds"),
        "who": deployment.who,
        "kind": deployment.kind,
        "replaced": deployment.replaced,
        "reason": deployment.reason,
    }


@click.group()
def firmware() -> None:
    """Firmware files that devices load from this site."""


@firmware.command("add")
@click.argument("build")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@on_site
def firmware_add(site: Site, build: str, files: tuple[Path, ...]) -> None:
    """Add files to a build, such as: gitupd firmware add 137213 ip222.bin boot222.bin."""
    for path in files:
        added = site.firmware.add(build, path)
        subject, detail = f"fw/{added.build}/{added.name}", f"{added.size:,} bytes"
        site.audit.add(now(), who(), Kind.FIRMWARE_ADD, subject, detail)
        click.echo(f"fw/{added.build}/{added.name}  {added.size:,} bytes")


@firmware.command("list")
@as_json
@on_site
def firmware_list(site: Site, as_json: bool) -> None:
    """List firmware files."""
    found = site.firmware.files()
    if as_json:
        click.echo(
            json.dumps([{"build": each.build, "name": each.name, "size": each.size} for each in found], indent=2)
        )
        return
    for each in found:
        click.echo(f"{each.build:<12}  {each.name:<24}  {each.size:>12,}")


COMMANDS = (init, import_php, serve, deploy, rollback, unblock, deployments, status, firmware)
