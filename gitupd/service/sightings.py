"""Which device called, written behind: a poll costs no disk write, and a crash at most a second of "last seen"."""

from __future__ import annotations

import threading
from enum import StrEnum
from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple

from gitupd.core.actions import Restoring
from gitupd.core.admission.admittance import UNKNOWN
from gitupd.core.device import Device
from gitupd.core.identity import NOT_SHOWN
from gitupd.core.policy import Admission
from gitupd.errors import GitupdError
from gitupd.service.admission.turned_away import TurnedAway
from gitupd.service.background import Recurring, Trouble
from gitupd.store.strangers import Capacity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gitupd.core.actions import Action
    from gitupd.core.caller import Caller, Origin, Serial
    from gitupd.core.device import Recognised
    from gitupd.core.identity import Identity
    from gitupd.core.snapshot import CommitId
    from gitupd.service.reserve import Reserve
    from gitupd.store.inventory import Inventory
    from gitupd.store.restores import Restores

WRITE_SECONDS = 0.9
_MOST_PENDING = 20_000
_MOST_OF_ONE = 20
"""So many sightings of one device are kept within a second: of two that take turns in its name, say."""


class Outcome(StrEnum):
    """What became of a poll, for those who count them."""

    DELIVERED = "delivered"
    CONFIRMED = "confirmed"  # the device has executed everything already
    ENROLLED = "enrolled"  # it was told a step on the way to its certificate, and nothing else
    COMPLETED = "completed"  # it only got its update URL completed
    HELD = "held"  # HTTPS or a client certificate is required, and it goes no further without
    OUTSIDE = "outside"  # it is quarantined or refused: nobody has accepted it
    WAITING = "waiting"  # nothing was deployed yet
    VIEWED = "viewed"  # a HEAD request, which is no poll
    REFUSED = "refused"  # a request that no device makes
    FAILED = "failed"  # a failure of ours, or of computed lines


class Answer(NamedTuple):
    """What a poll was answered with, as far as devices in the same situation share it."""

    body: bytes
    facts: Sequence[Action]
    commit: CommitId
    recognised: Recognised
    outcome: Outcome = Outcome.DELIVERED


class Sightings:
    """Collects sightings, and writes them in batches from a thread."""

    def __init__(
        self,
        inventory: Inventory,
        restores: Restores | None = None,
        reserve: Reserve | None = None,
        most: Callable[[], int] = lambda: Admission().most,
        left_out: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Collect sightings for *inventory*, and for *restores* which of them were sent.

        While the *reserve* of the disk is reached, devices that are not known yet are left out; and so are unknown ones
        beyond the *most* that are remembered. *left_out* is told how many.
        """
        self._inventory, self._restores, self._reserve = inventory, restores, reserve
        self._most, self._left_out = most, left_out
        self._turned_away = TurnedAway()
        self._lock = threading.Lock()
        self._pending: dict[Serial, list[_Sighting]] = {}
        self._waiting = 0
        trouble = Trouble("sightings can't be written")
        self._writing = Recurring("sightings", WRITE_SECONDS, self.write, trouble, at_end=True)

    @property
    def trouble(self) -> str | None:
        """Why the last sightings could not be written, None if they could."""
        return self._writing.trouble.text

    def start(self) -> None:
        """Start to write in the background."""
        self._writing.start()

    def stop(self) -> None:
        """Write what is left, and stop."""
        self._writing.stop()

    def add(
        self, caller: Caller, origin: Origin, answer: Answer, now: datetime, identity: Identity = NOT_SHOWN
    ) -> None:
        """Remember that *caller*, who has said its serial number, called from *origin* and got *answer*.

        *identity* is whether it was known to be the device that it names.
        """
        if caller.serial is None:
            return
        sighting = caller, origin, answer, now, identity
        with self._lock:
            of_device = self._pending.get(caller.serial, [])
            if of_device and _is_repeated(of_device[-1], sighting):
                of_device[-1] = sighting
            elif self._waiting < _MOST_PENDING:
                self._pending[caller.serial] = [*of_device, sighting][-_MOST_OF_ONE:]
                self._waiting += len(of_device) < _MOST_OF_ONE

    @property
    def waiting(self) -> int:
        """How many sightings have yet to be written."""
        return self._waiting

    def write(self) -> None:
        """Write what was collected; raises GitupdError if that can't be done, and keeps it for the next time."""
        with self._lock:
            pending, self._pending = self._pending, {}
            count, self._waiting = self._waiting, 0
        if not count:
            return
        try:
            if self._restores is not None:
                self._restores.note_sent(_restoring(chain.from_iterable(pending.values())))
            self._save(self._admitted(_folded(pending)))
        except GitupdError:
            with self._lock:
                if self._waiting + count < _MOST_PENDING:
                    for serial, later in self._pending.items():
                        pending[serial] = [*pending.get(serial, ()), *later]
                    self._pending, self._waiting = pending, self._waiting + count
            raise

    def _save(self, devices: list[Device]) -> None:
        """Write *devices* down, unknown ones as far as there is room; those that call again come before others."""
        unknown = [device.serial for device in devices if device.admission in UNKNOWN]
        again = frozenset(serial for serial in unknown if serial.digits in self._turned_away)
        left_out = self._inventory.save_sightings(devices, Capacity(self._most(), again))
        for serial in left_out:
            self._turned_away.add(serial.digits)
        if left_out:
            self._left_out(len(left_out))

    def _admitted(self, devices: list[Device]) -> list[Device]:
        """Return those of *devices* that may be written down: with little room, only those that are known."""
        if self._reserve is None or not self._reserve.is_reached():
            return devices
        known = self._inventory.some([device.serial for device in devices])
        return [device for device in devices if device.serial in known]


_Sighting = tuple["Caller", "Origin", Answer, "datetime", "Identity"]


def _is_repeated(earlier: _Sighting, later: _Sighting) -> bool:
    """Whether a sighting says no more than the one before, but that it was later."""
    return earlier[2] is later[2] and _appearance(earlier) == _appearance(later)


def _appearance(sighting: _Sighting) -> tuple[str | None, ...]:
    """Return by what a device is taken for the same as before, or for another one, and whether it is let in."""
    caller, origin, answer, _, identity = sighting
    key = identity.certificate.key if identity.is_trusted and identity.certificate else None
    return caller.get("hwid") or None, origin.address, key, answer.recognised.admission


def _folded(pending: Mapping[Serial, Sequence[_Sighting]]) -> list[Device]:
    """Return what the sightings of each device say: in one, but for a device that appears otherwise than before.

    What follows from that only the inventory knows, which has seen more of it.
    """
    devices = []
    for serial, sightings in pending.items():
        for _, alike in groupby(sightings, _appearance):
            device = Device(serial)
            for caller, origin, answer, now, identity in alike:
                device = device.polled(caller, origin, answer, now, identity)
            devices.append(device)
    return devices


def _restoring(pending: Iterable[_Sighting]) -> Iterator[tuple[int, datetime]]:
    """Yield the numbers of restores that were sent, and when."""
    for _, _, answer, now, _ in pending:
        for fact in answer.facts:
            if isinstance(fact, Restoring):
                yield fact.number, now
