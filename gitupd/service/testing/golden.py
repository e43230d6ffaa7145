"""Golden scripts: what render tests hold devices to, written anew when that is to be."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.config.intake import LARGEST_FILE, LONGEST_PATH
from gitupd.errors import SiteError
from gitupd.service.testing.running import commands_in
from gitupd.store.durable import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gitupd.service.testing.running import GoldenScript, RenderResult


@dataclass(frozen=True, slots=True)
class GoldenUpdate:
    """The golden scripts that are written, by path, those of them that are ``new``, and those that no test names."""

    written: Mapping[str, bytes]
    new: frozenset[str]
    unnamed: tuple[str, ...]


def golden_update(results: Iterable[RenderResult], files: Mapping[str, bytes]) -> GoldenUpdate:
    """Return what is to be written so that the tests pass which went like *results*; as it is stays what says the same.

    Raises SiteError for scripts that can't be told, are too large, or differ where one file is to hold them.
    """
    wanted: dict[str, GoldenScript] = {}
    for result in results:
        if (golden := result.golden) is None:
            continue
        if golden.failure is not None:
            raise SiteError(f"{result.path}: {result.name}: there is no script to write: {golden.failure}")
        if wanted.setdefault(golden.path, golden).commands != golden.commands:
            cure = "give each of them a file of its own"
            raise SiteError(f"{result.path}: {result.name}: another test holds {golden.path} to another script; {cure}")
        if len(golden.content) > LARGEST_FILE or len(golden.path) > LONGEST_PATH:
            raise SiteError(f"{golden.path}: its script or its name is too long for a file of a configuration")
    changed = {path: golden.content for path, golden in wanted.items() if _differs(golden, files.get(path))}
    folders = {path.rpartition("/")[0] for path in wanted}
    others = (path for path in files if path.endswith(".txt") and path.rpartition("/")[0] in folders)
    unnamed = tuple(sorted(path for path in others if path not in wanted))
    return GoldenUpdate(changed, frozenset(path for path in changed if path not in files), unnamed)


def _differs(golden: GoldenScript, content: bytes | None) -> bool:
    return content is None or commands_in(content) != golden.commands


def write_golden(root: Path, update: GoldenUpdate) -> None:
    """Write the scripts of *update* below the folder *root*, each whole or not at all; raises SiteError.

    Nothing is written outside of its folder of tests, whatever has been put there meanwhile.
    """
    for path, content in update.written.items():
        target = root / path
        try:
            _make_folders(root, path)
            with replacing(target) as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)  # for everybody who may read the configuration
        except OSError as error:
            raise SiteError(f"{target} can't be written: {error.strerror}") from error


def _make_folders(root: Path, path: str) -> None:
    """Make the folders above *path*; raises SiteError where a link, which a configuration has none of, leads away."""
    folder = root
    for name in path.split("/")[:-1]:
        folder = folder / name
        if folder.is_symlink():
            raise SiteError(f"{folder} is a symbolic link, and nothing is written where it leads; remove it")
        folder.mkdir(exist_ok=True)
