"""Files that come and go with an entry in the audit, or not at all (docs/decisions/0014-deeds-and-the-audit.md)."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.store.audit import append, is_entered
from gitupd.store.durable import rename, sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event, Kind
    from gitupd.store.database import Database

_ASIDE = re.compile(r"\.(?P<what>new|gone)-(?P<entry>[0-9]+)-(?P<name>.+)", re.DOTALL)
_PREFIXES = (".new-", ".gone-")


class Deeds:
    """Adds files to a folder, and removes them.

    A file lies aside, under a name with the id of its entry, until the transaction of that has ended. So whoever finds
    it there knows from the audit whether it was added, or removed, when somebody was killed.
    """

    def __init__(self, folder: Path, database: Database, *, added: Kind, removed: Kind) -> None:
        """Keep files in *folder*, with entries of these kinds in the audit of *database*."""
        self._folder, self._database = folder, database
        self._added, self._removed = added, removed

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep everybody else from changing files while the block runs, once what was left is settled.

        The kernel gives the claim of a process up that ends. Raises SiteError.
        """
        try:
            self._folder.mkdir(exist_ok=True)
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._settle()
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SiteError(f"can't change {self._folder}: {error.strerror or error}") from error

    def settle(self) -> None:
        """Finish what somebody was killed at, or take it back; raises SiteError."""
        if self._folder.exists() and any(path.name.startswith(_PREFIXES) for path in self._folder.iterdir()):
            with self.claimed():
                pass

    def add(self, name: str, content: bytes, event: Event) -> None:
        """Have *content* in the file *name*, in place of what is there; for whoever has claimed the folder."""
        with self._database.connection() as connection:
            aside = self.lay_aside(connection, name, content, event)
        self.put(aside)

    def lay_aside(self, connection: Connection, name: str, content: bytes | Mapping[str, bytes], event: Event) -> Path:
        """Write what is to be *name* within a transaction, and return where; :meth:`put` it once that has ended.

        That is a file, or a folder of files that nobody else may read. For whoever has claimed the folder; an error
        leaves what was written to who settles.
        """
        aside = self._folder / f".new-{append(connection, event)}-{name}"
        if isinstance(content, bytes):
            _write(aside, content, 0o644)
        else:
            aside.mkdir(mode=0o700)
            for part, text in content.items():
                _write(aside / part, text, 0o600)
            sync_folder(aside)
        sync_folder(self._folder)
        return aside

    def put(self, aside: Path) -> None:
        """Give what was laid *aside* its name, in place of what is there."""
        rename(aside, self._folder / _ASIDE.fullmatch(aside.name)["name"])  # type: ignore[index] # we have named it

    def remove(self, name: str, event: Event) -> None:
        """Have no file *name* any more; for whoever has claimed the folder."""
        with self._database.connection() as connection:
            aside = self._folder / f".gone-{append(connection, event)}-{name}"
            rename(self._folder / name, aside)
        aside.unlink()

    def _settle(self) -> None:
        for path in self._folder.iterdir():
            match = _ASIDE.fullmatch(path.name)
            if match is None:
                continue
            is_new = match["what"] == "new"
            with self._database.connection() as connection:
                done = is_entered(connection, int(match["entry"]), self._added if is_new else self._removed)
            if is_new == done:  # added, or not removed after all
                rename(path, path.with_name(match["name"]))
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        sync_file(file)
    path.chmod(mode)
