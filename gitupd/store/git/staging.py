"""Whether a file in somebody's work tree is on its way into Git, or there already; and taking it out of the index."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.settings import git_environment

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 60


def is_known(path: Path) -> bool:
    """Whether the file at *path* is in the index of its repository; False if it is in none."""
    return _git(path, "ls-files", "--error-unmatch", "--", path.name) == 0


def forget(path: Path) -> None:
    """Take the file at *path* out of the index, and leave it where it is; raises SiteError."""
    if _git(path, "rm", "-q", "--cached", "--force", "--", path.name) != 0:
        raise SiteError(f"git does not take {path} out of its index; do that by: git rm --cached {path}")


def _git(path: Path, *arguments: str) -> int:
    try:
        return subprocess.run(  # noqa: S603 - a program of the system, with names of files behind "--"
            ["git", "-C", str(path.absolute().parent), *arguments],  # noqa: S607 - the git of whoever works here
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SiteError(f"git can't be asked about {path}: {error}") from error
