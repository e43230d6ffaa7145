"""What all processes of a server count together, in memory that they share.

The supervisor makes it before it forks, and each process writes to a sheet of its own. So any process can add up all
sheets for whoever asks, nothing is written to disk, and what a killed process has counted stays counted.
"""

from __future__ import annotations

import mmap
import os
import resource
import struct
import time
from bisect import bisect_left
from collections import Counter, deque
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from gitupd.service.background import Recurring, Trouble
from gitupd.service.sightings import Outcome
from gitupd.web.asgi.conclusion import Handled, HandshakeEnd, Polled, RequestKind, Uploaded, UploadMode, UploadOutcome
from gitupd.web.asgi.connections import Shed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.web.asgi.conclusion import Conclusion

KEEPER = -1
STATUSES = ("2xx", "3xx", "4xx", "5xx", "none")
"""Classes of status codes; none stands for a request whose client was gone before there was one."""

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets for the time that an answer took, in seconds; the last bucket has none."""

FLUSH_SECONDS = 0.2
FRESH_SECONDS = 10.0
_MOST_WAITING = 200_000
_STOP_SECONDS = 2.0
_SPARE = 2  # a process and its successor count at the same time for a moment, each on a sheet of its own

Cell = tuple[str, ...]

_CELLS: tuple[Cell, ...] = (
    *product(("requests",), RequestKind, STATUSES),
    *product(("bucket",), RequestKind, map(str, range(len(BOUNDS) + 1))),
    *product(("seconds",), RequestKind),
    *product(("polls",), Outcome),
    *product(("uploads",), UploadMode, UploadOutcome),
    *product(("handshakes",), HandshakeEnd),
    *product(("shed",), Shed),
    ("firmware-bytes",),
    ("log-dropped",),
    ("devices-left-out",),
    ("requests-not-recorded",),
)
_GAUGES: tuple[Cell, ...] = (("beat",), ("started",), ("cpu",), ("memory",), ("sightings-waiting",), ("tls-trouble",))
_INDEX = {cell: index for index, cell in enumerate((*_CELLS, *_GAUGES))}
_SIZE = struct.calcsize("d")


class Sheet:
    """The numbers of one process: counters that only ever grow, and gauges that hold while the process lives."""

    def __init__(self, numbers: memoryview[float]) -> None:
        """Write to *numbers*, one of format ``d`` for each cell."""
        self._numbers = numbers

    def add(self, cell: Cell, amount: float = 1) -> None:
        """Add *amount* to a cell; only one thread may do so for any cell."""
        self._numbers[_INDEX[cell]] += amount

    def set(self, cell: Cell, value: float) -> None:
        """Give a cell a value."""
        self._numbers[_INDEX[cell]] = value

    def __getitem__(self, cell: Cell) -> float:
        """Return what is in a cell."""
        return float(self._numbers[_INDEX[cell]])

    def beat(self) -> None:
        """Say that the process is alive, and what it takes."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        self.set(("cpu",), used.ru_utime + used.ru_stime)
        self.set(("memory",), _resident())
        self.set(("beat",), time.monotonic())

    def begin(self) -> None:
        """Say that the process has started; what a predecessor said of itself on this sheet is over."""
        self.end()
        self.set(("started",), time.time())

    def end(self) -> None:
        """Say that the process is about to end: its gauges mean nothing any more."""
        for gauge in _GAUGES:
            self.set(gauge, 0)


