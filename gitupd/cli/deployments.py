"""Commands on deployments: making one, going back, and lifting a block."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import who
from gitupd.cli.completion.kinds import BLOCKED, DEPLOYED, REVISION
from gitupd.cli.lazy import hint
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import printable, zoned
from gitupd.core.deployments.convergence import in_words
from gitupd.core.deployments.state import CommitState
from gitupd.core.words import counted
from gitupd.service.clock import now
from gitupd.service.comparison.kept import Plans
from gitupd.service.comparison.staying import lines_that_stay
from gitupd.service.deployments import deploying
from gitupd.service.deployments.convergence import Measures
from gitupd.service.deployments.live import live_now
from gitupd.service.deployments.waiting import next_up
from gitupd.service.facts import deployment_facts

if TYPE_CHECKING:
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.deployments.record import CommitRecord
    from gitupd.core.snapshot import CommitId
    from gitupd.errors import Problem
    from gitupd.service.comparison.kept import KeptPlan
    from gitupd.service.site import Site

_MOST_STAYING = 20
_PAST = (CommitState.DEPLOYED, CommitState.ROLLED_BACK)
"""What the list itself says of a commit."""


@click.command()
@click.argument("revision", metavar="REV", type=REVISION)
@click.option(
    "--force",
    is_flag=True,
    help="In spite of the brake, of a freeze, or of what else speaks against it; needs --reason.",
)
@click.option("--reason", default="", help="Why, for those who read the deployments later.")
@on_site
def deploy(site: Site, revision: str, force: bool, reason: str) -> None:
    """Deploy a commit: REV is a branch, a tag or a commit id. One with errors is refused, and they are printed.

    With --force --reason WHY only, one is deployed that builds on a blocked commit or has the same files, has no
    history in common with the deployed one, fails its render tests, or goes beyond the brake; and any while deployments
    are frozen. So is one that is not signed as the deployed commit asks for, which neither a page nor the API can do.
    Where it asks for a second person, nobody deploys what is their own.
    """
    if force and not reason.strip():
        raise click.UsageError("--force needs --reason, which the audit keeps")
    deployment, warnings = deploying.deploy(
        site, revision, who=who(), now=now(), reason=reason.strip(), force=force, on_machine=True
    )
    _print_problems(warnings)
    click.echo(f"deployed {commit_line(site, deployment)}")


@click.command()
@click.argument("revision", metavar="REV", type=DEPLOYED)
@click.option("--reason", default="", help="Why, for those who read the deployments later.")
@on_site
def rollback(site: Site, revision: str, reason: str) -> None:
    """Go back to a commit that was deployed before; the one it replaces is blocked.

    Lines that nothing takes back are printed then: what they set stays on devices.
    """
    deployment, warnings = deploying.rollback(site, revision, who=who(), now=now(), reason=reason)
    _print_problems(warnings)
    click.echo(f"rolled back to {commit_line(site, deployment)}")
    if deployment.replaced:
        hint(f"blocked {deployment.replaced[:12]}; lift that with: gitupd unblock {deployment.replaced[:12]}")
        _print_staying(site, deployment.replaced, deployment.commit)


def _print_staying(site: Site, before: CommitId, after: CommitId) -> None:
    """Print what stays on devices of the commit *before*; the rollback is done, so nobody waits long for that."""
    found = lines_that_stay(site, before, after, now)
    if found is None:
        click.echo(
            f"what stays on devices of it was not found out; see: gitupd plan {before[:12]} {after[:12]}", err=True
        )
        return
    for text, devices in found[:_MOST_STAYING]:
        click.echo(printable(f"stays on devices that have executed it ({counted(devices, 'device')}): {text}"))
    if len(found) > _MOST_STAYING:
        click.echo(f"and {counted(len(found) - _MOST_STAYING, 'more line')}")


@click.command()
@click.argument("revision", metavar="REV", type=BLOCKED)
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
    """List deployments, the latest first.

    The commit that is to come next stands before them: what keeps it, and how many devices it changes.
    """
    found = site.deployments.latest(limit)
    blocked, live = site.deployments.blocked(), live_now(site)
    measured = Measures(site, live, now()).of(found)
    if as_json:
        told = [deployment_facts(each, blocked, measured.get(each.id)) for each in found]
        click.echo(json.dumps(told, indent=2))
        return
    if live is not None and (waits := next_up(site, live)) is not None and waits.state not in _PAST:
        _print_next(waits, Plans(site).known(live.deployment.commit, waits.commit))
    for each in found:
        mark = "  blocked" if each.commit in blocked else ""
        click.echo(f"{each.id:>4}  {zoned(each.at)}  {each.kind:<9}  {commit_line(site, each)}  by {each.who}{mark}")
        if each.reason:
            click.echo(f"      {each.reason}")
        record = site.commits.of(each.commit)
        if record is not None and record.signature:
            click.echo(f"      {record.signature}")
        if (convergence := measured.get(each.id)) is not None:
            click.echo(f"      {in_words(convergence)}")


def _print_next(waits: CommitRecord, plan: KeptPlan | None) -> None:
    """Print the commit that is to come next, what became of it and by whom, and the numbers of its plan."""
    by = f", by {waits.who}" if waits.who and not waits.reason.startswith(waits.who) else ""
    click.echo(printable(f"next  {waits.commit[:12]} {waits.arrival.subject!r}: {waits.state}, {waits.reason}{by}"))
    if plan is not None:
        click.echo(f"      {plan.numbers}, as of {zoned(plan.checked)}")


def _print_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)


def commit_line(site: Site, deployment: Deployment) -> str:
    """Return the deployed commit with its subject, if the repository can be read."""
    try:
        return f"{deployment.commit[:12]} {site.config.describe(deployment.commit).subject!r}"
    except Exception:  # noqa: BLE001 - the commit's subject is a courtesy; a list must come even without the repository
        return deployment.commit[:12]
