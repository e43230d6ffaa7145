"""What changed of a device from one call to the next, as far as it belongs to its story."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.core.device import Device
    from gitupd.core.snapshot import CommitId


class ChangeKind(StrEnum):
    """What changed; the last two are told of a device, and are no change of it."""

    SENT = "sent"
    CONFIRMED = "confirmed"
    NAME = "name"
    ENVIRONMENTS = "environments"
    PHASE = "phase"
    ADDRESS = "address"
    HARDWARE = "hardware"
    TYPE = "type"
    KEY = "key"
    FIRMWARE = "firmware"
    BOOTCODE = "bootcode"
    FIRMWARE_WANTED = "firmware-wanted"
    BOOTCODE_WANTED = "bootcode-wanted"
    WARNED = "warned"
    DEED = "deed"


@dataclass(frozen=True, slots=True)
class Change:
    """One of them: what was before and is ``now``, None for what is not known, or is none.

    What was sent is ``now`` as a number of snippets, from ``commit``. A warning is ``now`` its text; of a deed, ``was``
    is the kind and ``now`` who did it.
    """

    at: datetime
    kind: ChangeKind
    was: str | None = None
    now: str | None = None
    commit: CommitId | None = None


def changes(before: Device | None, after: Device) -> Iterator[Change]:
    """Yield what changed of a device, None *before* its first call: then nothing but what it was sent and confirmed."""
    at = after.last_seen
    if at is None:
        return
    if before is not None:
        for kind, was, now in _facts(before, after):
            if now is not None and now != was:
                yield Change(at, kind, was, now)
    yield from _progress(before, after, at)


def _progress(before: Device | None, after: Device, at: datetime) -> Iterator[Change]:
    was_sent = before and (before.sent, before.snippets)
    if after.sent is not None and was_sent != (after.sent, after.snippets):
        yield Change(after.sent_at or at, ChangeKind.SENT, now=str(len(after.snippets)), commit=after.sent)
    has_confirmed = before and (before.confirmed, before.phase)
    if after.confirmed is not None and has_confirmed != (after.confirmed, after.phase):
        yield Change(after.confirmed_at or at, ChangeKind.CONFIRMED, commit=after.confirmed)


def _facts(before: Device, after: Device) -> Iterator[tuple[ChangeKind, str | None, str | None]]:
    """Yield what is known of a device before and after, in the order in which changes are told."""
    yield ChangeKind.TYPE, before.model, after.model
    yield ChangeKind.HARDWARE, before.hardware_id, after.hardware_id
    yield ChangeKind.KEY, before.key, after.key
    yield ChangeKind.NAME, before.name, after.name
    yield ChangeKind.ADDRESS, before.address, after.address
    yield ChangeKind.ENVIRONMENTS, " ".join(before.environments) or None, " ".join(after.environments) or None
    yield ChangeKind.PHASE, before.phase, after.phase
    yield ChangeKind.FIRMWARE_WANTED, before.firmware_wanted, after.firmware_wanted
    yield ChangeKind.BOOTCODE_WANTED, before.bootcode_wanted, after.bootcode_wanted
    yield ChangeKind.FIRMWARE, before.firmware, after.firmware
    yield ChangeKind.BOOTCODE, before.bootcode, after.bootcode
