"""A device that polls: a generator of requests and pauses, without any I/O of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.emulator.address import server_of, stored_argument, update_url
from gitupd.emulator.exchange import Failure, Pause, Purpose, Talk
from gitupd.emulator.execution import Ending, Execution
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.script import (
    Command,
    ConfigEdit,
    Flashed,
    SaveConfig,
    Times,
    commands,
    commit_named,
    decode,
    lines,
    number,
    parse,
)
from gitupd.emulator.state import DEFAULT_POLL_MINUTES, Activity, Device
from gitupd.emulator.transfer import OK, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

YOUNG_SECONDS = 30 * 60


class Phone:
    """A device together with its poll loop, and what a table shows of it.

    `life()` is to be driven by sending answers to its requests; see `gitupd.emulator.exchange`.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.rounds = 0
        self.last_status: int | None = None
        self.last_lines: list[str] = []
        """The script that came last, comments included."""
        self.ending: Ending | None = None
        """How that script ended; None after a failed poll."""
        self.commit: str | None = None
        """The commit that the last script was made from, as 40 hex digits."""
        self.wakes_at: float | None = None
        self.after_poll: Callable[[Phone], None] = _nothing
        """Called whenever a script was executed, or could not be fetched."""

    def life(self) -> Talk[None]:
        """Poll until the end of time, or until the number of polls that the device's habits allow."""
        yield from self._rest(self.device.habits.first_poll_after, Activity.WAITING)
        while True:
            yield from self._poll()
            self.rounds += 1
            self.after_poll(self)
            if self.rounds == self.device.habits.polls:
                self.device.be(Activity.FINISHED)
                return
            if self._restarts():
                yield from self._restart()
            else:
                outside = self.ending is Ending.OUTSIDE_HOURS
                yield from self._rest(self.interval(), Activity.OUTSIDE_HOURS if outside else Activity.WAITING)

    def interval(self) -> float:
        """Give the seconds until the next poll."""
        device = self.device
        if device.poll_now:
            device.poll_now = False
            return 1
        if device.habits.interval is not None:
            return device.habits.interval
        if self.fast_poll:
            return self.fast_poll
        if device.fresh and device.uptime < YOUNG_SECONDS:
            return 60.0 * (number(device.configuration.value("UP1", "poll-fast")) or 1)
        return 60.0 * (number(device.configuration.value("UP1", "poll")) or DEFAULT_POLL_MINUTES)

    def _rest(self, seconds: float, activity: Activity) -> Talk[None]:
        self.device.be(activity)
        self.wakes_at = self.device.clock.now() + seconds
        yield Pause(seconds)
        self.wakes_at = None

    def _restarts(self) -> bool:
        return self.ending is Ending.RESET or (self.device.reset_when_idle and self.device.idle)

    def _restart(self) -> Talk[None]:
        """Be away for a while; the first poll after that is immediate."""
        yield from self._rest(self.device.habits.restart_seconds, Activity.RESTARTING)
        self.device.restart()

    def _poll(self) -> Talk[None]:
        device = self.device
        self.ending = None
        if (url := update_url(device)) is None:
            device.tally.log.append("no update URL")
            return
        device.be(Activity.POLLING)
        copies = 2 if device.just_started and device.habits.has(Misbehaviour.OVERLAPPING_POLLS) else 1
        device.just_started = False
        device.tally.polls += copies
        device.tally.polled[server_of(url)] += copies
        reply = yield from fetch(device, Purpose.POLL, url, copies)
        if isinstance(reply, Failure):
            self.last_status = None
            device.tally.error(reply.kind, f"poll {url}: {reply.reason}")
            return
        self.last_status = reply.status
        if reply.status != OK:
            device.tally.error(f"poll status {reply.status}", url)
            return
        device.fresh = False
        yield from self._execute(decode(reply.body))

    def _execute(self, text: str) -> Talk[None]:
        self.last_lines = lines(text)
        self.commit = commit_named(text)
        self.device.tally.scripts += bool(commands(text))
        self.ending = yield from Execution(self.device).run(text)

    def type_in(self, line: str) -> None:
        """Change the configuration as somebody does at the device itself, by a `config` line; raises ValueError."""
        command = parse(line)
        if not isinstance(command, ConfigEdit):
            raise ValueError(f"{line!r} changes no configuration")  # noqa: TRY004 - the type is of our own making
        self.device.configuration.impose(command.verb, command.module, command.options)

    @property
    def serial(self) -> str:
        """The MAC address with dashes."""
        return self.device.identity.serial

    @property
    def type(self) -> str:
        """The type as the device writes it."""
        return self.device.identity.type

    @property
    def phase(self) -> str:
        """The phase its update URL names; "" before the first contact."""
        return stored_argument(self.device, "phase")

    @property
    def fast_poll(self) -> int:
        """Seconds between polls while phases remain; 0 when fast polling is off."""
        return number(self.device.configuration.value("UP1", "provision")) or 0

    @property
    def polling(self) -> str:
        """How often it polls, in words."""
        if self.fast_poll:
            return f"every {self.fast_poll}s"
        return f"every {number(self.device.configuration.value('UP1', 'poll')) or DEFAULT_POLL_MINUTES}min"

    @property
    def firmware(self) -> str:
        """The build that runs."""
        return self.device.running(Flashed.PROT)

    @property
    def bootcode(self) -> str:
        """The boot code that runs."""
        return self.device.running(Flashed.BOOT)

    @property
    def check(self) -> str | None:
        """The CHECK serial it holds."""
        return self.device.serial("CHECK")

    @property
    def line_count(self) -> int:
        """Lines of the last script, comments included and blank ones not."""
        return len(self.last_lines)

    @property
    def polls(self) -> int:
        """Polls made so far."""
        return self.device.tally.polls

    @property
    def restarts(self) -> int:
        """Restarts made so far."""
        return self.device.tally.restarts

    @property
    def uploads(self) -> int:
        """Uploads that were accepted."""
        return self.device.tally.uploads

    @property
    def errors(self) -> int:
        """Polls, downloads and uploads that went wrong."""
        return self.device.tally.errors.total()

    @property
    def activity(self) -> Activity:
        """What it does now, for counting."""
        return self.device.activity

    @property
    def doing(self) -> str:
        """What it does now, in words: `downloading 137213`, `waiting 12s`."""
        words = f"{self.activity.value} {self.device.detail}".strip()
        if self.activity is Activity.WAITING and self.wakes_at is not None:
            return f"{words} {max(0, round(self.wakes_at - self.device.clock.now()))}s"
        return words

    @property
    def settled(self) -> bool:
        """Tell whether nothing is left to do: slow polling, a CHECK, a last script of nothing but uploads and hours.

        Without a CHECK a script of mere comments is a complaint of the server, or a wait for something.
        """
        if self.ending not in (Ending.COMPLETE, Ending.CHECKED) or self.fast_poll or self.check is None:
            return False
        script = (parse(line) for line in self.last_lines if not line.startswith("#"))
        return self.ending is Ending.CHECKED or all(_leaves_alone(command) for command in script)


def _nothing(_phone: Phone) -> None:
    """Ignore a poll."""


def _leaves_alone(command: Command) -> bool:
    return isinstance(command, SaveConfig | Times)
