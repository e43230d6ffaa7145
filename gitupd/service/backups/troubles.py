"""What is wrong with the backup history: found by the keeper, told by all workers, since they are asked."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from gitupd.core.words import counted
from gitupd.errors import UnreadableRepository
from gitupd.service.backups.mirror import lag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from gitupd.service.site import Site

FILE = "backups.troubles"
_WAITING_SECONDS = 300.0
_BEHIND_SECONDS = 3600.0


class Troubles:
    """The file in which the keeper leaves what is wrong; it is none if there is no file."""

    def __init__(self, site: Path) -> None:
        """Use the file in the folder *site*."""
        self._path = site / FILE
        self._noted: tuple[str | None, str | None] | None = None

    def note(self, trouble: str | None, warning: str | None) -> None:
        """Note what keeps backups from being committed, and what is wrong besides."""
        before, self._noted = self._noted, (trouble, warning)
        if before != self._noted:
            with suppress(OSError):  # with a full disk, nobody can be told this way
                self._write(trouble, warning)

    def read(self) -> tuple[str | None, str | None]:
        """Return what was noted last."""
        try:
            trouble, warning = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return None, None
        return trouble, warning

    def _write(self, trouble: str | None, warning: str | None) -> None:
        if trouble is None and warning is None:
            self._path.unlink(missing_ok=True)
            return
        made = self._path.with_suffix(".new")
        made.write_text(json.dumps([trouble, warning]), "utf-8")
        made.replace(self._path)


def backup_troubles(site: Site, now: datetime) -> tuple[list[str], list[str]]:
    """Return what keeps backups from becoming history, and what an operator should look at besides.

    Raises GitupdError if the database can't be read.
    """
    noted, odd = Troubles(site.path).read()
    troubles, warnings = [noted] if noted else [], [odd] if odd else []
    since = site.backup_inbox.oldest()
    if not noted and since is not None and (now - since).total_seconds() > _WAITING_SECONDS:
        count = counted(site.backup_inbox.count(), "backup waits", "backups wait")
        troubles.append(f"{count} for the history, the first since {since:%Y-%m-%d %H:%M} UTC")
    try:
        warnings += _of_the_repository(site, now, mirror=not noted)
    except UnreadableRepository as error:
        troubles.append(str(error))
    return troubles, warnings


def _of_the_repository(site: Site, now: datetime, *, mirror: bool) -> Iterator[str]:
    if site.backups.replaced():
        yield "the backup history was rewritten; gitupd backups verify says what is missing in it"
    behind = lag(site) if mirror else None
    if behind is not None and behind.since is not None and (now - behind.since).total_seconds() > _BEHIND_SECONDS:
        what = f"the mirror of the backup history lacks {counted(behind.versions, 'version')}"
        yield f"{what}, the first of {behind.since:%Y-%m-%d %H:%M} UTC"
