"""Which device called, written behind: a poll costs no disk write, and a crash at most a second of "last seen"."""

from __future__ import annotations

import threading
from enum import StrEnum
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
    from collections.abc import Callable, Iterable, Iterator, Sequence
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
        self._pending: dict[tuple[Serial, int], _Sighting] = {}
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
        key = caller.serial, id(answer)
        with self._lock:
            self._pending.pop(key, None)  # what comes later stands behind what came before
            if len(self._pending) < _MOST_PENDING:
                self._pending[key] = (caller, origin, answer, now, identity)

    @property
    def waiting(self) -> int:
        """How many sightings have yet to be written."""
        return len(self._pending)

    def write(self) -> None:
        """Write what was collected; raises GitupdError if that can't be done, and keeps it for the next time."""
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            if self._restores is not None:
                self._restores.note_sent(_restoring(pending.values()))
            self._save(self._admitted(_folded(pending.values())))
        except GitupdError:
            with self._lock:
                if len(self._pending) + len(pending) < _MOST_PENDING:
                    self._pending = pending | self._pending
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


def _folded(pending: Iterable[_Sighting]) -> list[Device]:
    devices: dict[Serial, Device] = {}
    for caller, origin, answer, now, identity in pending:
        if caller.serial is None:
            continue
        device = devices.get(caller.serial) or Device(caller.serial)
        devices[caller.serial] = device.polled(caller, origin, answer, now, identity)
    return list(devices.values())


def _restoring(pending: Iterable[_Sighting]) -> Iterator[tuple[int, datetime]]:
    """Yield the numbers of restores that were sent, and when."""
    for _, _, answer, now, _ in pending:
        for fact in answer.facts:
            if isinstance(fact, Restoring):
                yield fact.number, now
