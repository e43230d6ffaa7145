"""Which devices are not as their scripts want them: held against their latest backups, one after the other."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.backups.change import lines_of
from gitupd.core.backups.intent import Intent, Verdict, intent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.backups.intent import Finding
    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.core.patterns import TextPattern
    from gitupd.core.script import Script
    from gitupd.core.standing import Yardstick
    from gitupd.service.site import Site

    ScriptOf = Callable[[Device], Script | None]
    """Returns what a device would get now, None if that can't be told."""

_AT_ONCE = 100
_OFF = (Verdict.DIFFERENT, Verdict.ABSENT, Verdict.PRESENT)


class Because(StrEnum):
    """What is known of why a device is not as its script wants it."""

    WAITING = "has yet to execute the deployed commit"
    NO_UPLOAD = "has not uploaded since it executed it"
    CHANGED = "executed it, and is otherwise now"


@dataclass(frozen=True, slots=True)
class Drifting:
    """A device that is not as its script wants it: in its latest ``version`` the options of ``off`` are otherwise."""

    device: Device
    version: BackupVersion
    off: tuple[Finding, ...]
    because: Because


@dataclass(frozen=True, slots=True)
class Drift:
    """Devices that are not as wanted, of ``looked_at`` ones; ``left`` is where to go on, None if those were all.

    A device without a backup, or of which it can't be told what it would get, is not looked at.
    """

    found: tuple[Drifting, ...]
    looked_at: int
    left: Serial | None


def held_against(script: Script, backup: Iterable[str], secrets: Sequence[TextPattern]) -> Intent:
    """Return how the lines of a *backup* stand to a *script*; lines in which one of *secrets* is found are secret."""

    def is_secret(line: str) -> bool:
        return any(pattern.search(line) for pattern in secrets)

    return intent(((line.number, line.text) for line in script.lines), backup, is_secret)


@dataclass(frozen=True, slots=True)
class Looking:
    """What is needed to look at the devices of a ``site``: what each gets, and how far it is."""

    site: Site
    yardstick: Yardstick
    script_of: ScriptOf
    secrets: Sequence[TextPattern]

    def drift(self, serials: Sequence[Serial], seconds: float) -> Drift:
        """Return which of *serials* are not as wanted, as far as that is found within *seconds*."""
        deadline = time.monotonic() + seconds
        drifted: list[Drifting] = []
        looked_at = 0
        for serial, drifting, was_looked_at in self._verdicts(serials):
            looked_at += was_looked_at
            drifted += [drifting] if drifting is not None else []
            if time.monotonic() > deadline:
                return Drift(tuple(drifted), looked_at, serial if serial != serials[-1] else None)
        return Drift(tuple(drifted), looked_at, None)

    def _verdicts(self, serials: Sequence[Serial]) -> Iterator[tuple[Serial, Drifting | None, bool]]:
        for first in range(0, len(serials), _AT_ONCE):
            some = serials[first : first + _AT_ONCE]
            latest, heads = self.site.backup_index.latest(some), self.site.backup_inbox.heads(some)
            stored = [serial for serial in some if serial in latest]
            with closing(self.site.backups.stream([latest[serial].blob for serial in stored])) as contents:
                for serial, content in zip(stored, contents, strict=True):
                    head = heads.get(serial)
                    seen = head.seen if head is not None else latest[serial].received
                    yield (serial, *self._one(serial, latest[serial], content, seen))

    def _one(
        self, serial: Serial, version: BackupVersion, content: bytes, seen: datetime
    ) -> tuple[Drifting | None, bool]:
        device = self.site.inventory.device(serial)
        script = self.script_of(device) if device is not None else None
        if device is None or script is None:
            return None, False
        lines = (line.decode(errors="replace") for line in lines_of(content))
        off = held_against(script, lines, self.secrets).of(*_OFF)
        return Drifting(device, version, off, self._because(device, seen)) if off else None, True

    def _because(self, device: Device, seen: datetime) -> Because:
        if not self.yardstick.has_executed(device):
            return Because.WAITING
        if device.confirmed_at is not None and seen <= device.confirmed_at:
            return Because.NO_UPLOAD
        return Because.CHANGED
