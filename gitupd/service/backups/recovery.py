"""Bringing the index of the backup history and the history together again, after a crash or damage to either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gitupd.core.people.audit import Event, Kind
from gitupd.core.words import counted
from gitupd.errors import SiteError, UnreadableRepository
from gitupd.service.backups.messages import device_of, indexed_as, upload_of
from gitupd.store.backups.inbox import remove_file
from gitupd.store.backups.objects import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site
    from gitupd.store.backups.objects import Recorded

_AT_ONCE = 1_000
_LOST = Kept("0" * 40, 0)

log = structlog.get_logger()


def recover(site: Site) -> int:
    """Take commits into the index that it does not know yet, because somebody was killed; return how many.

    An index that does not fit the history at all is made anew, and a branch that was lost is found again by the index.
    Raises UnreadableRepository if the history is damaged in a way that an operator has to mend.
    """
    indexed_tip = site.backup_index.tip()
    tip = site.backups.tip()
    if tip == indexed_tip:
        return 0
    if indexed_tip is None:
        return _catch_up(site, None)
    if tip is None or not site.backups.has(tip) or site.backups.reaches(indexed_tip, tip):
        _find_again(site, indexed_tip)
        return 0
    return _catch_up(site, indexed_tip) if site.backups.reaches(tip, indexed_tip) else rebuild(site)


def rebuild(site: Site) -> int:
    """Make the index anew from the whole history; return how many commits that has. Raises UnreadableRepository."""
    recorded, damage = site.backups.history(None)
    if damage is not None:
        raise UnreadableRepository(f"the backup history does not fit its index, nor can it be read: {damage}")
    log.warning("the index of the backups does not fit the history, and is made anew", commits=len(recorded))
    if gone := site.backup_index.commits() - {record.commit for record in recorded}:
        _set_aside(site, len(gone))
    site.backup_index.clear()
    count = _index(site, recorded)
    if forgotten := site.backup_inbox.forget_heads():
        log.warning("backups of devices are missing in the history; their next uploads are kept", count=forgotten)
    return count


def _set_aside(site: Site, gone: int) -> None:
    """Keep the history that the index knows, as far as it is there still: somebody has put another in its place."""
    tip = site.backup_index.tip()
    is_kept = tip is not None and site.backups.has(tip)
    if tip is not None and is_kept:
        site.backups.set_aside(tip)
    log.warning(
        "the backup history was rewritten, or an older copy restored: versions are missing in it",
        count=gone,
        kept_up_to=tip if is_kept else "nothing",
    )


def begin_anew(site: Site, *, who: str, now: datetime) -> Path | None:
    """Begin an empty history in the place of one that is lost; return where what is left was put, None if nothing.

    The index forgets what was in it. What waits in the inbox becomes the beginning, and devices have their next upload
    kept. Raises SiteError if the history is still there, and can be appended to. The history counts as lost until the
    index is given up, so somebody who is killed before can begin anew again.
    """
    if _is_there(site):
        raise SiteError(f"the backup history in {site.backups.path} is there; see: gitupd backups verify")
    left = site.backups.path.exists()
    aside = site.backups.path.with_name(f"{site.backups.path.name}.lost-{now:%Y%m%dT%H%M%SZ}")
    try:
        if left:
            with site.backups.claimed():
                site.backups.path.rename(aside)
        site.backups.create()
    except OSError as error:
        raise SiteError(f"{site.backups.path} can't be put aside: {error}") from error
    detail = f"what is left: {aside if left else 'nothing'}"
    site.backup_index.give_up(Event(now, who, Kind.BACKUP_BEGIN_ANEW, detail=detail))
    log.warning("the backup history was lost, and is begun anew", left=str(aside) if left else "nothing")
    return aside if left else None


def _is_there(site: Site) -> bool:
    """Whether there is a history to which can be appended, an empty one if there never was another."""
    try:
        latest = site.backups.tip() or site.backup_index.tip()
    except UnreadableRepository:
        return False
    return latest is None or site.backups.has(latest)


def _catch_up(site: Site, since: CommitId | None) -> int:
    recorded, damage = site.backups.history(since)
    if damage is not None:
        log.error("a part of the backup history can't be read, and is missing in the index", error=damage)
    return _index(site, recorded)


def _find_again(site: Site, tip: CommitId) -> None:
    """Let the branch have all the commits that the index knows; it has been lost, moved back, or its end is damaged.

    What the index does not know is in the inbox still.
    """
    try:
        site.backups.point_at(tip)
    except UnreadableRepository as error:
        raise UnreadableRepository(
            f"the backup history in {site.backups.path} was lost, of which the index knows "
            f"{counted(site.backup_index.count(), 'version')}; restore it from a copy or from a mirror, or give it up: "
            f"gitupd backups begin-anew ({error})"
        ) from error
    log.warning("the branch of the backup history was lost, and found again by the index", commit=tip)


def _index(site: Site, recorded: Sequence[Recorded]) -> int:
    for first in range(0, len(recorded), _AT_ONCE):
        _index_some(site, recorded[first : first + _AT_ONCE])
    return len(recorded)


def _index_some(site: Site, recorded: Sequence[Recorded]) -> None:
    devices = [(record, serial) for record in recorded if (serial := device_of(record.message)) is not None]
    places = site.backups.locate([(record.commit, serial) for record, serial in devices])
    versions = []
    for (record, serial), place in zip(devices, places, strict=True):
        if place is None:
            log.error("a version in the backup history can't be read", device=str(serial), commit=record.commit)
        if (version := indexed_as(record, serial, place or _LOST)) is not None:
            versions.append(version)
    if strange := {record.commit for record in recorded} - {version.commit for version in versions}:
        log.warning("commits of the backup history are no versions", count=len(strange), one=min(strange))
    keys = [key for record in recorded if (key := upload_of(record.message)) is not None]
    files = site.backup_inbox.files(keys)
    site.backup_index.add(versions, keys)
    for key in files:
        remove_file(site.inbox_folder, key)
