"""Bringing the index of the backup history and the history together again, after a crash or damage to either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gitupd.errors import UnreadableRepository
from gitupd.service.backup_messages import device_of, indexed_as, upload_of
from gitupd.store.backups import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site
    from gitupd.store.backups import Recorded

_AT_ONCE = 1_000
_LOST = Kept("0" * 40, 0)

log = structlog.get_logger()


def recover(site: Site) -> int:
    """Take commits into the index that it does not know yet, because somebody was killed; return how many.

    An index that does not fit the history at all is made anew, and a branch that was lost is found again by the index.
    Raises UnreadableRepository if the history is damaged in a way that an operator has to mend.
    """
    known = site.backup_index.tip()
    tip = site.backups.tip()
    if tip == known:
        return 0
    if known is None:
        return _catch_up(site, None)
    if tip is None or not site.backups.has(tip) or site.backups.reaches(known, tip):
        _find_again(site, known)
        return 0
    return _catch_up(site, known) if site.backups.reaches(tip, known) else rebuild(site)


def rebuild(site: Site) -> int:
    """Make the index anew from the whole history; return how many commits that has. Raises UnreadableRepository."""
    recorded, damage = site.backups.history(None)
    if damage is not None:
        raise UnreadableRepository(f"the backup history does not fit its index, nor can it be read: {damage}")
    log.warning("the index of the backups does not fit the history, and is made anew", commits=len(recorded))
    site.backup_index.clear()
    count = _index(site, recorded)
    if forgotten := site.backup_inbox.forget_heads():
        log.warning("backups of devices are missing in the history; their next uploads are kept", count=forgotten)
    return count


def _catch_up(site: Site, known: CommitId | None) -> int:
    recorded, damage = site.backups.history(known)
    if damage is not None:
        log.error("a part of the backup history can't be read, and is missing in the index", error=damage)
    return _index(site, recorded)


def _find_again(site: Site, known: CommitId) -> None:
    """Let the branch have all the commits that the index knows; it has been lost, moved back, or its end is damaged.

    What the index does not know is in the inbox still.
    """
    try:
        site.backups.point_at(known)
    except UnreadableRepository as error:
        raise UnreadableRepository(
            f"the backup history in {site.backups.path} was lost, of which the index knows {site.backup_index.count()} "
            f"versions; restore it from a copy or from a mirror ({error})"
        ) from error
    log.warning("the branch of the backup history was lost, and found again by the index", commit=known)


def _index(site: Site, recorded: Sequence[Recorded]) -> int:
    for first in range(0, len(recorded), _AT_ONCE):
        _index_some(site, recorded[first : first + _AT_ONCE])
    return len(recorded)


def _index_some(site: Site, recorded: Sequence[Recorded]) -> None:
    devices = [(each, serial) for each in recorded if (serial := device_of(each.message)) is not None]
    places = site.backups.locate([(each.commit, serial) for each, serial in devices])
    versions = []
    for (each, serial), place in zip(devices, places, strict=True):
        if place is None:
            log.error("a version in the backup history can't be read", device=str(serial), commit=each.commit)
        if (version := indexed_as(each, serial, place or _LOST)) is not None:
            versions.append(version)
    if strange := {each.commit for each in recorded} - {version.commit for version in versions}:
        log.warning("commits of the backup history are no versions", count=len(strange), one=min(strange))
    keys = [key for each in recorded if (key := upload_of(each.message)) is not None]
    site.backup_index.add(versions, keys)
