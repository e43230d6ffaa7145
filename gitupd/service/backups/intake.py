"""Taking in configurations that devices upload: judged, compared with the last, and kept before they are answered."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from dataclasses import dataclass, field, replace
from itertools import count
from typing import IO, TYPE_CHECKING, Any

from gitupd.core.backups.change import Volatile, counting, fault_in, fingerprint, is_doubtful, lines_of
from gitupd.core.device import Message
from gitupd.core.people.guessing import neighbourhood
from gitupd.core.policy import Backup
from gitupd.service.background import Recurring, Trouble
from gitupd.service.backups.pace import Pace
from gitupd.service.group_commit import GroupCommit
from gitupd.service.restraint import Restraint
from gitupd.store.backups.inbox import Doubted, Incoming, Last, SeenAgain, packed, remove_file
from gitupd.store.durable import rename

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.backups.change import Fingerprint
    from gitupd.core.caller import Serial
    from gitupd.service.deployments.live import Follower
    from gitupd.store.backups.inbox import BackupInbox, Upload
    from gitupd.store.inventory import Inventory

_LOOKED_AT = 2**20
_MOST_READINGS = 10_000
_SEEN_SECONDS = 1.0
_FEW = 4
_KEPT, _UNCHANGED = "kept", "nothing has changed"
TOO_OFTEN = "too many versions within a short time; the configuration is kept when it comes again later"
"""The verdict on a version that would be kept if it were not one of so many."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a version's content says: why it can be no configuration, None if it can, and its fingerprint."""

    fault: str | None
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload that has come in whole, ``length`` bytes, and was read.

    ``body`` is what came, or the file of a large one, which is taken over if it is kept, and is on disk already.
    """

    serial: Serial
    at: datetime
    body: bytes | Path = field(repr=False)
    length: int
    facts: Mapping[str, Any]
    reading: Reading


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be told on the page of a device."""

    serial: Serial
    message: Message


class BackupIntake:
    """The use case of a worker: a device uploads its configuration, and goes on once that is on disk."""

    def __init__(self, follower: Follower, inbox: BackupInbox, inventory: Inventory, folder: Path) -> None:
        """Keep in *inbox*, and large ones in *folder*, what the configuration that *follower* knows asks for."""
        self._follower, self._inbox, self._inventory, self.folder = follower, inbox, inventory, folder
        self._commit: GroupCommit[Sequence[Arrival] | Remark, Sequence[str]] = GroupCommit("backups", self._write)
        self._restraint, self._pace = Restraint(), Pace()
        self._seen = _SeenAgain(inbox)
        self._rules = _Rules(None)
        self._keys = _keys()

    @property
    def trouble(self) -> str | None:
        """Why the last backups could not be written, None if they could."""
        return self._commit.trouble

    def start(self) -> None:
        """Start to write in the background."""
        self._commit.start()
        self._seen.start()

    def stop(self) -> None:
        """Write what waits, and stop."""
        self._commit.stop()
        self._seen.stop()

    def unwanted(self) -> str | None:
        """Return why nobody wants a backup, None if the deployed configuration does."""
        live = self._follower.live
        if live is None:
            return "nothing is deployed yet"
        return None if live.snapshot.policy.backup.enabled else "the configuration has backups switched off"

    def put(self, arrivals: Sequence[Arrival]) -> Future[Sequence[str]]:
        """Keep what is new of *arrivals*; once that is on disk, the future has their verdicts in the words of answers.

        It raises GitupdError if they can't be kept.
        """
        return self._commit.put(arrivals)

    def read(self, body: bytes | Path) -> Reading:
        """Do in advance, and from any thread, what takes long for a large one: read it, and have it on disk.

        Raises OSError.
        """
        live = self._follower.live
        policy = live.snapshot.policy.backup if live else None
        rules = self._rules
        if rules.policy is not policy:
            rules = self._rules = _Rules(policy)
        if isinstance(body, bytes):
            return rules.read(body)
        with body.open("rb") as stream:
            os.fsync(stream.fileno())
            return rules.read(stream)

    def tell(self, serial: Serial, fault: str, at: datetime) -> None:
        """Say on the page of a device why its backup was not kept, but not all the time; nobody waits for it."""
        if self._restraint.allows((serial, fault), at):
            self._commit.put(_remark(serial, fault, at))

    def _write(self, items: Sequence[Sequence[Arrival] | Remark]) -> list[list[str]]:
        """Judge all that arrived, in its order, and remember it in one go; return the verdicts."""
        batches = [() if isinstance(item, Remark) else item for item in items]
        heads = self._inbox.last({arrival.serial for arrivals in batches for arrival in arrivals})
        uploads: list[Upload] = []
        try:
            verdicts = [[self._judge(arrival, heads, uploads) for arrival in arrivals] for arrivals in batches]
            if remaining := self._seen.rest(uploads):
                self._inbox.save(remaining)
        except Exception:
            self._take_back(uploads)
            raise
        for item in items:
            if isinstance(item, Remark):
                self._inventory.tell(item.serial, item.message)
        return verdicts

    def _take_back(self, uploads: Sequence[Upload]) -> None:
        """Remove the files of what was not kept: the disk may be full."""
        for upload in uploads:
            if isinstance(upload, Incoming) and upload.body is None:
                remove_file(self.folder, upload.key)

    def _judge(self, arrival: Arrival, heads: dict[Serial, Last], uploads: list[Upload]) -> str:
        """Return what becomes of *arrival*, and add what is to be remembered to *uploads*; update *heads*.

        What is added is known there even if the next arrival fails, for a file that belongs to nobody takes room.
        """
        serial, reading, head = arrival.serial, arrival.reading, heads.get(arrival.serial)
        if reading.fault is not None:
            return self._refuse(arrival, reading.fault)
        if head is not None and head.fingerprint == reading.fingerprint:
            uploads.append(SeenAgain(serial, arrival.at))
            if head.doubtful is not None:
                heads[serial] = replace(head, doubtful=None)
                uploads.append(Doubted(serial, None))
            return _UNCHANGED
        if head is not None and head.doubtful != reading.fingerprint and is_doubtful(arrival.length, head.length):
            heads[serial] = replace(head, doubtful=reading.fingerprint)
            uploads.append(Doubted(serial, reading.fingerprint))
            return self._refuse(arrival, f"{arrival.length} bytes are implausibly few; it is kept if it comes again")
        if not self._is_in_time(arrival):
            return TOO_OFTEN
        heads[serial] = Last(reading.fingerprint, arrival.length)
        uploads.append(self._incoming(arrival))
        return _KEPT

    def _is_in_time(self, arrival: Arrival) -> bool:
        """Whether one more version of this device, and from its address, may be kept already."""
        live = self._follower.live
        policy = live.snapshot.policy.backup if live else Backup()
        home = neighbourhood(arrival.facts.get("address"))
        return self._pace.allows({("device", arrival.serial): policy.per_device, ("address", home): policy.per_address})

    def _refuse(self, arrival: Arrival, fault: str) -> str:
        if self._restraint.allows((arrival.serial, fault), arrival.at):
            remark = _remark(arrival.serial, fault, arrival.at)
            self._inventory.tell(remark.serial, remark.message)
        return f"not kept: {fault}"

    def _incoming(self, arrival: Arrival) -> Incoming:
        """Return *arrival* as it is remembered; the file of a large one belongs to the inbox from now on."""
        key = next(self._keys)
        live = self._follower.live
        facts = {**arrival.facts, "deployed": live.deployment.commit if live else None}
        body = None
        if isinstance(arrival.body, bytes):
            body = packed(arrival.body)
        else:  # before the transaction: what a row names must be there (docs/decisions/0010-backup-history.md)
            self._take_over(arrival.body, key)
        return Incoming(key, arrival.serial, arrival.at, arrival.reading.fingerprint, arrival.length, facts, body)

    def _take_over(self, file: Path, key: str) -> None:
        try:
            rename(file, self.folder / key)
        except OSError:
            remove_file(self.folder, key)  # it may have that name already, and the name not be on disk
            raise


