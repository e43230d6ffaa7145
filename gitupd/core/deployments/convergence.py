"""How far a deployment has come: which devices count, what each of them has reached, and how fast that went.

Those count that were let in and had called lately enough when it was made. What the words mean is told in
docs/explanation/convergence.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from gitupd.core.words import counted, duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.device import Device
    from gitupd.core.standing import Yardstick

QUORUMS = (50, 90, 99)
"""Of how many percent of the devices it is told when they had confirmed."""

WORDS = (
    "counted",
    "asked",
    "delivered",
    "confirmed",
    "unchanged",
    "unconfirmed",
    "silent",
    "later",
    "in-force",
    "drifted",
    "untold",
)
"""What a search may ask of a device's part in the deployment that is live; each finds what the figure counts."""

_COMPARED = 10
_FEWEST = 3
_FAST, _SLOW = 0.8, 1.25
_ALIKE = 2


class Force(StrEnum):
    """How the configuration that a device has uploaded stands to its script."""

    IN_FORCE = "in force"
    DRIFTED = "drifted"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How the latest backup of a device was held against its script of ``commit``, which was sent at ``sent_at``.

    ``found`` does not know yet whether the backup is younger than what it is held against; ``seen`` is when the device
    has uploaded it last. ``off`` are the modules and options that are otherwise, each with how.
    """

    commit: str
    sent_at: datetime | None
    found: Force
    off: tuple[tuple[str, str, str], ...]
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What a device that counts has reached in a deployment.

    ``asked`` and ``delivered`` are whether it has polled, and was sent a script with snippets, since. ``unchanged`` is
    whether it ran the commit at once, for nothing changed for it. ``force`` is None until it has confirmed, and where
    backups are off.
    """

    asked: bool
    delivered: bool
    confirmed: bool
    unchanged: bool
    force: Force | None = None

    @property
    def silent(self) -> bool:
        """Whether it has yet to call, so that it does not know of the deployment."""
        return not self.asked and not self.confirmed


def progress(
    device: Device, yardstick: Yardstick, touched: datetime | None = None, held: Assessment | None = None
) -> Progress | None:
    """Return what *device*, which counts, has reached in the deployment of *yardstick*; None if there is none.

    *touched* is when somebody last let it count as seen before it asked. *held* is how its backup was judged, None if
    it was not.
    """
    since = yardstick.since
    if since is None or yardstick.commit is None:
        return None
    asked = device.last_seen is not None and device.last_seen >= since and device.last_seen != touched
    delivered = device.sent == yardstick.commit and device.sent_at is not None and device.sent_at >= since
    confirmed = yardstick.has_executed(device)
    at = device.confirmed_at if device.has_confirmed(yardstick.commit) else device.sent_at
    unchanged = confirmed and not delivered and (at is None or at <= since)
    force = _force(device, yardstick, held, at) if confirmed and yardstick.backups else None
    return Progress(asked, delivered, confirmed, unchanged, force)


def _force(device: Device, yardstick: Yardstick, held: Assessment | None, executed_at: datetime | None) -> Force:
    if held is None or held.commit != yardstick.commit or held.sent_at != device.sent_at:
        return Force.UNTOLD
    if held.found is not Force.DRIFTED:
        return held.found
    is_younger = held.seen is not None and (executed_at is None or held.seen > executed_at)
    return Force.DRIFTED if is_younger else Force.UNTOLD


@dataclass(frozen=True, slots=True)
class Convergence:
    """A deployment in numbers of devices: of ``counted`` ones, and of those that came ``later``, which don't count.

    ``in_force`` and ``drifted`` are None where backups are off. ``seconds`` are from the deployment until the percents
    of QUORUMS had confirmed, each None if that was not reached. ``lasted`` is how many seconds it was live, until now
    if it is; ``ended`` is when it was replaced, None if it was not. ``is_finished`` if nothing of it changes any more.
    """

    deployment: int
    counted: int
    asked: int
    delivered: int
    confirmed: int
    unchanged: int
    silent: int
    later: int
    in_force: int | None
    drifted: int | None
    seconds: tuple[float | None, ...]
    lasted: float
    ended: datetime | None = None

    @property
    def unconfirmed(self) -> int:
        """How many of those that count have yet to confirm."""
        return self.counted - self.confirmed

    @property
    def untold(self) -> int | None:
        """Of how many that have confirmed it can't be told whether it is in force; None where backups are off."""
        if self.in_force is None or self.drifted is None:
            return None
        return self.confirmed - self.in_force - self.drifted

    @property
    def percent(self) -> int:
        """How many percent of those that count have confirmed: 100 only if all have."""
        return 100 * self.confirmed // self.counted if self.counted else 0


@dataclass(frozen=True, slots=True)
class Holding:
    """How many devices run a commit, and how many were sent their last script from it."""

    runs: int = 0
    sent: int = 0


def in_words(one: Convergence) -> str:
    """Return what a deployment has reached, in a line: of how many devices, and how fast."""
    if not one.counted:
        return "no device counts in it"
    parts = [f"{one.confirmed:,} of {counted(one.counted, 'device')} confirmed"]
    parts += [f"{one.in_force:,} in force"] if one.in_force is not None else []
    parts += [f"{one.delivered:,} were sent it, {one.asked:,} have asked"]
    parts += [f"{one.silent:,} never called"] if one.silent and one.ended else []
    times = [(percent, time) for percent, time in zip(QUORUMS, one.seconds, strict=True) if time is not None]
    parts += [", ".join(f"{percent} % {_after(time)}" for percent, time in times)] if times else []
    return "; ".join(parts)


def _after(seconds: float) -> str:
    text = duration(seconds)
    return text if text == "at once" else f"after {text}"


def needed(percent: int, devices: int) -> int:
    """Return how many of so many *devices* are *percent* of them, one at the least."""
    return max(1, -(-percent * devices // 100))


def compared(one: Convergence, earlier: Sequence[Convergence], percent: int = 90) -> str:
    """Return how fast *one* converges beside those before it, the latest first; empty if that can't be said honestly.

    Only deployments are compared that had to reach about as many devices, most of which had something to execute: else
    it is there at once, and says nothing. There must be some of them, and most of these must have come so far.
    """
    at = QUORUMS.index(percent)
    if not _says_something(one, percent):
        return ""
    alike = [each for each in earlier if _is_alike(one, each) and _says_something(each, percent)][:_COMPARED]
    reached = [seconds for each in alike if (seconds := each.seconds[at]) is not None]
    if len(reached) < _FEWEST or 2 * len(reached) <= len(alike):
        return ""
    usual, taken = median(reached), one.seconds[at]
    described = f"{percent} % had confirmed {_after(usual)} in most of {len(alike)} deployments before"
    if taken is None:
        return f"slower than usual: {described}" if one.lasted > _SLOW * usual else ""
    if taken < _FAST * usual:
        return f"faster than usual: {described}"
    return f"slower than usual: {described}" if taken > _SLOW * usual else f"as usual: {described}"


def _says_something(one: Convergence, percent: int) -> bool:
    """Whether as many devices as that are must have executed something, so that the time was no matter of course."""
    return one.counted > 0 and needed(percent, one.counted) > one.unchanged


def _is_alike(one: Convergence, other: Convergence) -> bool:
    changed, before = (each.counted - each.unchanged for each in (one, other))
    return max(changed, before) <= _ALIKE * min(changed, before)
