"""The command that fetches from the repository elsewhere that a site follows."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import who
from gitupd.cli.completion.kinds import REFUSED
from gitupd.cli.lazy import hint
from gitupd.cli.on_site import as_json, on_site
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.upstream.fetching import Fetching, accept
from gitupd.service.upstream.telling import upstream_facts

if TYPE_CHECKING:
    from gitupd.service.site import Site
    from gitupd.service.upstream.fetching import Fetched


@click.command()
@click.option(
    "--accept",
    "accepted",
    metavar="COMMIT",
    type=REFUSED,
    help="Follow to this commit, which is refused; needs --reason.",
)
@click.option("--reason", default="", help="Why, for those who read the audit later.")
@as_json
@on_site
def fetch(site: Site, accepted: str | None, reason: str, as_json: bool) -> None:
    """Fetch what is new in the repository elsewhere that the site follows; exit with 1 if it is refused.

    A running server does so by itself, every so often and when it is told that there is news. A branch that was rewound
    or rewritten there, or has nothing in common with the one here, is refused until somebody accepts its head.
    """
    if accepted is not None:
        if not reason.strip():
            raise click.UsageError("--accept needs --reason, which the audit keeps")
        accept(site, accepted, who=who(), now=now(), reason=reason)
    fetched = Fetching(site, now).fetch(live_now(site), who())
    stands = fetched.stands
    if as_json:
        click.echo(json.dumps({**upstream_facts(stands), "moved": fetched.moved is not None}, indent=2))
    else:
        _tell(fetched)
    if stands.refusal:
        sys.exit(1)


def _tell(fetched: Fetched) -> None:
    stands = fetched.stands
    if stands.refusal:
        assert stands.refused is not None  # noqa: S101 - a refusal is of a commit
        click.echo(f"refused: {stands.refusal}", err=True)
        hint(f"to follow it all the same: gitupd fetch --accept {stands.refused[:12]} --reason WHY", err=True)
    elif fetched.moved is None:
        click.echo(f"{stands.branch} is at {(stands.head or '')[:12]} there and here")
    else:
        before, after = fetched.moved
        click.echo(f"{stands.branch} {before[:12]}..{after[:12]}" if before else f"{stands.branch} {after[:12]} new")
