"""What the hook before a commit calls, at each commit: it imports no more than it needs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gitupd.cli.pushing.telling import say, tell
from gitupd.config.loader import build
from gitupd.errors import has_errors
from gitupd.store.git.staged import staged_files


@click.command("pre-commit")
def pre_commit() -> None:
    """Look at what would be committed; exit with 1 for errors.

    That is the index: what lies in the work tree is of no interest.
    """
    _, problems = build(staged_files(Path()))
    tell(problems)
    if has_errors(problems):
        say("nothing was committed: mend this, git add it, and commit again; or git commit --no-verify")
        sys.exit(1)
