"""Short questions to the ``git`` of whoever works here, about a work tree or repository that is not ours."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError
from gitupd.settings import git_environment

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 60


def ask_git(
    folder: Path, *arguments: str, given: bytes = b"", in_hook: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run ``git`` with *arguments* in *folder*, its standard input *given*, and return how it ended.

    What Git names to a hook (index, objects, repository) counts *in_hook* only. Raises GitupdError if it can't be run,
    or takes longer than a minute.
    """
    try:
        return subprocess.run(  # noqa: S603 - a program of the system; what varies stands behind "--"
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - as it is found
            input=given,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env=None if in_hook else git_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitupdError(f"git {arguments[0]} can't be run in {folder}: {error}") from error


def git_output(folder: Path, *arguments: str, given: bytes = b"", in_hook: bool = False) -> bytes:
    """Do the same, and return what it prints; raises GitupdError if it fails, too."""
    done = ask_git(folder, *arguments, given=given, in_hook=in_hook)
    if done.returncode:
        raise GitupdError(f"git {arguments[0]} in {folder}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
