"""Hooks put into a repository: a few lines of shell each, which call this very program."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError
from gitupd.resources import hook
from gitupd.store.durable import replacing
from gitupd.store.git.asking import git_output

if TYPE_CHECKING:
    from collections.abc import Sequence

OF_A_WORK_TREE = ("pre-commit",)
OF_A_BARE_ONE = ("pre-receive", "post-receive")
KEPT = ".before"


@dataclass(frozen=True, slots=True)
class InstalledHook:
    """A hook that was put at ``path``; what was there before is at ``kept``, None if nothing was."""

    path: Path
    kept: Path | None = None


def install_hooks(directory: Path, *, force: bool = False) -> list[InstalledHook]:
    """Put hooks into the repository at *directory*: what is looked at depends on whether it has a work tree.

    Hooks of others are left, and nothing is installed, unless *force* keeps them under another name. Raises GitupdError
    then, and where there is no repository.
    """
    if (directory / "config.git").is_dir():
        directory = directory / "config.git"
    is_bare = _git(directory, "rev-parse", "--is-bare-repository") == "true"
    folder = directory / _git(directory, "rev-parse", "--git-path", "hooks")
    names = OF_A_BARE_ONE if is_bare else OF_A_WORK_TREE
    others = [folder / name for name in names if (folder / name).exists() and not _is_ours(folder / name)]
    if others and not force:
        listed = ", ".join(map(str, others))
        raise GitupdError(
            f"there are other hooks already: {listed}; call gitupd hook from them, or give --force, which keeps them as"
            f" NAME{KEPT}"
        )
    if is_bare:
        _git(directory, "config", "receive.advertisePushOptions", "true")
    return [_install(folder / name, others) for name in names]


def refresh_hooks(repository: Path) -> None:
    """Have hooks of ours in the bare *repository* call the program as it is installed now; others stay as they are."""
    for path in (repository / "hooks" / name for name in OF_A_BARE_ONE):
        if path.is_file() and _is_ours(path) and path.read_text("utf-8") != shim(path.name):
            _write(path)


def shim(name: str) -> str:
    """Return the hook called *name*, by which Git calls this very program, wherever that is."""
    program = [sys.executable, "-P", "-m", "gitupd"]  # -P: nothing is imported out of a repository
    return hook(name).replace("exec gitupd", f"exec {shlex.join(program)}")


def _install(path: Path, others: Sequence[Path]) -> InstalledHook:
    path.parent.mkdir(exist_ok=True)
    kept = None
    if path in others:
        kept = path.rename(path.with_name(f"{path.name}{KEPT}"))
    _write(path)
    return InstalledHook(path, kept)


def _write(path: Path) -> None:
    try:
        with replacing(path) as file:
            file.write(shim(path.name).encode())
            Path(file.name).chmod(0o755)
    except OSError as error:
        raise GitupdError(f"can't write {path}: {error.strerror}") from error


def _is_ours(path: Path) -> bool:
    try:
        return f"gitupd hook {path.name}" in path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _git(directory: Path, *arguments: str) -> str:
    try:
        return git_output(directory, *arguments).decode(errors="surrogateescape").strip()
    except GitupdError as error:
        raise GitupdError(f"{directory} is no Git repository that can be used: {error}") from error
