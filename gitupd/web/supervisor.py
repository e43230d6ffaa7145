"""The parent of all processes of a server: starts workers and the keeper, replaces those that end, and stops them.

The parent opens no database and starts no thread, so that forking it is safe. It owns the listening sockets: a worker
that dies loses none of the connections that wait for it.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import socket
import time
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import structlog

from gitupd.errors import SiteError
from gitupd.settings import read_settings
from gitupd.web.asgi.connections import raise_file_limit
from gitupd.web.asgi.counters import KEEPER, Counters
from gitupd.web.server import run_keeper, run_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from gitupd.settings import Address

_BACKLOG = 2048
_FREE_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_STOP_SECONDS = 15.0
_RESTART_SECONDS = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_FORK = multiprocessing.get_context("fork")

log = structlog.get_logger()


def listen(address: Address, count: int) -> list[socket.socket]:
    """Return *count* sockets that listen at the same *address*; the kernel spreads connections over them.

    Raises SiteError if that can't be done.
    """
    sockets: list[socket.socket] = []
    try:
        _wait_until_free(address)
        for _ in range(count):
            each = _socket_for(address)
            sockets.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            port = address.port or (sockets[0].getsockname()[1] if len(sockets) > 1 else 0)
            each.bind((address.host, port))
            each.listen(_BACKLOG)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        for each in sockets:
            each.close()
        raise SiteError(f"can't listen at {address}: {error.strerror or error}") from error
    return sockets


def _wait_until_free(address: Address) -> None:
    """Wait until nobody listens at *address*: the processes of a server that was killed take a moment to end.

    Raises OSError if somebody goes on there. Our own sockets share the address, so they would not notice.
    """
    deadline = time.monotonic() + _FREE_SECONDS
    while True:
        with _socket_for(address) as alone:
            try:
                alone.bind((address.host, address.port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise
            else:
                return
        time.sleep(_LOOK_SECONDS)


def _socket_for(address: Address) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return found


class Supervisor:
    """Keeps the processes of one server running."""

    def __init__(self, site: Path, listeners: list[socket.socket], started: datetime) -> None:
        """Serve *site* with one worker for each of *listeners*."""
        self._site, self._listeners, self._started = site, listeners, started
        self._running: dict[int, BaseProcess] = {}  # by worker number, or KEEPER
        self._counters = Counters(len(listeners))
        self._stopping = False
        self._reload = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP replaces every process by a new one, one after the other."""
        raise_file_limit()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._ask_reload)
        for number in range(KEEPER, len(self._listeners)):
            self._start(number)
        while not self._stopping:
            wait([each.sentinel for each in self._running.values()], timeout=0.5)
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
            arguments = (self._site, self._listeners[number], self._started, self._counters, arguments[-1])
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
