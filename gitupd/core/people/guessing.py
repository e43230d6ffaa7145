"""Failed log-ins, and how long whoever guesses has to wait."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW = timedelta(minutes=15)
"""How long a failed log-in counts."""

FREE_FOR_PAIR, FREE_FOR_ADDRESS, FREE_FOR_NAME = 5, 20, 50
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Failures:
    """Log-ins that failed within the last WINDOW: how many, and when the latest did, None if there is none."""

    count: int = 0
    latest: datetime | None = None

    def pause(self, free: int, now: datetime) -> timedelta:
        """Return how long the next try has to wait: twice as long with each failure after the *free* ones."""
        if self.latest is None or self.count < free:
            return timedelta()
        doublings = min(self.count - free, 10)
        return max(self.latest + min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE) - now, timedelta())


@dataclass(frozen=True, slots=True)
class Guesses:
    """The failures of one name from one address, of that address with any name, of that name from anywhere."""

    pair: Failures = Failures()
    address: Failures = Failures()
    name: Failures = Failures()

    def pause(self, now: datetime, *, familiar: bool) -> timedelta:
        """Return how long the next try has to wait before its password is looked at.

        Whoever guesses is slowed down by the pair and by the address, whoever has many addresses by the name. The
        name alone would let anybody with a few addresses lock an administrator out. So it does not count where the
        person is *familiar*: where they logged in lately. There, only failures from that very address matter, and the
        command line remains to everybody who has the machine. No pause is longer than a quarter of an hour, and tries
        that are refused for the pause don't make it longer.
        """
        return max(
            self.pair.pause(FREE_FOR_PAIR, now),
            self.address.pause(FREE_FOR_ADDRESS, now),
            timedelta() if familiar else self.name.pause(FREE_FOR_NAME, now),
        )


def neighbourhood(address: str | None) -> str:
    """Return by what an address counts: itself, for IPv6 its /64 network, since anybody has all addresses of that."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))


def is_familiar(address: str | None, earlier: Iterable[str | None]) -> bool:
    """Whether *address* is near one of the *earlier* ones."""
    return neighbourhood(address) in {neighbourhood(other) for other in earlier}
