"""What hooks call before a push is taken; the pusher waits, so they do without the database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.pushing.telling import add, say, tell
from gitupd.core.deployments.pushed import force_reason, parse_push, pushed_ref
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.pushing.examining import examine_push
from gitupd.service.pushing.pushers import note_pusher, site_of
from gitupd.settings import push_options, pusher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.deployments.pushed import PushedRef
    from gitupd.service.pushing.examining import PushVerdict

_SHORT = 12


@click.command("pre-receive")
def pre_receive() -> None:
    """Look at what is pushed, while it is in quarantine; exit with 1 to refuse it.

    Standard input has a line OLD NEW REF for each reference, as Git gives it. Errors refuse a push to the branch that
    is deployed from; of other branches they are told.
    """
    _examine(parse_push(sys.stdin))


@click.command()
@click.argument("ref")
@click.argument("old")
@click.argument("new")
def update(ref: str, old: str, new: str) -> None:
    """Look at one reference of a push, which moves from OLD to NEW; exit with 1 to refuse it."""
    _examine([pushed_ref(old, new, ref)])


def _examine(refs: Sequence[PushedRef]) -> None:
    who = pusher()
    may_force = who is None or who.role.allows(Role.ADMINISTRATOR)  # who has come by files may do all of it anyhow
    verdicts = examine_push(Path.cwd(), refs, now(), reason=force_reason(push_options()), may_force=may_force)
    for verdict in verdicts:
        _tell_verdict(verdict)
    if any(verdict.refusal for verdict in verdicts):
        sys.exit(1)
    if (site := site_of(Path.cwd())) is not None:
        note_pusher(site, [ref.new for ref in refs if ref.branch and ref.new], (who or actor()).name)


def _tell_verdict(verdict: PushVerdict) -> None:
    name = verdict.ref.branch or verdict.ref.name
    commit = f" {verdict.ref.new[:_SHORT]}" if verdict.ref.new else ""
    if verdict.refusal is not None:
        say(f"{name}{commit} is refused: {verdict.refusal}")
    elif verdict.failures or verdict.problems:
        say(f"{name}{commit} is taken; there is something to be said of it")
        for failure in verdict.failures:
            add(failure)
    tell(verdict.problems)
