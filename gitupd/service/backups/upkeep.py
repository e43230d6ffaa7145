"""What keeps the backup history small, quick and whole."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

from gitupd.core.words import counted
from gitupd.errors import GitupdError, SiteError
from gitupd.service.backups.messages import device_of
from gitupd.service.backups.recovery import rebuild, recover
from gitupd.store.backups.signatures import signatures
from gitupd.store.places import BACKUP_KEY, BACKUP_SIGNERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site
    from gitupd.store.ages import Ages

MOST_PACKS = 40
_UNCLAIMED_SECONDS = 3600
_SPARE = 3  # a repack needs room for what it packs, and some more


def keep_up(site: Site) -> bool:
    """Roll packs together if there are many, and room on the disk; return whether anything was done."""
    if site.backups.pack_count() <= MOST_PACKS:
        return False
    _spared(site)
    site.backups.keep_up()
    return True


def compact(site: Site) -> tuple[int, int]:
    """Pack the whole history anew; return how many bytes it took before, and takes now.

    Whoever commits waits meanwhile. Raises SiteError if there is no room on the disk.
    """
    before = _spared(site)
    site.backups.compact()
    return before, site.backups.size()


def _spared(site: Site) -> int:
    """Return the size of the history in bytes; raises SiteError if there is no room to pack it anew."""
    size, free = site.backups.size(), shutil.disk_usage(site.path).free
    if free < size * _SPARE:
        raise SiteError(f"the backup history needs {size * _SPARE >> 20} MiB to be packed, and {free >> 20} are free")
    return size


def tidy_inbox(site: Site, ages: Ages) -> int:
    """Remove files of the inbox that belong to nobody: cut off, or never answered; return how many.

    Whatever was not there, or otherwise, an hour ago by *ages* may still be on its way.
    """
    files = [path for path in site.inbox_folder.glob("*") if path.is_file()]
    keys = site.backup_inbox.keys()  # after the files: what has got its key meanwhile is among them
    unclaimed = ages.older((path for path in files if path.name not in keys), _UNCLAIMED_SECONDS)
    for path in unclaimed:
        path.unlink(missing_ok=True)
    return len(unclaimed)


def verify(site: Site) -> Iterator[str]:
    """Check the history, heal its index, and yield what was found; raises SiteError if something is damaged."""
    with site.backups.claimed():
        for name in site.backups.tidy():
            yield f"removed {name}, which a killed process left behind"
    try:
        site.backups.check()
    except GitupdError as error:
        raise SiteError(f"the backup history is damaged: {error}; restore {site.backups.path} from a mirror") from error
    with site.backups.claimed():
        added = recover(site) or _complete(site)
    if added:
        yield f"took {counted(added, 'commit')} into the index that it did not know"
    for tip in site.backups.replaced():
        yield (
            f"somebody has rewritten the history; the one before is kept, up to commit {tip}. What the present one "
            f"lacks of it: git -C {site.backups.path} log main..{tip}"
        )
    yield from _signatures(site)
    if waiting := site.backup_inbox.count():
        yield f"{counted(waiting, 'version waits', 'versions wait')} to be committed"
    yield f"{counted(site.backup_index.count(), 'version')}, every object is whole"


def _signatures(site: Site) -> Iterator[str]:
    """Yield what the signatures of the history say, if there are any; raises SiteError if it was made by others."""
    is_signing = site.settings.sign_backups
    if is_signing and (site.path / BACKUP_KEY).exists():
        _ = site.backup_key  # lists itself again if the list was lost
    signers = site.backup_signers
    if not signers.keys:
        if is_signing:
            yield "nothing is signed yet; that begins with the next version"
        return
    with closing(site.backups.commits()) as commits:
        tally = signatures(commits, signers)
    if tally.foreign is not None:
        raise SiteError(
            f"commit {tally.foreign} of the backup history is not signed with a key that {BACKUP_SIGNERS} lists: "
            f"somebody else has written it; restore {site.backups.path} from a mirror"
        )
    if tally.last and is_signing:
        raise SiteError(
            f"the backup history ends with {counted(tally.last, 'commit')} without a signature, though sign_backups is "
            "on: unless you switched it on just now, somebody has rewritten it; restore "
            f"{site.backups.path} from a mirror"
        )
    yield f"signed: {counted(tally.signed, 'commit')}, which vouch for {tally.unsigned} without a signature before them"
    if tally.last:
        yield f"not signed, because sign_backups is off: the last {counted(tally.last, 'commit')}"


def _complete(site: Site) -> int:
    """Make the index anew if it lacks versions of the history; return how many commits that has then."""
    recorded, _ = site.backups.history(None)
    indexed = site.backup_index.commits()
    lacking = any(record.commit not in indexed and device_of(record.message) is not None for record in recorded)
    return rebuild(site) if lacking or len(indexed) > len(recorded) else 0
