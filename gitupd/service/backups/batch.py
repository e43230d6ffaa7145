"""Uploads on their way into the history together: what is to be committed of them, and what the index says then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from gitupd.core.backups.change import Delta, changed_lines, counting, lines_of
from gitupd.core.backups.topics import topics
from gitupd.core.backups.version import BackupVersion
from gitupd.service.backups.messages import facts_of, message_of
from gitupd.store.backups.stream import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitupd.core.backups.change import Fingerprint, Volatile
    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.store.backups.inbox import Incoming
    from gitupd.store.backups.repository import Committed

_UNREADABLE = "the version before can't be read"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A version of the inbox with its content, or the open file that has it."""

    incoming: Incoming
    content: bytes | IO[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The version of a device before: ``content`` is None if it can't be read."""

    fingerprint: Fingerprint
    content: bytes | IO[bytes] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Change:
    """What a version of the batch changes: its ``lines`` are those that count."""

    incoming: Incoming
    lines: int
    delta: Delta
    facts: Mapping[str, Any]


class Batch:
    """Versions that become commits, each compared with the one before while Git writes it: both take long."""

    def __init__(
        self,
        uploads: Sequence[Unpacked],
        predecessors: Mapping[Serial, Predecessor],
        devices: Mapping[Serial, Device],
        volatile: Volatile,
    ) -> None:
        """Take what is new of *uploads*, against *predecessors* and against each other, about *devices*."""
        self._predecessors, self._devices, self._volatile = dict(predecessors), devices, volatile
        self._uploads = list(_new(uploads, predecessors))
        self._changes: list[_Change] = []

    def __len__(self) -> int:
        """Return how many versions there are."""
        return len(self._uploads)

    def versions(self) -> Iterator[Version]:
        """Yield what is to be committed; to be gone through once."""
        for upload in self._uploads:
            change, message = self._compared(upload)
            self._changes.append(change)
            self._predecessors[upload.incoming.serial] = Predecessor(upload.incoming.fingerprint, upload.content)
            author = " ".join(filter(None, (change.facts.get("type"), str(upload.incoming.serial))))
            yield Version(upload.incoming.serial, upload.incoming.received, author, message, upload.content)

    def indexed(self, committed: Sequence[Committed]) -> list[BackupVersion]:
        """Return what the index is to say of the versions, now that they are *committed*, in their order."""
        return [_indexed(change, commit) for change, commit in zip(self._changes, committed, strict=True)]

    def _compared(self, upload: Unpacked) -> tuple[_Change, str]:
        """Return what a version changes, and the message of its commit."""
        incoming, before = upload.incoming, self._predecessors.get(upload.incoming.serial)
        counted = _Counted(counting(lines_of(_parts(upload.content)), self._volatile))
        facts = facts_of(incoming, self._devices.get(incoming.serial))
        delta, more = _difference(before, counted, self._volatile)
        facts |= more
        message = message_of(incoming, facts, counted.count, delta, first=before is None)
        return _Change(incoming, counted.count, delta, facts), message


def _new(uploads: Sequence[Unpacked], predecessors: Mapping[Serial, Predecessor]) -> Iterator[Unpacked]:
    """Yield those that differ from the version before: two workers may have taken in the same at the same time."""
    latest = {serial: predecessor.fingerprint for serial, predecessor in predecessors.items()}
    for upload in uploads:
        incoming = upload.incoming
        if latest.get(incoming.serial) != incoming.fingerprint:
            latest[incoming.serial] = incoming.fingerprint
            yield upload


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


def _difference(before: Predecessor | None, after: _Counted, volatile: Volatile) -> tuple[Delta, dict[str, str]]:
    """Return what a version changes, and what is to be told of that."""
    if before is not None and before.content is None:
        after.finish()
        return Delta(0, 0), {"note": _UNREADABLE}
    old = counting(lines_of(_parts(before.content)), volatile) if before and before.content else ()
    lines = changed_lines(old, after)
    return Delta.of(lines), {"topics": ", ".join(topics(lines))} if before and lines else {}


def _indexed(change: _Change, commit: Committed) -> BackupVersion:
    incoming = change.incoming
    return BackupVersion(
        incoming.serial,
        incoming.received,
        commit.commit,
        commit.blob,
        incoming.fingerprint,
        incoming.length,
        change.lines,
        change.delta,
        change.facts,
    )


def _parts(content: bytes | IO[bytes]) -> Any:
    if not isinstance(content, bytes):
        content.seek(0)
    return content
