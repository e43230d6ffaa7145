"""Who is remembered among devices that nobody knows, when there are more of them than there is room for.

Whoever invents serial numbers has as many as he likes, and must push nobody out. So whoever calls again comes before
whoever called once, for an invented serial number is seldom used twice; and where all call again, before those of whom
the most come from one address.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.people.guessing import neighbourhood

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from gitupd.core.caller import Serial

PROVED_AFTER = timedelta(days=1)
"""A device that was sent scripts, and has called for so long, counts as one that has confirmed a commit."""

YOUNG = 20
"""So many times as many unknown devices as are remembered at a time may be new within a day, confirmed or not."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """An unknown device: where it calls from, when it did last, and whether it has called before that."""

    serial: Serial
    address: str | None
    last_seen: datetime
    again: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """Which strangers are forgotten, and which are remembered in their place."""

    gone: tuple[Serial, ...] = ()
    remembered: tuple[Serial, ...] = ()


def exchange(present: Sequence[Stranger], newcomers: Iterable[Stranger]) -> Exchange:
    """Return which of *present*, who take all the room there is, give way to which of *newcomers*.

    Only those who call again get a place: that of somebody who has called once, the longest ago; else that of somebody
    from the address that has the most places, if it has more than theirs would have.
    """
    crowds = Counter(neighbourhood(one.address) for one in present)
    once = deque(sorted((one for one in present if not one.again), key=lambda one: one.last_seen))
    rest: dict[str, deque[Stranger]] = {}
    for one in sorted((one for one in present if one.again), key=lambda one: one.last_seen):
        rest.setdefault(neighbourhood(one.address), deque()).append(one)
    gone, remembered = [], []
    for newcomer in newcomers:
        if not newcomer.again:
            continue
        home = neighbourhood(newcomer.address)
        if once:
            leaving = once.popleft()
        else:
            crowded = max(rest, key=lambda place: crowds[place], default=home)
            if crowds[crowded] <= crowds[home] + 1:
                continue
            leaving = rest[crowded].popleft()
            if not rest[crowded]:
                del rest[crowded]
        crowds[neighbourhood(leaving.address)] -= 1
        crowds[home] += 1
        gone.append(leaving.serial)
        remembered.append(newcomer.serial)
    return Exchange(tuple(gone), tuple(remembered))
