"""What keeps the backup history small, quick and whole."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError, SiteError
from gitupd.service.backup_commits import BackupCommits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

MOST_PACKS = 40
_UNCLAIMED_SECONDS = 3600
_SPARE = 3  # a repack needs room for what it packs, and some more


def keep_up(site: Site) -> bool:
    """Roll packs together if there are many, and room on the disk; return whether anything was done."""
    if site.backups.pack_count() <= MOST_PACKS:
        return False
    size = site.backups.size()
    free = shutil.disk_usage(site.path).free
    if free < size * _SPARE:
        raise SiteError(f"the backup history needs {size * _SPARE >> 20} MiB to be packed, and {free >> 20} are free")
    site.backups.keep_up()
    return True


def tidy_inbox(site: Site, now: float) -> int:
    """Remove files of the inbox that belong to nobody: cut off, or never answered; return how many.

    *now* is in seconds since the epoch. Whatever is younger than an hour may still be on its way.
    """
    known = site.backup_inbox.keys()
    gone = [
        path
        for path in site.inbox_folder.glob("*")
        if path.name not in known and now - path.stat().st_mtime > _UNCLAIMED_SECONDS
    ]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def verify(site: Site) -> Iterator[str]:
    """Check the history, heal its index, and yield what was found; raises SiteError if something is damaged."""
    for name in site.backups.tidy():
        yield f"removed {name}, which a killed process left behind"
    try:
        site.backups.check()
    except GitupdError as error:
        raise SiteError(f"the backup history is damaged: {error}; restore {site.backups.path} from a mirror") from error
    found = BackupCommits(site).recover()
    if found:
        yield f"took {found} commits into the index that it did not know"
    yield f"{site.backup_index.count()} versions, every object is whole"
