"""A process of ``git`` with all that it has started: watched as one, and ended as one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_SECONDS = 0.5
_GROUP, _TIMES = 2, slice(11, 15)
"""Where in /proc/PID/stat the group of a process is, and the time that it and its children took (proc(5))."""


class Stuck(Exception):
    """A program that has done nothing for long."""


class GivenUp(Exception):
    """A program whose work nobody wants any more."""


class GitProcess(subprocess.Popen[bytes]):
    """A process in a group of its own: ``git push`` starts ``ssh`` and ``pack-objects``, which would outlive it."""

    def kill(self) -> None:
        """End the process and all that it has started."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Wait for its end, and cause that if the block has failed."""
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)  # type: ignore[arg-type] # whatever it is, it is passed on

    def result(self, seconds: float, given_up: Callable[[], bool]) -> tuple[bytes, bytes]:
        """Return what it writes to its output, and to its errors, when it has ended.

        Raises Stuck if none of the group has computed, read or written anything for so many *seconds*, and GivenUp
        as soon as *given_up* says so.
        """
        signs, since = -1, time.monotonic()
        while True:
            try:
                return self.communicate(timeout=_LOOK_SECONDS)
            except subprocess.TimeoutExpired as error:
                if given_up():
                    raise GivenUp from error
                if (present := _signs_of_life(self.pid)) != signs:
                    signs, since = present, time.monotonic()
                elif time.monotonic() - since > seconds:
                    raise Stuck from error


def _signs_of_life(group: int) -> int:
    """Return a number that changes when any process of *group* does something."""
    signs = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):  # it has ended meanwhile
            fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
            if int(fields[_GROUP]) == group:
                signs += sum(map(int, fields[_TIMES])) + _bytes_moved(process)
    return signs


def _bytes_moved(process: Path) -> int:
    with suppress(OSError):
        lines = (process / "io").read_text("ascii").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("rchar", "wchar")))
    return 0
