"""``gitupd doctor``: what is to be mended at a site."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from gitupd.cli.on_site import as_json, on_untouched_site
from gitupd.cli.terminal import harmless
from gitupd.core.words import counted
from gitupd.service.checkup.examining import examine
from gitupd.service.checkup.finding import finding_facts
from gitupd.service.clock import now

if TYPE_CHECKING:
    from gitupd.service.site import Site


@click.command()
@as_json
@on_untouched_site
def doctor(site: Site, as_json: bool) -> None:
    """Look for what is to be mended at a site: open files, ends of certificates, the clock, the disk, repositories.

    Nothing is changed. Exits with 1 if there is something to mend.
    """
    findings = examine(site, now())
    to_mend = sum(finding.mend for finding in findings)
    if as_json:
        facts = {"site": str(site.path), "mend": to_mend, "findings": [finding_facts(each) for each in findings]}
        click.echo(json.dumps(facts, indent=2))
    else:
        for each in findings:
            click.echo(harmless(f"{each.where}: {each.what}\n  {'mend' if each.mend else 'know'}: {each.cure}"))
        click.echo(f"{counted(to_mend, 'thing')} to mend" if to_mend else "nothing to mend", err=True)
    if to_mend:
        site.close()
        sys.exit(1)
