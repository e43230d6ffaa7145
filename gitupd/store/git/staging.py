"""Whether a file in somebody's work tree is on its way into Git, or there already; and taking it out of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.store.git.asking import ask_git

if TYPE_CHECKING:
    from pathlib import Path


def is_known(path: Path) -> bool:
    """Whether the file at *path* is in the index of its repository; False if it is in none."""
    return _ended_well(path, "ls-files", "--error-unmatch")


def forget(path: Path) -> None:
    """Take the file at *path* out of the index, and leave it where it is; raises SiteError."""
    if not _ended_well(path, "rm", "-q", "--cached", "--force"):
        raise SiteError(f"git does not take {path} out of its index; do that by: git rm --cached {path}")


def _ended_well(path: Path, *arguments: str) -> bool:
    return ask_git(path.absolute().parent, *arguments, "--", path.name).returncode == 0
