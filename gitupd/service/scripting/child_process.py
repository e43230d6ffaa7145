"""A process that answers a question by one line in time, or is killed with all that it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 2**16
_LARGEST_ANSWER = 10 * 10**6
_EXIT_POLL_SECONDS = 0.005


class NoAnswer(Exception):
    """The process did not answer as agreed, and must be ended."""


class ChildProcess:
    """Reads questions from its standard input, and writes each answer as one line to its standard output.

    One thread at a time may use it. A process that it starts is killed with it, unless that leaves its session.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """Start *command* without the environment of this process; raises OSError."""
        self._process = subprocess.Popen(  # noqa: S603 - the one caller names a program of ours
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONUTF8": "1"},
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it has pipes
        assert self._process.stdout is not None  # noqa: S101 - it has pipes
        self._questions, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._questions, False)
        os.set_blocking(self._answers, False)

    def is_waiting(self) -> bool:
        """Return whether the process runs, and has said nothing that it was not asked."""
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._answers, selectors.EVENT_READ)
            return self._exit_code() is None and not pipes.select(0)

    def ask(self, question: bytes, seconds: float) -> bytes:
        """Return the line that answers *question*, which is of whole lines.

        Raises NoAnswer if there is none within *seconds*, or more than one line, or one before all of *question* is
        taken; OSError hardly ever. A process that closed its input is heard nevertheless.
        """
        deadline = time.monotonic() + seconds
        unsent, answer = memoryview(question), bytearray()
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._questions, selectors.EVENT_WRITE)
            pipes.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in answer[-_CHUNK:]:
                left = deadline - time.monotonic()
                ready = [key.fd for key, _ in pipes.select(left)] if left > 0 else []
                if not ready:
                    raise NoAnswer(_excess(seconds))
                if self._questions in ready:
                    unsent = self._send(unsent)
                    if not unsent:
                        pipes.unregister(self._questions)
                if self._answers in ready:
                    answer += self._receive(deadline, seconds)
                if len(answer) > _LARGEST_ANSWER:
                    raise NoAnswer("its answer is too long to be meant")
        if unsent or answer.index(b"\n") != len(answer) - 1:
            raise NoAnswer("it said something else than its answer")
        return bytes(answer)

    def end(self) -> None:
        """Kill the process and those it started, as far as they are in its session's first group."""
        with suppress(ProcessLookupError):  # somebody else may have waited for it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, unsent: memoryview) -> memoryview:
        """Return what of *unsent* the pipe does not take yet."""
        try:
            return unsent[os.write(self._questions, unsent) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            return unsent[len(unsent) :]  # what can be read now, if only how it ended, says why

    def _receive(self, deadline: float, seconds: float) -> bytes:
        chunk = os.read(self._answers, _CHUNK)
        if chunk:
            return chunk
        while (code := self._exit_code()) is None and time.monotonic() < deadline:
            time.sleep(_EXIT_POLL_SECONDS)
        if code is None:
            raise NoAnswer("it does not answer any more")
        if code in (-signal.SIGKILL, -signal.SIGXCPU):
            raise NoAnswer(_excess(seconds))
        raise NoAnswer(f"its process ended with {code}")

    def _exit_code(self) -> int | None:
        """Return how the process ended, negative for a signal; None while it runs.

        It is not waited for: until :meth:`end`, no other process, and no other group, can get its number.
        """
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _excess(seconds: float) -> str:
    return f"it took longer than {seconds:g} s, or more memory than is allowed"
