"""The parent of all processes of a server: starts workers and the keeper, replaces those that end, and stops them.

The parent opens no database and starts no thread, so that forking it is safe. It owns the listening sockets: a worker
that dies loses none of the connections that wait for it.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import time
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import structlog

import gitupd.service.parts  # noqa: F401 - the workers have them from here
from gitupd.errors import SiteError
from gitupd.settings import read_settings
from gitupd.web.asgi.connections import raise_file_limit
from gitupd.web.asgi.counters import KEEPER, Counters
from gitupd.web.server import run_keeper, run_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from gitupd.web.listening import Listening

_STOP_SECONDS = 15.0
_RESTART_SECONDS = 1.0
_LOOK_SECONDS = 0.5
_SIGNALS_AT_ONCE = 1000
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_FORK = multiprocessing.get_context("fork")

log = structlog.get_logger()


class Supervisor:
    """Keeps the processes of one server running."""

    def __init__(self, site: Path, listening: Sequence[Sequence[Listening]], started: datetime) -> None:
        """Serve *site* with workers, each on its own part of *listening*."""
        self._site, self._listening, self._started = site, listening, started
        self._running: dict[int, BaseProcess] = {}  # by worker number, or KEEPER
        self._counters = Counters(len(listening))
        self._stopping = False
        self._reload = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP replaces every process by a new one, one after the other."""
        raise_file_limit()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._ask_reload)
        # What has been imported stays, and is shared: each process would copy it to look for garbage there.
        gc.freeze()
        signalled, signals = socket.socketpair()  # Python's own handlers alone would not end a wait
        signalled.settimeout(0)
        signals.settimeout(0)
        signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
        for number in range(KEEPER, len(self._listening)):
            self._start(number)
        while not self._stopping:
            wait([signalled, *(each.sentinel for each in self._running.values())], timeout=_LOOK_SECONDS)
            with suppress(BlockingIOError):
                signalled.recv(_SIGNALS_AT_ONCE)
            if self._reload:
                self._replace_all()
            elif not self._stopping:
                self._restart_dead()
        self._end(list(self._running.values()))

    def _start(self, number: int) -> None:
        target: Callable[..., None] = run_keeper
        arguments: tuple[object, ...] = (self._site, self._counters.take(number))
        if number != KEEPER:
            target = run_worker
            arguments = (self._site, self._listening[number], self._started, self._counters, arguments[-1])
        process = _FORK.Process(target=_child, args=(target, arguments, os.getpid()), name=f"gitupd-{number}")
        # A child that is told to end before it has its own way with signals would note that down as its parent does,
        # and go on.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        self._running[number] = process

    def _restart_dead(self) -> None:
        dead = [number for number, process in self._running.items() if not process.is_alive()]
        for number in dead:
            process = self._running[number]
            log.error("a process ended and is replaced", number=number, pid=process.pid, exitcode=process.exitcode)
            process.join()
            self._start(number)
        if dead:
            time.sleep(_RESTART_SECONDS)  # a process that can't start must not keep the machine busy

    def _replace_all(self) -> None:
        """Start a new process before each old one is told to finish what it does, so that none is missing.

        With settings that can't be read, or a process that doesn't stay, everything stays as it is.
        """
        self._reload = False
        try:
            read_settings(self._site)
        except SiteError as error:
            log.error("not reloaded", error=str(error))
            return
        for number, old in list(self._running.items()):
            if number == KEEPER:
                self._end([old])
                self._start(number)
            else:
                self._start(number)
                time.sleep(_RESTART_SECONDS)
                if not self._running[number].is_alive():
                    log.error("not reloaded: the new process ended at once", number=number)
                    self._running[number] = old
                    return
                self._end([old])

    def _end(self, processes: list[BaseProcess]) -> None:
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in processes:
            process.join(max(0.1, deadline - time.monotonic()))
            if process.is_alive():
                log.error("a process did not end in time and is killed", pid=process.pid)
                process.kill()
                process.join()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _ask_reload(self, *_: object) -> None:
        self._reload = True


def _child(target: Callable[..., None], arguments: tuple[object, ...], parent: int) -> None:
    """Run *target* as a process that ends with its parent, however that ends."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    _die_with(parent)
    target(*arguments)


def _die_with(parent: int) -> None:
    """Have the kernel end this process when *parent* is gone: a server that was killed must leave nobody behind."""
    import ctypes  # noqa: PLC0415 - only children need it, and only on Linux

    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
