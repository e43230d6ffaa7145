"""The command by which CI says in a pull request what it would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitupd.service.pushing.commenting import LONGEST, conversation_in, put_comment
from gitupd.settings import environment_of_the_job

if TYPE_CHECKING:
    from typing import TextIO


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"), default="-")
def comment(file: TextIO) -> None:
    """Write FILE as a comment into the pull request that this CI job is about, or over the one of the last time.

    GitHub, Forgejo and Gitea are asked with GITHUB_TOKEN, GitLab with GITUPD_COMMENT_TOKEN; where they are, and which
    pull request it is, stands in the environment of the job. FILE is Markdown, such as gitupd plan --format markdown
    prints, and - standard input.
    """
    was_there = put_comment(conversation_in(environment_of_the_job()), file.read(2 * LONGEST))
    click.echo("updated the comment" if was_there else "made a comment")
