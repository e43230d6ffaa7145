"""Firmware files: a folder per build, names found whatever their letter case.

No transaction holds a file and its entry in the audit together, so a file takes its place in four steps, of which the
third decides: it lies aside, on disk; it is called after the id of its entry; the entry holds; it gets its name. What
somebody leaves who is killed is thrown away before the third step, and finished behind it, by the next who looks: see
docs/decisions/0014-deeds-and-the-audit.md.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitupd.core.people.audit import Kind
from gitupd.errors import GitupdError
from gitupd.store.audit import append, is_entered
from gitupd.store.durable import rename, sync_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_BUILD = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}", re.ASCII)
_FILE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,99}", re.ASCII)
_ASIDE = ".adding"
_ENTERED = re.compile(r"\.adding-(?P<entry>[0-9]+)-(?P<name>.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """One file of a build; ``size`` in bytes."""

    build: str
    name: str
    size: int


class FirmwareStore:
    """The files of all builds below one folder."""

    def __init__(self, folder: Path, database: Database) -> None:
        """Use *folder*, which is created when it is first written to, and the audit in *database*."""
        self._folder, self._database = folder, database

    def add(self, build: str, source: Path, event: Event) -> FirmwareFile:
        """Copy the file *source* to *build*, replacing one of the same name at once and whole.

        *event* goes into the audit with it, with what was added. Others who add files meanwhile wait. Raises
        GitupdError for a build or name that no device could ask for, or a file that can't be copied.
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
            with self._claimed(wait=True):
                self._settle()
                return self._take_in(build, folder, source, event)
        except OSError as error:
            raise GitupdError(f"can't copy {source} to {folder}: {error.strerror or error}") from error

    def _take_in(self, build: str, folder: Path, source: Path, event: Event) -> FirmwareFile:
        target = self.find(build, source.name) or folder / source.name
        aside = folder / _ASIDE
        try:
            with source.open("rb") as content, aside.open("wb") as copy:
                shutil.copyfileobj(content, copy)
                sync_file(copy)
            aside.chmod(0o644)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        file = FirmwareFile(build, target.name, aside.stat().st_size)
        with self._database.connection() as connection:
            added = replace(event, subject=f"fw/{build}/{file.name}", detail=f"{file.size:,} bytes")
            entered = folder / f"{_ASIDE}-{append(connection, added)}-{file.name}"
            rename(aside, entered)
        rename(entered, target)
        return file

    def settle(self) -> None:
        """Finish what somebody was killed at while adding a file, or throw it away if there is no entry of it.

        Nothing happens while somebody adds one. Raises GitupdError if a file can't be moved.
        """
        if next(self._folder.glob(f"*/{_ASIDE}*"), None) is None:
            return
        try:
            with self._claimed(wait=False):
                self._settle()
        except BlockingIOError:
            return
        except OSError as error:
            raise GitupdError(f"can't tidy up {self._folder}: {error.strerror or error}") from error

    def _settle(self) -> None:
        """Finish or throw away what lies aside; only for whoever has claimed the folder."""
        for path in self._folder.glob(f"*/{_ASIDE}*"):
            match = _ENTERED.fullmatch(path.name)
            if match and self._is_entered(int(match["entry"])):
                rename(path, path.with_name(match["name"]))
            else:
                path.unlink()

    def _is_entered(self, number: int) -> bool:
        # An id that was given back can be one of something else now, but not of another file: whoever adds one has
        # thrown away before what is left.
        with self._database.connection() as connection:
            return is_entered(connection, number, Kind.FIRMWARE_ADD)

    @contextmanager
    def _claimed(self, *, wait: bool) -> Iterator[None]:
        """Keep everybody else from adding files; the kernel gives the claim of a process up that ends.

        Raises BlockingIOError if somebody adds one and *wait* is False.
        """
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)

    def files(self) -> list[FirmwareFile]:
        """Return all files by build and name; raises as :meth:`settle` does, which comes first."""
        self.settle()
        paths = (path for path in self._folder.glob("*/*") if path.is_file() and not path.name.startswith("."))
        return sorted(
            (FirmwareFile(path.parent.name, path.name, path.stat().st_size) for path in paths),
            key=lambda file: (file.build, file.name),
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
            return next((path for path in folder.iterdir() if path.name.lower() == name.lower()), None)
        except OSError:
            return None
