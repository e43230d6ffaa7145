"""A look at a Git repository: its branches, tags and latest commits, and a file or two, by the program ``git``."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gitupd.settings import git_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_REFERENCES = 1_000
_MOST_COMMITS = 200
_SECONDS = 1.0
_SHORT = 12
_LARGEST = 2**16
_OURS = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
_KINDS = {"refs/heads/": "branch", "refs/tags/": "tag"}


def branches_and_tags(repository: Path) -> Iterator[tuple[str, str]]:
    """Yield the names of branches, then of tags, each with which of both it is, and the subject of its commit.

    *repository* is the folder that holds its objects, or the file that names that.
    """
    said = _git(
        repository, "for-each-ref", f"--count={_MOST_REFERENCES}", "--format=%(refname) %(subject)", *_KINDS
    ).split("\n")
    for line in filter(None, said):
        name, _, subject = line.partition(" ")
        for folder, kind in _KINDS.items():
            if name.startswith(folder):
                yield name.removeprefix(folder), f"{kind}: {subject}"


def latest_commits(repository: Path) -> Iterator[tuple[str, str]]:
    """Yield short ids of the latest commits of all branches, each with its subject."""
    said = _git(
        repository, "rev-list", f"--max-count={_MOST_COMMITS}", "--format=%s", "--branches", "--ignore-missing", "HEAD"
    ).split("\n")
    for heading, subject in zip(said[::2], said[1::2], strict=False):
        yield heading.removeprefix("commit ")[:_SHORT], subject


def file_at_head(repository: Path, path: str) -> bytes:
    """Return the beginning of the file at *path* as it is in HEAD, nothing if there is none."""
    return _git(repository, "cat-file", "blob", f"HEAD:{path}").encode()[:_LARGEST]


def _git(repository: Path, *command: str) -> str:
    """Return what a command of Git's plumbing says, which no setting of the repository has run other programs.

    Raises OSError or SubprocessError if it can't be asked; one that fails says what it could. No object that is missing
    is fetched: a repository may say by which program.
    """
    settings = ("-c", "safe.directory=*", "-c", "i18n.logOutputEncoding=UTF-8")
    ended = subprocess.run(  # noqa: S603 - git, with arguments of ours
        ("git", *settings, f"--git-dir={repository.absolute()}", *command),  # noqa: S607 - as the path has it, as everywhere
        env={**git_environment(), **_OURS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    )
    return ended.stdout.decode("utf-8", "replace")
