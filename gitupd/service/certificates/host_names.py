"""Names that addresses have in DNS, looked up in the background: no device waits for a name server."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

_THREADS = 2
_MOST_KEPT = 4_096
_MOST_PENDING = 256
_KEPT_SECONDS = 3_600.0


class HostNames:
    """Reverse look-ups, each done once an hour at the most."""

    def __init__(self) -> None:
        """Look nothing up yet."""
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="host-names")
        self._lock = threading.Lock()
        self._names: dict[str, tuple[str, float]] = {}
        self._pending: dict[str, threading.Event] = {}

    def name(self, address: str, patience: float = 0.0) -> str | None:
        """Return the name of *address*, which is the address itself if it has none.

        None if that is not known yet, and does not become known within *patience* seconds.
        """
        with self._lock:
            known = self._names.get(address)
            if known is not None and time.monotonic() < known[1]:
                return known[0]
            done = self._pending.get(address)
            if done is None and len(self._pending) < _MOST_PENDING:
                done = self._pending[address] = threading.Event()
                self._pool.submit(self._look_up, address, done)
        if done is None or not done.wait(patience):
            return None
        with self._lock:
            known = self._names.get(address)
        return None if known is None else known[0]

    def stop(self) -> None:
        """Look nothing up any more; what is under way is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, address: str, done: threading.Event) -> None:
        name = _name_of(address)
        with self._lock:
            self._names.pop(address, None)
            self._names[address] = name, time.monotonic() + _KEPT_SECONDS
            while len(self._names) > _MOST_KEPT:
                del self._names[next(iter(self._names))]
            self._pending.pop(address, None)
        done.set()


def _name_of(address: str) -> str:
    """Return the name of *address*; what is no address, which a device may say, is asked nobody."""
    try:
        ipaddress.ip_address(address)
        return socket.gethostbyaddr(address)[0]
    except (OSError, ValueError):
        return address
