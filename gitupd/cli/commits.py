"""Commands on commits that are to be deployed: what became of them, approving one, and freezing deployments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import who
from gitupd.cli.completion.kinds import REVISION
from gitupd.cli.lazy import hint
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import printable, zoned
from gitupd.core.deployments.state import CommitState
from gitupd.service.clock import now
from gitupd.service.deployments import words
from gitupd.service.deployments.telling import commit_facts

if TYPE_CHECKING:
    from gitupd.service.site import Site


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at the most.")
@click.option("--state", type=click.Choice([state.value for state in CommitState]), help="Only those in this state.")
@as_json
@on_site
def commits(site: Site, limit: int, state: str | None, as_json: bool) -> None:
    """List the commits that were seen on the branch, the latest first, with what became of each and why."""
    found = site.commits.latest(limit, states=[CommitState(state)] if state else ())
    if as_json:
        click.echo(json.dumps([commit_facts(each, site.approvals.of(each.commit)) for each in found], indent=2))
        return
    for each in found:
        by = f" by {each.who}" if each.who else ""
        line = f"{each.commit[:12]}  {zoned(each.arrived)}  {each.state.value:<11}  {each.arrival.subject}"
        click.echo(printable(line))
        click.echo(printable(f"      {each.reason}{by}"))


@click.command()
@click.argument("revision", metavar="REV", type=REVISION)
@click.option("--reason", default="", help="What was looked at, for those who read the audit.")
@on_site
def approve(site: Site, revision: str, reason: str) -> None:
    """Approve a commit that somebody else has made: REV is a branch, a tag or a commit id.

    It is the word that a braked commit waits for, and the second person whom the deployed commit may ask for. Whoever
    has made, pushed or signed it, or a commit that comes with it, can't. It holds for this commit alone.
    """
    commit = words.approve(site, revision, who=who(), now=now(), reason=reason)
    click.echo(f"approved {commit[:12]}")


@click.command()
@click.option("--reason", required=True, help="Why; whoever waits for a deployment reads it.")
@click.option("--until", metavar="T", help="Until when: a day, or 2026-12-18 16:00, in the time zone of the site.")
@on_site
def freeze(site: Site, reason: str, until: str | None) -> None:
    """Have nothing be deployed until the freeze is lifted, or until T.

    Whoever deploys in spite of it needs --force --reason WHY. A rollback is never frozen.
    """
    end = None if until is None else words.parse_end(until, site.settings.zone)
    order = words.freeze(site, who=who(), now=now(), reason=reason, until=end)
    hint(f"deployments are frozen {f'until {zoned(order.until)}' if order.until else 'until: gitupd unfreeze'}")


@click.command()
@on_site
def unfreeze(site: Site) -> None:
    """Lift the freeze that somebody has ordered; the calendar of the configuration goes on."""
    words.unfreeze(site, who=who(), now=now())
    click.echo("the freeze is lifted")
