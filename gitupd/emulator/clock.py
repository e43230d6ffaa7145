"""Device time, which may pass faster than the time on the wall."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SECONDS_PER_HOUR = 3600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns a wall clock into the clock of a device.

    Device times are seconds since 1970 *in the device's own time zone*: the hour of the day can be read off them.
    """

    wall: Callable[[], float]
    """Any clock that never goes back, in seconds."""
    started: float
    """What `wall` said when the device time was `origin`."""
    origin: float
    speed: float = 1.0
    """How many device seconds pass in one second on the wall."""

    def now(self) -> float:
        """Give the device time."""
        return self.origin + (self.wall() - self.started) * self.speed

    def on_the_wall(self, seconds: float) -> float:
        """Say how long so many device seconds take for someone who waits for them."""
        return seconds / self.speed


def running_clock(origin: float | None = None, speed: float = 1.0) -> Clock:
    """Start a clock now; without an origin at this machine's local time."""
    if origin is None:
        origin = time.time() + time.localtime().tm_gmtoff
    return Clock(time.monotonic, time.monotonic(), origin, speed)


def hour_of_day(moment: float) -> int:
    """Give the local hour, 0 to 23, of a device time."""
    return int(moment // SECONDS_PER_HOUR % 24)


def moment(seconds: float) -> datetime:
    """Give a device time as a date; of the difference between its time zone and UTC a device makes nothing."""
    return EPOCH + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    """Write a device time as devices write dates."""
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%S")
