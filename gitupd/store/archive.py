"""Copies of deployed commits outside of Git, so that a damaged repository stops nobody's poll.

Why, and when they are served: docs/decisions/0006-snapshot-archive.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from gitupd.store.durable import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitupd.core.snapshot import CommitId

_KEPT = 10
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)


class Archive:
    """One ZIP file per commit in a folder; only the latest few are kept."""

    def __init__(self, folder: Path) -> None:
        """Use *folder*, which is created when it is first written to."""
        self._folder = folder

    def save(self, commit: CommitId, files: Mapping[str, bytes]) -> None:
        """Keep the *files* of *commit*, durably, unless they are kept already."""
        target = self._path(commit)
        if self.files(commit) is not None:
            target.touch()
            return
        self._folder.mkdir(exist_ok=True)
        with replacing(target) as copy, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(zipfile.ZipInfo(path, _FIRST_DATE), content, zipfile.ZIP_DEFLATED, 1)
            archive.comment = _seal(files)
        self._drop_old(target)

    def files(self, commit: CommitId) -> Mapping[str, bytes] | None:
        """Return the files of *commit*, None if there is no sound copy of them."""
        try:
            with zipfile.ZipFile(self._path(commit)) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
                return files if archive.comment == _seal(files) else None
        except (OSError, zipfile.BadZipFile, EOFError, LookupError, ValueError, RuntimeError, struct.error, zlib.error):
            return None

    def _path(self, commit: CommitId) -> Path:
        return self._folder / f"{commit}.zip"

    def _drop_old(self, latest: Path) -> None:
        """Keep *latest* whatever the clock says, which may have been put back, and those before it by their times."""
        others = [path for path in self._folder.glob("*.zip") if path != latest]
        others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in others[_KEPT - 1 :]:
            with contextlib.suppress(OSError):
                path.unlink()


def _seal(files: Mapping[str, bytes]) -> bytes:
    """Return what shows that *files* are complete: ZIP checks each of them, and would not miss one."""
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest().encode()