class _Rules:
    """Reads versions by one policy, and remembers them, since most devices repeat theirs byte for byte."""

    def __init__(self, policy: Backup | None) -> None:
        self.policy = policy
        self._volatile = Volatile(policy.ignore if policy else ())
        self._readings: dict[bytes, Reading] = {}

    def read(self, content: bytes | IO[bytes]) -> Reading:
        if not isinstance(content, bytes):
            return Reading(fault_in(_start(content)), fingerprint(counting(_lines_of(content), self._volatile)))
        key = hashlib.sha256(content).digest()
        reading = self._readings.get(key)
        if reading is None:
            if len(self._readings) >= _MOST_READINGS:
                self._readings.clear()
            reading = self._readings[key] = Reading(fault_in(content), self._volatile.fingerprint(content))
        return reading


class _SeenAgain:
    """Writes down who has uploaded what is kept already.

    If many do, that is done once a second: nothing is lost with it, so nobody has to wait for the disk.
    """

    def __init__(self, inbox: BackupInbox) -> None:
        self._inbox = inbox
        self._lock = threading.Lock()
        self._seen: dict[Serial, SeenAgain] = {}
        trouble = Trouble("it was not written down which backups came again")
        self._writing = Recurring("seen again", _SEEN_SECONDS, self._flush, trouble, at_end=True)

    def start(self) -> None:
        self._writing.start()

    def stop(self) -> None:
        self._writing.stop()

    def rest(self, uploads: Sequence[Upload]) -> list[Upload]:
        """Take what can wait out of *uploads*, unless they are only a few; return the rest."""
        if len(uploads) < _FEW:
            return list(uploads)
        with self._lock:
            self._seen.update((upload.serial, upload) for upload in uploads if isinstance(upload, SeenAgain))
        return [upload for upload in uploads if not isinstance(upload, SeenAgain)]

    def _flush(self) -> None:
        with self._lock:
            seen, self._seen = self._seen, {}
        if seen:
            self._inbox.save(seen.values())


def _remark(serial: Serial, fault: str, at: datetime) -> Remark:
    return Remark(serial, Message(at, f"its backup was not kept: {fault}"))


def _keys() -> Iterator[str]:
    """Yield keys that no process has ever had, which cost less than asking the system for each."""
    start = secrets.token_hex(8)
    return (f"{start}{number:016x}" for number in count())


def _start(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read(_LOOKED_AT)


def _lines_of(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    return lines_of(stream)
