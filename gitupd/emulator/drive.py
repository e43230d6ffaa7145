"""Driving a fleet: a task for each device, one gate through which all requests go."""

import asyncio
import time
from dataclasses import dataclass, field

from gitupd.emulator.client import Network, Session
from gitupd.emulator.clock import running_clock
from gitupd.emulator.exchange import Answer, Pause, Purpose, Request
from gitupd.emulator.fleet import Fleet, FleetPlan, Summary, build_fleet
from gitupd.emulator.phone import Phone
from gitupd.emulator.tls import TlsSide

CONCURRENCY = 100
LOOK_EVERY = 0.1
PARTING = 5.0  # seconds that a poll under way gets to come to its end


@dataclass(frozen=True, slots=True)
class Until:
    """When to stop; whatever comes first. How many polls each device makes is one of its habits."""

    settled: bool = False
    """As soon as no device has anything left to do."""
    seconds: float | None = None
    """After so many seconds on the wall."""


@dataclass(slots=True)
class Driver:
    """Brings one device to life: makes its requests and lets it rest."""

    phone: Phone
    session: Session
    gate: asyncio.Semaphore
    resting: bool = True
    stopped: bool = False
    """It does not begin another rest, so that a poll under way comes to its end."""

    async def live(self) -> None:
        """Go on until the device falls silent or is told to stop."""
        life = self.phone.life()
        answer: Answer = None
        try:
            while True:
                match life.send(answer):
                    case Request() as request:
                        answer = await self._ask(request)
                    case Pause() as pause:
                        answer = None
                        await self._rest(pause)
                if self.stopped and answer is None:
                    return
        except StopIteration:
            return
        finally:
            await self.session.close()

    async def _ask(self, request: Request) -> Answer:
        async with self.gate:
            if self.stopped and request.purpose is Purpose.POLL:
                return None
            return await self.session.ask(request)

    async def _rest(self, pause: Pause) -> None:
        await self.session.close()
        if self.stopped:
            return
        self.resting = True
        await asyncio.sleep(self.phone.device.clock.on_the_wall(pause.seconds))
        self.resting = False


@dataclass(slots=True)
class Expedition:
    """A fleet under way."""

    fleet: Fleet
    until: Until
    concurrency: int = CONCURRENCY
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it to stop early."""

    async def run(self) -> Summary:
        """Drive all devices until there is a reason to stop."""
        network = Network(time.monotonic)
        gate = asyncio.Semaphore(self.concurrency)
        drivers = [Driver(phone, self._session(network, phone), gate) for phone in self.fleet.phones]
        started = time.monotonic()
        tasks = [asyncio.create_task(driver.live()) for driver in drivers]
        try:
            reason = await self._reason_to_stop(tasks, started)
        finally:
            await _part(drivers, tasks)
        return self.fleet.summary(time.monotonic() - started, reason)

    def _session(self, network: Network, phone: Phone) -> Session:
        tls = TlsSide(self.fleet.plan.tls, phone.device, self.fleet.handshakes)
        return Session(network, self.fleet.latencies, tls)

    async def _reason_to_stop(self, tasks: list[asyncio.Task[None]], started: float) -> str:
        while True:
            if self.until.settled and self.fleet.all_settled():
                return "settled"
            if all(task.done() for task in tasks) or any(_broken(task) for task in tasks):
                return "polls"
            if self.until.seconds is not None and time.monotonic() - started >= self.until.seconds:
                return "timeout"
            if await self._told_to_stop(started):
                return "stopped"

    async def _told_to_stop(self, started: float) -> bool:
        patience = LOOK_EVERY
        if self.until.seconds is not None:
            patience = min(patience, max(0.0, started + self.until.seconds - time.monotonic()))
        try:
            async with asyncio.timeout(patience):
                await self.stop.wait()
        except TimeoutError:
            return False
        return True


def _broken(task: asyncio.Task[None]) -> bool:
    """Tell whether a device met a fault of the emulator's own; `_part` raises it."""
    return task.done() and task.exception() is not None


async def _part(drivers: list[Driver], tasks: list[asyncio.Task[None]]) -> None:
    """Stop all devices: those at rest at once, the others when their poll is over, or a little later in any case."""
    for driver, task in zip(drivers, tasks, strict=True):
        driver.stopped = True
        if driver.resting:
            task.cancel()
    _, late = await asyncio.wait(tasks, timeout=PARTING)
    for task in late:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


def new_fleet(plan: FleetPlan) -> Fleet:
    """Build a fleet whose clock starts now; raises ValueError where the plan makes no sense."""
    return build_fleet(plan, running_clock(plan.started_at, plan.speed))


def drive_fleet(fleet: Fleet, until: Until | None = None, *, concurrency: int = CONCURRENCY) -> Summary:
    """Drive a fleet to its end, in an event loop of its own; its phones can be looked at afterwards."""

    async def run() -> Summary:
        return await Expedition(fleet, until or Until(), concurrency).run()

    return asyncio.run(run())


def run_fleet(plan: FleetPlan, until: Until | None = None, *, concurrency: int = CONCURRENCY) -> Summary:
    """Build a fleet and drive it to its end; raises ValueError where the plan makes no sense."""
    return drive_fleet(new_fleet(plan), until, concurrency=concurrency)
