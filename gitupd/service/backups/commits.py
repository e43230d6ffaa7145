"""Turning the inbox of backups into commits: one committer for a site, and nothing is there twice or half."""

from __future__ import annotations

import shutil
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gitupd.core.backups.change import Volatile
from gitupd.core.device import Message
from gitupd.errors import GitupdError, UnreadableRepository
from gitupd.service.backups.batch import Batch, Predecessor, Unpacked
from gitupd.service.backups.recovery import recover
from gitupd.store.backups.inbox import remove_file, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.policy import Backup
    from gitupd.service.site import Site
    from gitupd.store.backups.inbox import Incoming

# One pack a batch is what makes commits cheap (docs/decisions/0010-backup-history.md).
_MOST = 500
_MOST_BYTES = 16 * 2**20
_SPARE_BYTES = 2 * 2**20
"""What the database may need so that versions, which are on the disk twice by then, can leave the inbox."""
_DAMAGED = "a part of the backup history can't be read, which gitupd backups verify names"

log = structlog.get_logger()


class BackupCommits:
    """Commits what waits in the inbox of a site; whoever does so at the same time waits for this one."""

    def __init__(self, site: Site) -> None:
        """Commit for *site*."""
        self._site = site
        self._unread: dict[str, str] = {}  # by the keys of the uploads
        self._unreadable: dict[str, str] = {}  # by the blobs of the versions
        self._is_damaged = False
        self._most_bytes = _MOST_BYTES

    @property
    def trouble(self) -> str | None:
        """What of the inbox or of the history could not be read, though everything else goes on; None if nothing."""
        damage = [_DAMAGED] if self._is_damaged else []
        return next(iter([*self._unread.values(), *self._unreadable.values(), *damage]), None)

    def look_again(self) -> None:
        """Forget what of the history could not be read, if somebody has mended it."""
        contents = self._site.backups.contents(self._unreadable)
        self._unreadable = {blob: fault for blob, fault in self._unreadable.items() if contents[blob] is None}
        self._is_damaged = self._is_damaged and self._site.backups.is_damaged()

    def recover(self) -> int:
        """Bring history and index together, as :func:`recover` does; return how many commits the index lacked."""
        with self.claimed():
            return recover(self._site)

    def commit(self, policy: Backup) -> int:
        """Commit some of what waits, the oldest first; return how many versions left the inbox.

        What can't be committed together is tried by ones, at once, and then by more and more: with little room on the
        disk one may fit, and what it took in the inbox makes room for others.
        """
        volatile = Volatile(policy.ignore)
        with self.claimed():
            waiting = self._oldest(self._most_bytes)
            try:
                count = self._commit(waiting, volatile)
            except (GitupdError, OSError) as error:
                self._most_bytes = 0
                if len(waiting) == 1:
                    raise
                log.warning("backups can't be committed together, and are tried by ones", error=str(error))
                waiting = self._oldest(0)
                count = self._commit(waiting, volatile)
            size = sum(incoming.length for incoming in waiting)
            self._most_bytes = min(_MOST_BYTES, max(2 * size, self._most_bytes))
            return count

    def _oldest(self, most_bytes: int) -> list[Incoming]:
        """Return about *most_bytes* of what waits, one version at the least, and none that is in the history."""
        recover(self._site)
        room = shutil.disk_usage(self._site.path).free - _SPARE_BYTES
        return self._site.backup_inbox.waiting(_MOST, min(most_bytes, room))

    def claimed(self) -> AbstractContextManager[None]:
        """Be the only one who writes; a repository that is missing is created if nobody ever had one."""
        if not self._site.backups.path.exists() and self._site.backup_index.tip() is None:
            self._site.backups.create()
        return self._site.backups.claimed()

    def _commit(self, waiting: Sequence[Incoming], volatile: Volatile) -> int:
        if not waiting:
            return 0
        with ExitStack() as stack:
            uploads = list(self._unpacked(waiting, stack))
            versions = self._appended(uploads, volatile)
        self._site.backup_index.add(versions, [upload.incoming.key for upload in uploads])
        for upload in uploads:
            if upload.incoming.body is None:
                remove_file(self._site.inbox_folder, upload.incoming.key)
        return len(uploads)

    def _appended(self, uploads: Sequence[Unpacked], volatile: Volatile) -> list[BackupVersion]:
        """Append what of *uploads* is new to the history, and return it."""
        try:
            return self._append(self._batch(uploads, volatile), None)
        except UnreadableRepository as error:
            tip = self._site.backups.tip()
            if tip is None or not self._site.backups.has(tip) or not self._site.backups.is_damaged():
                raise
            # Damage stops one thing, not all (docs/decisions/0010-backup-history.md).
            log.error("a part of the backup history can't be read; its folders are made anew", error=str(error))
            self._is_damaged = True
            return self._append(self._batch(uploads, volatile), self._folder())

    def _append(self, batch: Batch, folder: Mapping[Serial, str] | None) -> list[BackupVersion]:
        if not batch:
            return []
        return batch.indexed(self._site.backups.append(batch.versions(), folder, self._site.backup_key))

    def _batch(self, uploads: Sequence[Unpacked], volatile: Volatile) -> Batch:
        serials = {upload.incoming.serial for upload in uploads}
        return Batch(uploads, self._predecessors(serials), self._site.inventory.some(serials), volatile)

    def _folder(self) -> dict[Serial, str]:
        """Return the blobs of all devices by the index, as far as they are there."""
        latest = self._site.backup_index.at(datetime.max.replace(tzinfo=UTC))
        places = self._site.backups.locate_blobs([version.blob for version in latest])
        return {
            version.serial: version.blob for version, place in zip(latest, places, strict=True) if place is not None
        }

    def _predecessors(self, serials: set[Serial]) -> dict[Serial, Predecessor]:
        latest = self._site.backup_index.latest(serials)
        contents = self._site.backups.contents(version.blob for version in latest.values())
        for serial, version in latest.items():
            if contents[version.blob] is None:
                log.error("a version in the backup history can't be read", device=str(serial), commit=version.commit)
                self._unreadable[version.blob] = f"the version {version.commit} of device {serial} can't be read"
        return {serial: Predecessor(version.fingerprint, contents[version.blob]) for serial, version in latest.items()}

    def _unpacked(self, waiting: Sequence[Incoming], stack: ExitStack) -> Iterator[Unpacked]:
        """Yield what can leave the inbox; files are open until *stack* closes them. What is lost is given up."""
        for incoming in waiting:
            path = self._site.inbox_folder / incoming.key
            try:
                content = stack.enter_context(path.open("rb")) if incoming.body is None else unpacked(incoming.body)
            except (FileNotFoundError, zlib.error) as error:
                self._give_up(incoming, error)
            except OSError as error:
                if incoming.key not in self._unread:
                    log.error("a backup can't be read, and waits", path=str(path), error=str(error))
                self._unread[incoming.key] = f"{path} can't be read: {error}"
            else:
                self._unread.pop(incoming.key, None)
                yield Unpacked(incoming, content)

    def _give_up(self, lost: Incoming, error: Exception) -> None:
        fault = f"the backup of {lost.received:%Y-%m-%d %H:%M} UTC was lost; its next one is kept"
        log.error("a backup is lost: it can't be read", device=str(lost.serial), error=str(error))
        self._site.backup_inbox.give_up([lost])
        self._site.inventory.tell(lost.serial, Message(lost.received, fault))
