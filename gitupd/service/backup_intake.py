"""Taking in configurations that devices upload: judged, compared with the last, and kept before they are answered."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from gitupd.core.backup import Volatile, counting, fault_in, fingerprint, is_doubtful, lines_of
from gitupd.core.device import Message
from gitupd.service.group_commit import GroupCommit
from gitupd.store.backup_inbox import Doubted, Incoming, SeenAgain, packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.backup import Fingerprint
    from gitupd.core.device import Serial
    from gitupd.core.policy import Backup
    from gitupd.service.live import Follower
    from gitupd.store.backup_inbox import BackupInbox, Head, Upload
    from gitupd.store.inventory import Inventory

_LOOKED_AT = 2**20


@dataclass(slots=True)
class Arrival:
    """An upload that has come in whole, ``length`` bytes, and what became of it once it was looked at.

    ``content`` is the body itself, or the file of a large one, whose name is ``file``.
    """

    serial: Serial
    at: datetime
    content: bytes | IO[bytes]
    length: int
    facts: Mapping[str, Any]
    file: Path | None = None
    verdict: str = field(default="", init=False)


class BackupIntake:
    """The use case of a worker: a device uploads its configuration, and goes on once that is on disk."""

    def __init__(self, follower: Follower, inbox: BackupInbox, inventory: Inventory, folder: Path) -> None:
        """Keep in *inbox*, and large ones in *folder*, what the configuration that *follower* knows asks for."""
        self._follower, self._inbox, self._inventory, self.folder = follower, inbox, inventory, folder
        self._commit: GroupCommit[Arrival] = GroupCommit("backups", self._write)
        self._policy: Backup | None = None
        self._volatile = Volatile(())

    @property
    def trouble(self) -> str | None:
        """Why the last backups could not be written, None if they could."""
        return self._commit.trouble

    def start(self) -> None:
        """Start to write in the background."""
        self._commit.start()

    def stop(self) -> None:
        """Write what waits, and stop."""
        self._commit.stop()

    def unwanted(self) -> str | None:
        """Return why nobody wants a backup, None if the deployed configuration does."""
        live = self._follower.live
        if live is None:
            return "nothing is deployed yet"
        return None if live.snapshot.policy.backup.enabled else "the configuration has backups switched off"

    def wants_certificate(self) -> bool:
        """Whether only devices that show a client certificate may upload."""
        live = self._follower.live
        return live is not None and live.snapshot.policy.transport.client_certificate == "required"

    def keep(self, arrival: Arrival) -> Future[None]:
        """Look at *arrival*, and keep it if it is new; then the future is done, and ``arrival.verdict`` says what is.

        The future raises GitupdError if it can't be kept.
        """
        return self._commit.add(arrival)

    def _write(self, arrivals: Sequence[Arrival]) -> None:
        """Look at all *arrivals*, in their order, and remember them in one go."""
        volatile = self._current_volatile()
        heads: dict[Serial, Head | Incoming] = dict(self._inbox.heads(arrival.serial for arrival in arrivals))
        uploads = []
        for arrival in arrivals:
            upload = self._judged(arrival, heads.get(arrival.serial), volatile)
            if upload is not None:
                uploads.append(upload)
            if isinstance(upload, Incoming):
                heads[arrival.serial] = upload
        if uploads:
            self._inbox.save(uploads)

    def _current_volatile(self) -> Volatile:
        live = self._follower.live
        policy = live.snapshot.policy.backup if live else None
        if policy is not self._policy:
            self._policy, self._volatile = policy, Volatile(policy.ignore if policy else ())
        return self._volatile

    def _judged(self, arrival: Arrival, head: Head | Incoming | None, volatile: Volatile) -> Upload | None:
        start = arrival.content if isinstance(arrival.content, bytes) else _start(arrival.content)
        if (fault := fault_in(start)) is not None:
            self._refused(arrival, fault)
            return None
        found = fingerprint(counting(lines_of(_parts(arrival.content)), volatile))
        if head is not None and head.fingerprint == found:
            arrival.verdict = "nothing has changed"
            return SeenAgain(arrival.serial, arrival.at)
        doubted = getattr(head, "doubtful", None)
        if doubted != found and is_doubtful(arrival.length, head.length if head else None):
            self._refused(arrival, f"{arrival.length} bytes are implausibly few; it is kept if it comes again")
            return Doubted(arrival.serial, found)
        arrival.verdict = "kept"
        return self._incoming(arrival, found)

    def _refused(self, arrival: Arrival, fault: str) -> None:
        arrival.verdict = f"not kept: {fault}"
        self._inventory.tell(arrival.serial, Message(arrival.at, f"its backup was {arrival.verdict}"))

    def _incoming(self, arrival: Arrival, found: Fingerprint) -> Incoming:
        key = secrets.token_hex(16)
        body = None
        live = self._follower.live
        facts = {**arrival.facts, "deployed": live.deployment.commit if live else None}
        if isinstance(arrival.content, bytes):
            body = packed(arrival.content)
        elif arrival.file is not None:
            os.fsync(arrival.content.fileno())
            arrival.file.rename(self.folder / key)
            arrival.file = None
            _sync_folder(self.folder)
        return Incoming(key, arrival.serial, arrival.at, found, arrival.length, facts, body)


def _start(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read(_LOOKED_AT)


def _parts(content: bytes | IO[bytes]) -> Any:
    if not isinstance(content, bytes):
        content.seek(0)
    return content


def _sync_folder(folder: Path) -> None:
    """Have the names in *folder* on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
