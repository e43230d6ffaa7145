"""What the hook calls once a push was taken."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gitupd.cli.acting import actor
from gitupd.cli.pushing.telling import say
from gitupd.core.deployments.pushed import force_reason, parse_push
from gitupd.service.clock import now
from gitupd.service.pushing.pushers import site_of
from gitupd.settings import push_options, pusher


@click.command("post-receive")
def post_receive() -> None:
    """Say what becomes of what was pushed to a site.

    Who has pushed is written down in the audit. Standard input has a line OLD NEW REF for each reference, as Git gives
    it. In a repository that is no site's, there is nothing to be said.
    """
    if site_of(Path.cwd()) is None:
        return
    from gitupd.service.pushing.prospect import take_note  # noqa: PLC0415 - others do without the database

    refs, reason = parse_push(sys.stdin), force_reason(push_options())
    if (sentence := take_note(Path.cwd(), refs, pusher() or actor(), now(), reason)) is not None:
        say(sentence)
