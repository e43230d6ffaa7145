"""One emulated device that polls when a test says so."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from gitupd.emulator.client import Network, Session
from gitupd.emulator.clock import Clock
from gitupd.emulator.exchange import Request
from gitupd.emulator.factory import Factory
from gitupd.emulator.fleet import FleetPlan, build_fleet
from gitupd.emulator.signing import RequestKeys
from gitupd.emulator.state import Habits
from gitupd.emulator.tls import TlsSide

if TYPE_CHECKING:
    from gitupd.emulator.exchange import Answer
    from gitupd.emulator.misbehaviour import Misbehaviour
    from gitupd.emulator.phone import Phone
    from support.serving import Server


class Polling:
    """An emulated device whose time passes only while it rests."""

    def __init__(
        self,
        server: Server,
        *misbehaviours: Misbehaviour,
        serial: str = "00-90-33-46-0a-f2",
        keys: RequestKeys = RequestKeys.SHARED_RSA,
        factory: Factory | None = None,
    ) -> None:
        self._seconds = 0.0
        habits = Habits(frozenset(misbehaviours))
        plan = FleetPlan(
            f"{server.base}/update.php",
            first_serial=serial,
            habits=habits,
            request_keys=keys,
            factory=factory or Factory(),
        )
        self.phone: Phone = build_fleet(plan, Clock(lambda: self._seconds, 0.0, time.time())).phones[0]
        self._life = self.phone.life()
        self._step = next(self._life)

    def poll(self) -> None:
        """Poll once more, and execute all of the script."""
        asyncio.run(self._poll())

    async def _poll(self) -> None:
        polls = self.phone.rounds
        session = Session(Network(time.monotonic), tls=TlsSide(device=self.phone.device))
        while self.phone.rounds == polls:
            answer: Answer = None
            if isinstance(self._step, Request):
                answer = await session.ask(self._step)
            else:
                self._seconds += self._step.seconds
            self._step = self._life.send(answer)
        await session.close()
