"""Versions of configurations in the backup history, and summaries of many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.backups.change import Delta, Fingerprint
    from gitupd.core.caller import Serial
    from gitupd.core.snapshot import CommitId


@dataclass(frozen=True, slots=True)
class BackupVersion:
    """A version in the history; ``lines`` are those that count, ``delta`` the difference to the device's last one."""

    serial: Serial
    received: datetime
    commit: CommitId
    blob: str
    fingerprint: Fingerprint
    length: int
    lines: int
    delta: Delta
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many versions there are, of how many devices, and how many of these changed lately."""

    versions: int
    devices: int
    lately: int


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version with its ``number`` in the index, and what its device is called now, None if nobody knows."""

    number: int
    version: BackupVersion
    name: str | None


@dataclass(frozen=True, slots=True)
class Wave:
    """Changes alike that devices showed first after they had got ``commit``; ``numbers`` are those of the versions.

    They are those of the index, the newest first, one for each device.
    """

    commit: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeviceBackups:
    """What is kept of one device: ``count`` versions, the ``latest`` of them, ``seen`` for the last time then."""

    latest: BackupVersion
    name: str | None
    count: int
    seen: datetime | None


@dataclass(frozen=True, slots=True)
class Extent:
    """How many versions of a device there are, and when the first and the last were received, None for none."""

    count: int
    first: datetime | None
    last: datetime | None


def path_of(serial: Serial) -> str:
    """Return the path of a device's file.

    The last two digits of the serial number are folders, so that however many devices there are no folder is large:
    Git writes each folder above a file anew with each commit (docs/decisions/0010-backup-history.md).
    """
    return f"devices/{serial.digits[-2]}/{serial.digits[-1]}/{serial}.txt"
