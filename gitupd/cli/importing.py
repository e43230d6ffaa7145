"""The command that makes a site of an installation of the PHP server."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.acting import who
from gitupd.cli.on_site import as_json
from gitupd.cli.proof import exit_code, findings_facts, findings_lines, manner_in, proof_options, proved
from gitupd.cli.sites import print_administrator, print_certificate
from gitupd.cli.terminal import printable
from gitupd.core.certificates.rollout import WAITING_FOR_PEOPLE
from gitupd.core.words import counted
from gitupd.errors import GitupdError, SiteError
from gitupd.service.certificates.server import own_certificate
from gitupd.service.clock import now
from gitupd.service.creating import import_site
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet
from gitupd.service.people.access import FIRST_ADMINISTRATOR
from gitupd.service.people.passwords import generated_password

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.cli.proof import Manner
    from gitupd.core.proof.findings import Findings
    from gitupd.service.site import Site


@click.command("import-php")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("place", metavar="SITE", type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Write the report to this file, too.")
@click.option("--prove", "url", metavar="URL", help="Then compare the site with that server, as gitupd prove does.")
@proof_options
@as_json
def import_php(source: Path, place: Path, report: Path | None, url: str | None, as_json: bool, **options: Any) -> None:
    """Create a new site from an installation of the PHP based Update Server.

    SRC is the folder that holds config/, scripts/, certs/, status/ and fw/; it is only read. What has no equal, what
    was never delivered, and what looks like a mistake is reported by file and line.

    With --prove, the server at URL and the new site are asked what each known device would ask, and what differs is
    listed; the exit code is that of gitupd prove.
    """
    if url is None and any(options[name] for name in ("devices", "limit", "insecure", "rollouts")):
        raise click.UsageError("how to ask the old server is for --prove URL only")
    password = generated_password()
    site, deployment, notes = import_site(source, place, who=who(), now=now(), password=password)
    try:
        imported = _Imported(site, place, deployment.commit, password, tuple(map(str, notes)))
        if not as_json:
            imported.print()
        _write_report(report, imported.notes)
        proof = None if url is None else _proved(site, url, manner_in(options))
    finally:
        site.close()
    lines = [] if proof is None else list(findings_lines(proof))
    _write_report(report, (*imported.notes, *lines))
    if as_json:
        click.echo(json.dumps(imported.facts() | ({"proof": findings_facts(proof)} if proof else {}), indent=2))
    else:
        for line in lines:
            click.echo(printable(line))
    if proof is not None:
        sys.exit(exit_code(proof))


def _proved(site: Site, url: str, manner: Manner) -> Findings:
    try:
        return proved(site, url, manner)
    except GitupdError as error:
        again = f"the site is there, and can be compared later: gitupd prove URL --site {site.path}"
        raise SiteError(f"{error}; {again}") from error


def _write_report(report: Path | None, lines: Iterable[str]) -> None:
    if report is not None:
        report.write_text("".join(f"{line}\n" for line in lines), "utf-8", errors="replace")


@dataclass(frozen=True)
class _Imported:
    """A site that was just made from an installation."""

    site: Site
    place: Path
    commit: str
    password: str
    notes: tuple[str, ...]

    def print(self) -> None:
        """Print what became of the installation."""
        facts = self.facts()
        for line in self.notes:
            click.echo(line)
        waiting = facts["rollouts_waiting_for_people"]
        click.echo(f"created {self.place}, and deployed {self.commit[:12]}; {counted(len(self.notes), 'note')} above")
        click.echo(
            f"knows   {counted(facts['devices'], 'device')}, {facts['present']:,} of them present;"
            f" {counted(waiting, 'roll-out')} of certificates {'waits' if waiting == 1 else 'wait'} for people"
        )
        print_administrator(self.password)
        print_certificate(facts["server_certificate"])

    def facts(self) -> dict[str, Any]:
        """Return the same for programs."""
        known = Fleet(self.site, live_now(self.site), now()).summary()
        rollouts = self.site.rollouts.counts()
        return {
            "site": str(self.site.path),
            "commit": self.commit,
            "notes": list(self.notes),
            "devices": known.total,
            "present": known.present,
            "rollouts_waiting_for_people": sum(rollouts.get(stage, 0) for stage in WAITING_FOR_PEOPLE),
            "administrator": FIRST_ADMINISTRATOR,
            "password": self.password,
            "server_certificate": own_certificate(self.site, now()),
        }
