"""Turning the inbox of backups into commits: one committer for a site, and nothing is there twice or half."""

from __future__ import annotations

import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any

import structlog

from gitupd.core.backups.change import Delta, Volatile, changed_lines, counting, lines_of
from gitupd.core.backups.topics import topics
from gitupd.core.backups.version import Indexed
from gitupd.core.device import Message
from gitupd.errors import UnreadableRepository
from gitupd.service.backups.messages import facts_of, message_of
from gitupd.service.backups.recovery import recover
from gitupd.store.backups.inbox import unpacked
from gitupd.store.backups.stream import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from gitupd.core.backups.change import Fingerprint
    from gitupd.core.caller import Serial
    from gitupd.core.policy import Backup
    from gitupd.service.site import Site
    from gitupd.store.backups.inbox import Incoming
    from gitupd.store.backups.repository import Committed

_MOST = 500
_MOST_BYTES = 16 * 2**20
_UNREADABLE = "the version before can't be read"
_DAMAGED = "a part of the backup history can't be read, which gitupd backups verify names"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Pending:
    """A version of the inbox that becomes a commit."""

    incoming: Incoming
    lines: int
    delta: Delta
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Last:
    """The version of a device before: ``content`` is None if it can't be read."""

    fingerprint: Fingerprint
    content: bytes | IO[bytes] | None