class Counters:
    """The sheets of all processes of a server: of its workers by number, and of the keeper."""

    def __init__(self, workers: int = 1) -> None:
        """Make room for as many *workers*, and the keeper."""
        self._workers = range(KEEPER, workers)
        count = len(self._workers) * _SPARE
        # Not a file: it vanishes with the last process, and there is nothing to clean up.
        memory = memoryview(mmap.mmap(-1, max(1, count * len(_INDEX) * _SIZE))).cast("d")
        self._sheets = [Sheet(memory[number * len(_INDEX) : (number + 1) * len(_INDEX)]) for number in range(count)]
        self._turns: Counter[int] = Counter()

    def take(self, number: int) -> Sheet:
        """Return the sheet for a new process with this *number*, which is not that of the one it replaces."""
        self._turns[number] += 1
        return self._pair(number)[self._turns[number] % _SPARE]

    def total(self, cell: Cell) -> float:
        """Return what all processes, those that have ended included, have in a cell together."""
        return sum(sheet[cell] for sheet in self._sheets)

    def living(self, now: float) -> dict[int, Sheet]:
        """Return the sheets of the processes that are alive at *now*, by number; the younger one of two.

        That is by the monotonic clock, which all processes of a machine share: a clock that is put forward ends none.
        """
        sheets: dict[int, Sheet] = {}
        for number in self._workers:
            alive = [sheet for sheet in self._pair(number) if abs(now - sheet[("beat",)]) < FRESH_SECONDS]
            if alive:
                sheets[number] = max(alive, key=lambda sheet: sheet[("started",)])
        return sheets

    def last_beat(self, number: int) -> float | None:
        """Return when, by the same clock, the process of this *number* last said that it is alive; None if never."""
        return max(sheet[("beat",)] for sheet in self._pair(number)) or None

    def _pair(self, number: int) -> list[Sheet]:
        first = (number - KEEPER) * _SPARE
        return self._sheets[first : first + _SPARE]


_Answered = tuple["Conclusion", int, int, float]
"""What became of a request, its status, how many bytes it was answered with, and after how many seconds."""


class Counting:
    """Counts the requests of a worker, some times a second, from a thread: no request waits for it."""

    def __init__(self, sheet: Sheet, sightings_waiting: Callable[[], int]) -> None:
        """Count on *sheet*; ask *sightings_waiting* how many sightings have yet to be written."""
        self._sheet, self._sightings_waiting = sheet, sightings_waiting
        self._answered: deque[_Answered] = deque(maxlen=_MOST_WAITING)
        trouble = Trouble("requests were not counted")
        self._counting = Recurring("counting", FLUSH_SECONDS, self.flush, trouble, at_end=True, patience=_STOP_SECONDS)

    def start(self) -> None:
        """Start to count in the background."""
        self._sheet.begin()
        self._sheet.beat()
        self._counting.start()

    def stop(self) -> None:
        """Count what is left, and stop."""
        self._counting.stop()
        self._sheet.end()

    def add(self, conclusion: Conclusion, status: int, size: int, seconds: float) -> None:
        """Note down a request that was answered just now, with *size* bytes after *seconds*."""
        self._answered.append((conclusion, status, size, seconds))

    def flush(self) -> None:
        """Count what has been noted down; a request last, so that whoever sees it sees all that is counted of it."""
        requests: Counter[tuple[Conclusion, int]] = Counter()
        times: dict[RequestKind, list[float]] = {}
        for conclusion, status, size, seconds in [self._answered.popleft() for _ in range(len(self._answered))]:
            requests[conclusion, status] += 1
            times.setdefault(conclusion.kind, []).append(seconds)
            if conclusion.kind is RequestKind.FIRMWARE:
                self._sheet.add(("firmware-bytes",), size)
        for kind, answers in times.items():
            for bucket, count in Counter(map(partial(bisect_left, BOUNDS), answers)).items():
                self._sheet.add(("bucket", kind, str(bucket)), count)
            self._sheet.add(("seconds", kind), sum(answers))
        for (conclusion, status), count in requests.items():
            for cell in _cells(conclusion, status):
                self._sheet.add(cell, count)
        self._sheet.set(("sightings-waiting",), self._sightings_waiting())
        self._sheet.beat()


def _cells(conclusion: Conclusion, status: int) -> tuple[Cell, ...]:
    """Return what a request counts for, in the order of counting."""
    request = ("requests", conclusion.kind, _status(status))
    match conclusion:
        case Polled(outcome):
            return ("polls", outcome), request
        case Uploaded(mode, outcome):
            return ("uploads", mode, outcome), request
        case Handled():
            return (request,)
        case _:
            assert_never(conclusion)


def _status(code: int) -> str:
    return f"{code // 100}xx" if code else "none"


def _resident() -> int:
    """Return how many bytes of memory this process holds."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
