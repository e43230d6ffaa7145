"""The group of what hooks of Git repositories call, and of the command that installs them."""

from __future__ import annotations

import click

from gitupd.cli.lazy import Entry, LazyGroup

HOOKS = {
    "install": Entry("gitupd.cli.pushing.installing:install", "Put hooks into the repository at DIRECTORY."),
    "pre-commit": Entry(
        "gitupd.cli.pushing.committing:pre_commit", "Look at what would be committed; exit with 1 for errors."
    ),
    "pre-receive": Entry(
        "gitupd.cli.pushing.receiving:pre_receive",
        "Look at what is pushed, while it is in quarantine; exit with 1 to refuse it.",
    ),
    "update": Entry(
        "gitupd.cli.pushing.receiving:update",
        "Look at one reference of a push, which moves from OLD to NEW; exit with 1 to refuse it.",
    ),
    "post-receive": Entry("gitupd.cli.pushing.received:post_receive", "Say what becomes of what was pushed to a site."),
}


@click.group("hook", cls=LazyGroup, entries=HOOKS)
def hook() -> None:
    """Look at commits and pushes for the hooks of Git repositories, and install these."""
