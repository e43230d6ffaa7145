"""Files of the old installation, read with care: it may hold links, devices, or files of any size."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_FILE = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a file can't be taken over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Installation:
    """The folder of an installation; nothing outside it is ever read."""

    root: Path

    def folder(self, *names: str) -> Path | None:
        """Return the first of the folders called *names* that can be read, None if there is none."""
        return next((self.root / name for name in names if name and self._is_readable(self.root / name)), None)

    def _is_readable(self, folder: Path) -> bool:
        try:
            return self._is_inside(folder) and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
        except (OSError, ValueError, RuntimeError):  # a name that no disk can hold, or links in a circle
            return False

    def entries(self, folder: Path) -> list[str]:
        """Return the names in *folder*, in order; bytes that are no UTF-8 are escaped as Python does it."""
        return sorted(path.name for path in folder.iterdir())

    def content(self, path: Path) -> bytes | Unusable:
        """Return the content of *path*, unless it is no plain file of reasonable size within the installation."""
        judged = self.examine(path)
        if isinstance(judged, Unusable):
            return judged
        if judged.st_size > LARGEST_FILE:
            return Unusable(f"it has {judged.st_size:,} bytes, more than {LARGEST_FILE:,}")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        return content if len(content) <= LARGEST_FILE else Unusable("it grows while it is read")

    def examine(self, path: Path) -> os.stat_result | Unusable:
        """Return the status of the regular file at *path*, or why it is not to be read."""
        try:
            if not self._is_inside(path):
                return Unusable("it is a link to a place outside the installation")
            found = path.stat()
        except (OSError, ValueError, RuntimeError) as error:
            return Unusable(f"it can't be read: {error.__class__.__name__}")
        if not stat.S_ISREG(found.st_mode):
            return Unusable("it is no regular file")
        if not os.access(path, os.R_OK):
            return Unusable("it can't be read: no permission")
        return found

    def files_below(self, folder: Path) -> Iterator[Path]:
        """Yield all that is no folder below *folder*, in order: links to folders, which are not followed, included."""
        for parent, folders, names in os.walk(folder):
            place = folder.__class__(parent)
            links = [name for name in folders if (place / name).is_symlink()]
            folders.sort()
            yield from (place / name for name in sorted([*names, *links]))

    def relative(self, path: Path) -> str:
        """Return *path* as messages name it."""
        return path.relative_to(self.root).as_posix()

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.root.resolve())
