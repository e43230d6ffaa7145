"""How many connections a process has open: bounded in all and for each address, below the limit of open files."""

from __future__ import annotations

import ipaddress
import math
import os
import resource
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from gitupd.web.asgi.log import Seldom
from gitupd.web.asgi.offenders import Offenders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitupd.settings import Network

_MOST_FILES = 65_536
_FILES_BESIDES = 128
"""Open files that are no connections: database, repositories, listeners, pipes to children."""

_FILES_EACH = 2
"""A connection, and the firmware file that is sent by it or the upload that is written from it."""

_LAST_FILES = 32
"""So many files stay free for those who answer: without them the system would close connections unheard."""

_NEIGHBOURS = 64  # bits of an IPv6 address that its owner doesn't choose


def raise_file_limit() -> None:
    """Have this process and its children open as many files as they may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft not in (resource.RLIM_INFINITY, wanted) and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _file_limit() -> float:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft


def _lowest_free_file() -> float:
    """Return the number that the next file would have, infinity if there is none left."""
    try:
        file = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return math.inf
    os.close(file)
    return file


def most_for_files(wanted: int) -> int:
    """Return how many connections this process can have, *wanted* at the most, by its limit of open files."""
    return max(1, int(min(wanted, (_file_limit() - _FILES_BESIDES) // _FILES_EACH)))


class Shed(StrEnum):
    """What there was too little of when a connection was closed for others, or refused."""

    CONNECTIONS = "connections"
    FILES = "files"
    PATIENCE = "patience"


_EVENTS = {
    Shed.CONNECTIONS: "too many connections: some are refused",
    Shed.FILES: "hardly any more files can be opened: connections are closed",
    Shed.PATIENCE: "an address sends more than is allowed, again and again: it is left alone for some seconds",
}


class Connection(Protocol):
    """What is counted here."""

    def drop(self) -> None:
        """End at once."""


@dataclass(slots=True)
class _Crowd:
    """Connections that share a bound; ``spare`` are those that wait for their client, longest first."""

    most: int
    count: int = 0
    spare: dict[Connection, None] = field(default_factory=dict)


class Connections:
    """The open connections of a process.

    Where there is no room for another one, the one goes that has waited longest for its client: who only holds
    connections holds nobody up.
    """

    def __init__(
        self,
        most: int,
        per_address: int,
        proxies: Sequence[Network] = (),
        count: Callable[[Shed], None] = lambda _: None,
    ) -> None:
        """Allow *most* in all, and so many *per_address*, unless it is one of the *proxies* that many come by.

        Tell *count* of each connection that is closed for others, or refused, and why.
        """
        self._all = _Crowd(most)
        self._per_address, self._proxies = per_address, proxies
        self._crowds: dict[str, _Crowd] = {}
        self._origins: dict[Connection, str | None] = {}
        self._tell = Seldom()
        self._count = count
        self._offenders = Offenders()

    def __len__(self) -> int:
        """Return how many there are."""
        return self._all.count

    def admit(self, connection: Connection, address: str | None, file: int = -1) -> bool:
        """Count *connection* from *address*, None if that is not known; return False if there is no room for it.

        *file* is its number among the open files of this process, which are given from below: it tells how many there
        are. The last few are for those who answer.
        """
        origin = self._origin(address)
        crowds = [self._all]
        if origin is not None:
            if self._offenders.bars(origin):
                self._count(Shed.PATIENCE)
                return False
            crowds.insert(0, self._crowds.setdefault(origin, _Crowd(self._per_address)))
        if file >= _file_limit() - _LAST_FILES and not self._made_room(self._all, Shed.FILES):
            self._refuse(origin, Shed.FILES, address)
            return False
        if not all(crowd.count < crowd.most or self._made_room(crowd, Shed.CONNECTIONS) for crowd in crowds):
            self._refuse(origin, Shed.CONNECTIONS, address)
            return False
        if origin is not None:  # whoever made room may have been the last one of its address
            self._crowds.setdefault(origin, crowds[0])
        self._origins[connection] = origin
        for crowd in crowds:
            crowd.count += 1
        return True

    def free_files(self) -> None:
        """Close connections that wait for their client until the last files are free again; call it now and then.

        Where there is none left, the system closes new connections before anybody hears of them.
        """
        if _lowest_free_file() >= _file_limit() - _LAST_FILES:
            for _ in range(_LAST_FILES):
                if not self._made_room(self._all, Shed.FILES):
                    break

    def offend(self, connection: Connection) -> None:
        """Note that *connection* has sent more than is allowed; whoever does so often is left alone for a while."""
        origin = self._origins.get(connection)
        if origin is not None and self._offenders.note(origin):
            self._tell(_EVENTS[Shed.PATIENCE], address=origin)

    def spare(self, connection: Connection) -> None:
        """Note that *connection* waits for its client."""
        for crowd in self._of(connection):
            crowd.spare[connection] = None

    def keep(self, connection: Connection) -> None:
        """Note that *connection* does not wait for its client, or not for the same as before."""
        for crowd in self._of(connection):
            crowd.spare.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """Forget *connection*; nothing happens if it is not counted."""
        for crowd in self._of(connection):
            crowd.spare.pop(connection, None)
            crowd.count -= 1
        origin = self._origins.pop(connection, None)
        if origin is not None and not self._crowds[origin].count:
            del self._crowds[origin]

    def _of(self, connection: Connection) -> Sequence[_Crowd]:
        if connection not in self._origins:
            return ()
        origin = self._origins[connection]
        return (self._all,) if origin is None else (self._all, self._crowds[origin])

    def _made_room(self, crowd: _Crowd, why: Shed) -> bool:
        longest = next(iter(crowd.spare), None)
        if longest is None:
            return False
        self.leave(longest)
        longest.drop()
        self._count(why)
        if why is Shed.FILES:
            self._tell(_EVENTS[why], open=self._all.count, limit=_file_limit())
        return True

    def _refuse(self, origin: str | None, why: Shed, address: str | None) -> None:
        if origin is not None and not self._crowds[origin].count:
            del self._crowds[origin]
        self._count(why)
        self._tell(_EVENTS[why], address=address, open=self._all.count, limit=_file_limit())

    def _origin(self, address: str | None) -> str | None:
        """Return whom *address* stands for; None for a proxy, whose clients can't be told apart here."""
        return _neighbourhood(address, tuple(self._proxies)) if address else None


@lru_cache(maxsize=4096)
def _neighbourhood(address: str, proxies: tuple[Network, ...]) -> str | None:
    """Return the address, or the network of an IPv6 address, as whoever has one of these has all; None for a proxy."""
    try:
        parsed = ipaddress.ip_address(address.removeprefix("::ffff:").partition("%")[0])
    except ValueError:
        return address
    if any(parsed in network for network in proxies):
        return None
    if parsed.version == 4:  # noqa: PLR2004 - of the Internet Protocol
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _NEIGHBOURS), strict=False))
