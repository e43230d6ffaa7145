"""Firmware files: a folder per build, names found whatever their letter case."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gitupd.errors import GitupdError

_BUILD = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}", re.ASCII)
_FILE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """One file of a build; ``size`` in bytes."""

    build: str
    name: str
    size: int


class FirmwareStore:
    """The files of all builds below one folder."""

    def __init__(self, folder: Path) -> None:
        """Use *folder*, which is created when it is first written to."""
        self._folder = folder

    def add(self, build: str, source: Path) -> FirmwareFile:
        """Copy the file *source* to *build*, replacing one of the same name at once and whole.

        Raises GitupdError for a build or name that no device could ask for, or a file that can't be copied.
        """
        if not _BUILD.fullmatch(build):
            raise GitupdError(f"{build!r} is no build; write it as devices report it, such as 137213 or 13A146")
        if not _FILE.fullmatch(source.name):
            raise GitupdError(f"{source.name!r} can't be a firmware file's name; use letters, digits, dots and dashes")
        folder = self._folder / build
        try:
            if not source.is_file() or source.stat().st_size == 0:
                raise GitupdError(f"{source} is no file, or empty; a device would refuse it")
            folder.mkdir(parents=True, exist_ok=True)
            present = self.find(build, source.name)
            target = present or folder / source.name
            with (
                source.open("rb") as content,
                tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as copy,
            ):
                try:
                    shutil.copyfileobj(content, copy)
                    copy.flush()
                    os.fsync(copy.fileno())
                    Path(copy.name).chmod(0o644)
                    Path(copy.name).replace(target)
                except BaseException:
                    Path(copy.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise GitupdError(f"can't copy {source} to {folder}: {error.strerror or error}") from error
        return FirmwareFile(build, target.name, target.stat().st_size)

    def files(self) -> list[FirmwareFile]:
        """Return all files by build and name."""
        found = (path for path in self._folder.glob("*/*") if path.is_file() and not path.name.startswith("."))
        return sorted(
            (FirmwareFile(path.parent.name, path.name, path.stat().st_size) for path in found),
            key=lambda each: (each.build, each.name),
        )

    def find(self, build: str, name: str) -> Path | None:
        """Return the file called *name* in *build*, letter case aside, None if there is none."""
        if not _BUILD.fullmatch(build) or not _FILE.fullmatch(name):
            return None
        folder = self._entry(self._folder, build)
        return folder and self._entry(folder, name)

    @staticmethod
    def _entry(folder: Path, name: str) -> Path | None:
        exact = folder / name
        if exact.exists():
            return exact
        try:
            return next((each for each in folder.iterdir() if each.name.lower() == name.lower()), None)
        except OSError:
            return None