class BackupCommits:
    """Commits what waits in the inbox of a site; whoever does so at the same time waits for this one."""

    def __init__(self, site: Site) -> None:
        """Commit for *site*."""
        self._site = site
        self._unread: dict[str, str] = {}  # by the keys of the uploads
        self._unreadable: dict[str, str] = {}  # by the blobs of the versions
        self._is_damaged = False

    @property
    def trouble(self) -> str | None:
        """What of the inbox or of the history could not be read, though everything else goes on; None if nothing."""
        damage = [_DAMAGED] if self._is_damaged else []
        return next(iter([*self._unread.values(), *self._unreadable.values(), *damage]), None)

    def look_again(self) -> None:
        """Forget what of the history could not be read, if somebody has mended it."""
        contents = self._site.backups.contents(self._unreadable)
        self._unreadable = {blob: told for blob, told in self._unreadable.items() if contents[blob] is None}
        self._is_damaged = self._is_damaged and self._site.backups.is_damaged()

    def recover(self) -> int:
        """Bring history and index together, as :func:`recover` does; return how many commits the index lacked."""
        with self.claimed():
            return recover(self._site)

    def commit(self, policy: Backup) -> int:
        """Commit some of what waits, the oldest first; return how many versions left the inbox."""
        with self.claimed():
            recover(self._site)
            waiting = self._site.backup_inbox.waiting(_MOST, _MOST_BYTES)
            if not waiting:
                return 0
            return self._commit(waiting, Volatile(policy.ignore))

    def claimed(self) -> AbstractContextManager[None]:
        """Be the only one who writes; a repository that is missing is created if nobody ever had one."""
        if not self._site.backups.path.exists() and self._site.backup_index.tip() is None:
            self._site.backups.create()
        return self._site.backups.claimed()

    def _commit(self, waiting: Sequence[Incoming], volatile: Volatile) -> int:
        done = dict.fromkeys(incoming.key for incoming in waiting)
        try:
            pending, committed = self._append(waiting, volatile, None, done)
        except UnreadableRepository as error:
            tip = self._site.backups.tip()
            if tip is None or not self._site.backups.has(tip) or not self._site.backups.is_damaged():
                raise
            log.error("a part of the backup history can't be read; its folders are made anew", error=str(error))
            self._is_damaged = True
            pending, committed = self._append(waiting, volatile, self._folder(), done)
        versions = [_indexed(each, found) for each, found in zip(pending, committed, strict=True)]
        self._site.backup_index.add(versions, done)
        for incoming in waiting:
            if incoming.body is None and incoming.key in done:
                (self._site.inbox_folder / incoming.key).unlink(missing_ok=True)
        return len(done)

    def _append(
        self,
        waiting: Sequence[Incoming],
        volatile: Volatile,
        folder: Mapping[Serial, str] | None,
        done: dict[str, None],
    ) -> tuple[list[_Pending], list[Committed]]:
        """Append what of *waiting* is new to the history; take out of *done* what has to stay in the inbox."""
        pending: list[_Pending] = []
        with ExitStack() as stack:
            versions = self._versions(waiting, volatile, stack, pending, done)
            some = list(islice(versions, 1))
            chained = chain(some, versions)
            committed = self._site.backups.append(chained, folder, self._site.backup_key) if some else []
        return pending, committed

    def _folder(self) -> dict[Serial, str]:
        """Return the blobs of all devices by the index, as far as they are there."""
        latest = self._site.backup_index.at(datetime.max.replace(tzinfo=UTC))
        places = self._site.backups.locate_blobs([version.blob for version in latest])
        return {
            version.serial: version.blob for version, place in zip(latest, places, strict=True) if place is not None
        }

    def _versions(
        self,
        waiting: Sequence[Incoming],
        volatile: Volatile,
        stack: ExitStack,
        pending: list[_Pending],
        done: dict[str, None],
    ) -> Iterator[Version]:
        """Yield what is to be committed of *waiting*, and note it down in *pending*."""
        serials = {incoming.serial for incoming in waiting}
        last = self._last(serials)
        devices = self._site.inventory.some(serials)
        for incoming in waiting:
            content = self._content(incoming, stack, done) if incoming.key in done else None
            before = last.get(incoming.serial)
            if content is None or (before is not None and before.fingerprint == incoming.fingerprint):
                continue  # two workers took in the same at the same time
            counted = _Counted(counting(lines_of(_parts(content)), volatile))
            facts = facts_of(incoming, devices.get(incoming.serial))
            changed, more = _compared(before, counted, volatile)
            facts |= more
            last[incoming.serial] = _Last(incoming.fingerprint, content)
            pending.append(_Pending(incoming, counted.count, changed, facts))
            message = message_of(incoming, facts, counted.count, changed, first=before is None)
            author = " ".join(filter(None, (facts.get("type"), str(incoming.serial))))
            yield Version(incoming.serial, incoming.received, author, message, content)

    def _last(self, serials: set[Serial]) -> dict[Serial, _Last]:
        latest = self._site.backup_index.latest(serials)
        contents = self._site.backups.contents(version.blob for version in latest.values())
        for serial, version in latest.items():
            if contents[version.blob] is None:
                log.error("a version in the backup history can't be read", device=str(serial), commit=version.commit)
                self._unreadable[version.blob] = f"the version {version.commit} of device {serial} can't be read"
        return {serial: _Last(version.fingerprint, contents[version.blob]) for serial, version in latest.items()}

    def _content(self, incoming: Incoming, stack: ExitStack, done: dict[str, None]) -> bytes | IO[bytes] | None:
        """Return what was uploaded; None if it is lost, or if it can't be read at the moment and has to wait."""
        path = self._site.inbox_folder / incoming.key
        try:
            content = stack.enter_context(path.open("rb")) if incoming.body is None else unpacked(incoming.body)
        except (FileNotFoundError, zlib.error) as error:
            fault = f"the backup of {incoming.received:%Y-%m-%d %H:%M} UTC was lost; its next one is kept"
            log.error("a backup is lost: it can't be read", device=str(incoming.serial), error=str(error))
            self._site.backup_inbox.give_up([incoming])
            self._site.inventory.tell(incoming.serial, Message(incoming.received, fault))
            done.pop(incoming.key, None)
            return None
        except OSError as error:
            if incoming.key not in self._unread:
                log.error("a backup can't be read, and waits", path=str(path), error=str(error))
            self._unread[incoming.key] = f"{path} can't be read: {error}"
            done.pop(incoming.key, None)
            return None
        self._unread.pop(incoming.key, None)
        return content


class _Counted:
    """Counts lines while they are gone through."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.count += 1
            yield line

    def finish(self) -> None:
        for _ in self:
            pass


def _compared(before: _Last | None, after: _Counted, volatile: Volatile) -> tuple[Delta, dict[str, str]]:
    """Return what a version changes, and what is to be told of that."""
    if before is not None and before.content is None:
        after.finish()
        return Delta(0, 0), {"note": _UNREADABLE}
    old = counting(lines_of(_parts(before.content)), volatile) if before and before.content else ()
    lines = changed_lines(old, after)
    return Delta.of(lines), {"topics": ", ".join(topics(lines))} if before and lines else {}


def _indexed(pending: _Pending, found: Committed) -> Indexed:
    incoming = pending.incoming
    return Indexed(
        incoming.serial,
        incoming.received,
        found.commit,
        found.blob,
        incoming.fingerprint,
        incoming.length,
        pending.lines,
        pending.delta,
        pending.facts,
    )


def _parts(content: bytes | IO[bytes]) -> Any:
    if not isinstance(content, bytes):
        content.seek(0)
    return content
