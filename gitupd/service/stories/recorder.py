"""Requests of watched devices, on their way into the database: after they were answered, and without secrets.

Each worker has one. What it does costs no answer any time: a thread looks once a second who is watched, and writes what
has come together; if that can't be done, it is lost, counted and logged.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gitupd.config.builtin import BUILTIN
from gitupd.config.patterns import compiled
from gitupd.core.concealing import Veil
from gitupd.core.stories.recorded import concealed
from gitupd.service.background import Recurring, Trouble
from gitupd.service.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gitupd.core.caller import Serial
    from gitupd.core.snapshot import Snapshot
    from gitupd.core.stories.recorded import RecordedRequest
    from gitupd.store.stories.recordings import Recordings

LOOK_SECONDS = 1.0
_MOST_WAITING = 200
_MOST_VEILS = 4
_STOP_SECONDS = 2.0


class Recorder:
    """Knows which devices are watched, and keeps their requests."""

    def __init__(
        self, recordings: Recordings, secret_headers: Iterable[str] = (), lost: Callable[[int], None] = lambda _: None
    ) -> None:
        """Keep requests in *recordings*, without the values of *secret_headers*; tell *lost* how many could not be."""
        self._recordings, self._secret_headers, self._lost = recordings, tuple(secret_headers), lost
        self._waiting: deque[tuple[RecordedRequest, tuple[Snapshot, ...]]] = deque()
        self._crowded_out = 0
        self._veils: dict[tuple[int, ...], tuple[tuple[Snapshot, ...], Veil]] = {}
        trouble = Trouble("requests of devices can't be recorded")
        self._working = Recurring("recorder", LOOK_SECONDS, self.work, trouble, at_end=True, patience=_STOP_SECONDS)
        self.watched: Mapping[bytes, Serial] = {}
        """Devices that are watched, by the digits of their serial numbers."""
        self.addresses: Mapping[str, Serial] = {}
        """The same by the address from which each called last, but for addresses that several have."""

    def start(self) -> None:
        """Look once who is watched, then go on in the background."""
        self._working.once()
        self._working.start()

    def stop(self) -> None:
        """Write what waits, and stop."""
        self._working.stop()

    def add(self, request: RecordedRequest, snapshots: tuple[Snapshot, ...]) -> None:
        """Keep a request that was just answered, from one of *snapshots*, none of them if nothing is deployed.

        While it waits, its secrets are in it, in memory alone.
        """
        if len(self._waiting) >= _MOST_WAITING:
            self._crowded_out += 1
        else:
            self._waiting.append((request, snapshots))

    def lose(self) -> None:
        """Note that a request could not be kept."""
        self._crowded_out += 1

    def work(self) -> None:
        """Write what waits, and look who is watched; raises GitupdError for what can't be written, which is lost."""
        lost, self._crowded_out = self._crowded_out, 0
        some = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            if some:
                self._recordings.write(
                    concealed(request, self._veil(snapshots), self._secret_headers) for request, snapshots in some
                )
            some.clear()
            self._look()
        finally:
            if lost + len(some):
                self._lost(lost + len(some))

    def _look(self) -> None:
        running = self._recordings.running(now())
        addresses = [address for _, _, address in running]
        self.addresses = {
            address: serial for serial, _, address in running if address and addresses.count(address) == 1
        }
        self.watched = {serial.digits.encode(): serial for serial, _, _ in running}

    def _veil(self, snapshots: tuple[Snapshot, ...]) -> Veil:
        """Return what hides what any of *snapshots* takes for secret."""
        if not snapshots:
            return Veil(tuple(map(compiled, BUILTIN.secret_patterns)))
        key = tuple(map(id, snapshots))  # they are kept beside it, so that no other one gets that number
        kept = self._veils.get(key)
        if kept is None:
            if len(self._veils) >= _MOST_VEILS:
                self._veils.clear()
            kept = self._veils[key] = (snapshots, Veil.over(snapshots))
        return kept[1]
