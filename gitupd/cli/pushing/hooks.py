"""What hooks of Git repositories call, and the command that installs them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitupd.cli.lazy import Entry, LazyGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.deployments.pushed import PushedRef
    from gitupd.errors import Problem
    from gitupd.service.pushing.examining import PushVerdict

_MOST_TOLD = 200
_SHORT = 12

HOOKS = {
    "install": Entry("gitupd.cli.pushing.hooks:install", "Put hooks into the repository at DIRECTORY."),
    "pre-commit": Entry(
        "gitupd.cli.pushing.hooks:pre_commit", "Look at what would be committed; exit with 1 for errors."
    ),
    "pre-receive": Entry(
        "gitupd.cli.pushing.hooks:pre_receive",
        "Look at what is pushed, while it is in quarantine; exit with 1 to refuse it.",
    ),
    "update": Entry(
        "gitupd.cli.pushing.hooks:update",
        "Look at one reference of a push, which moves from OLD to NEW; exit with 1 to refuse it.",
    ),
    "post-receive": Entry("gitupd.cli.pushing.hooks:post_receive", "Say what becomes of what was pushed to a site."),
}


@click.group("hook", cls=LazyGroup, entries=HOOKS)
def hook() -> None:
    """Look at commits and pushes for the hooks of Git repositories, and install these."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("--force", is_flag=True, help="Replace other hooks, and keep them as NAME.before.")
def install(directory: Path, force: bool) -> None:
    """Put hooks into the repository at DIRECTORY.

    One with a work tree gets a hook that looks at what is committed; a bare one, such as that of a site, hooks that
    look at what is pushed, and say what becomes of it.
    """
    from gitupd.service.pushing.installing import install_hooks  # noqa: PLC0415 - a hook at each commit does without

    for installed in install_hooks(directory, force=force):
        kept = f"; what was there is {installed.kept}" if installed.kept else ""
        click.echo(f"installed {installed.path}{kept}")


@click.command("pre-commit")
def pre_commit() -> None:
    """Look at what would be committed; exit with 1 for errors.

    That is the index: what lies in the work tree is of no interest.
    """
    from gitupd.config.loader import build  # noqa: PLC0415 - see above
    from gitupd.errors import has_errors  # noqa: PLC0415 - see above
    from gitupd.store.git.staged import staged_files  # noqa: PLC0415 - see above

    _, problems = build(staged_files(Path()))
    _tell(problems)
    if has_errors(problems):
        _say("nothing was committed: mend this, git add it, and commit again; or git commit --no-verify")
        sys.exit(1)


@click.command("pre-receive")
def pre_receive() -> None:
    """Look at what is pushed, while it is in quarantine; exit with 1 to refuse it.

    Standard input has a line OLD NEW REF for each reference, as Git gives it. Errors refuse a push to the branch that
    is deployed from; of other branches they are told.
    """
    from gitupd.core.deployments.pushed import parse_push  # noqa: PLC0415 - see above

    _examine(parse_push(sys.stdin))


@click.command()
@click.argument("ref")
@click.argument("old")
@click.argument("new")
def update(ref: str, old: str, new: str) -> None:
    """Look at one reference of a push, which moves from OLD to NEW; exit with 1 to refuse it."""
    from gitupd.core.deployments.pushed import pushed_ref  # noqa: PLC0415 - see above

    _examine([pushed_ref(old, new, ref)])


@click.command("post-receive")
def post_receive() -> None:
    """Say what becomes of what was pushed to a site.

    Who has pushed is written down in the audit. Standard input has a line OLD NEW REF for each reference, as Git gives
    it. In a repository that is no site's, there is nothing to be said.
    """
    from gitupd.cli.on_site import actor  # noqa: PLC0415 - see above
    from gitupd.core.deployments.pushed import force_reason, parse_push  # noqa: PLC0415 - see above
    from gitupd.service.clock import now  # noqa: PLC0415 - see above
    from gitupd.service.pushing.prospect import take_note  # noqa: PLC0415 - see above
    from gitupd.settings import push_options, pusher  # noqa: PLC0415 - see above

    refs, reason = parse_push(sys.stdin), force_reason(push_options())
    if (sentence := take_note(Path.cwd(), refs, pusher() or actor(), now(), reason)) is not None:
        _say(sentence)


def _examine(refs: Sequence[PushedRef]) -> None:
    from gitupd.cli.on_site import actor  # noqa: PLC0415 - see above
    from gitupd.core.deployments.pushed import force_reason  # noqa: PLC0415 - see above
    from gitupd.core.people.person import Role  # noqa: PLC0415 - see above
    from gitupd.service.clock import now  # noqa: PLC0415 - see above
    from gitupd.service.pushing.examining import examine_push  # noqa: PLC0415 - see above
    from gitupd.service.pushing.pushers import note_pusher, site_of  # noqa: PLC0415 - see above
    from gitupd.settings import push_options, pusher  # noqa: PLC0415 - see above

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
        _say(f"{name}{commit} is refused: {verdict.refusal}")
    elif verdict.failures or verdict.problems:
        _say(f"{name}{commit} is taken; there is something to be said of it")
        for failure in verdict.failures:
            click.echo(f"  {failure}", err=True)
    _tell(verdict.problems)


def _tell(problems: Sequence[Problem]) -> None:
    """Print *problems*, errors first, where git shows them to whoever waits."""
    ordered: Iterable[Problem] = sorted(problems, key=lambda problem: problem.severity.value)
    for number, problem in enumerate(ordered):
        if number == _MOST_TOLD:
            click.echo(f"  … and {len(problems) - _MOST_TOLD} more", err=True)
            break
        click.echo(f"  {problem}", err=True)


def _say(sentence: str) -> None:
    click.echo(f"gitupd: {sentence}", err=True)
