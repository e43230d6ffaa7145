"""The server's side of certificates in this very process, and an emulated device that talks to it.

Every request may get lost before it arrives, or its answer on the way back; the clock goes on when told to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitupd.core.caller import Origin, parse_caller, parse_serial
from gitupd.core.endpoint import Endpoint
from gitupd.emulator.clock import Clock
from gitupd.emulator.exchange import Failure, Purpose, Request
from gitupd.emulator.exchange import answered as replied
from gitupd.emulator.fleet import FleetPlan, build_fleet
from gitupd.emulator.signing import RequestKeys
from gitupd.errors import MalformedRequest
from gitupd.service.admission.codes import Redeeming
from gitupd.service.answers import UnusableAnswer, answered
from gitupd.service.certificates.enrolling import Enrolling
from gitupd.service.certificates.requests import Dump, RequestUploads, parse_dump
from gitupd.service.deployments.live import Follower
from gitupd.service.poll import Poll
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Sightings
from gitupd.web.asgi.request import parse_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from gitupd.emulator.exchange import Answer
    from gitupd.emulator.phone import Phone
    from gitupd.emulator.state import Habits
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

HERE = Endpoint("http", "127.0.0.1", 8080)
URL = "http://127.0.0.1:8080/update.php"
ADDRESS = "10.0.0.1"
"""From where devices call."""


def deployed(site: Site) -> Live:
    """Return what is deployed now, as workers know it."""
    follower = Follower(site)
    follower.follow()
    assert follower.live is not None
    return follower.live


class Office:
    """A worker: polls and uploads are answered from *live*, at a time that is given with each."""

    def __init__(self, site: Site, live: Live) -> None:
        self.site, self.live = site, live
        self.start()

    def start(self) -> None:
        """Start anew, with nothing remembered but what is in the database."""
        site = self.site
        self._enrolling = Enrolling(site.rollouts, site.answers)
        self._requests = RequestUploads(site.rollouts)
        follower, sightings = Follower(site), Sightings(site.inventory)
        self._poll = Poll(follower, sightings, Computing(site.settings), Redeeming(site), self._enrolling)

    def stop(self) -> None:
        self._enrolling.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def take(self, request: Request, now: datetime) -> Answer:
        """Answer a request of a device as the server does."""
        arguments = parse_arguments(urlsplit(request.url).query.encode())
        if request.purpose is Purpose.POLL:
            return replied(self._poll.answer(self.live, parse_caller(arguments, HERE), now, Origin(ADDRESS)).body)
        body = b"".join(request.chunks or ())
        try:
            return replied(self._upload(arguments, body, now))
        except (MalformedRequest, UnusableAnswer) as fault:
            return replied(f"# {fault}\r\n", 400)

    def _upload(self, arguments: dict[str, str], body: bytes, now: datetime) -> str:
        serial = parse_serial(arguments["sn"])
        if arguments["mode"] == "query":
            self.site.answers.save([answered(serial, arguments["id"], body, now)])
            return ""
        if arguments["mode"] == "backup":
            return ""
        variable = parse_dump(serial, arguments["sn"], arguments["var"], arguments.get("file"))
        return self._requests.take(Dump(serial, variable, body, ADDRESS), now)


class Fate(Enum):
    """What becomes of a request."""

    ARRIVES = "arrives"
    IS_LOST = "is lost"
    LOSES_ITS_ANSWER = "loses its answer"
    COMES_TWICE = "comes twice"


@dataclass
class Player:
    """An emulated device, and its way to an office."""

    office: Office
    start: datetime
    serial: str
    habits: Habits
    plan: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0
    uploads: list[Request] = field(default_factory=list)
    """What it has uploaded, whether it arrived or not."""

    def __post_init__(self) -> None:
        plan = FleetPlan(
            URL,
            first_serial=self.serial,
            habits=self.habits,
            request_keys=RequestKeys.ECDSA,
            **self.plan,  # type: ignore[arg-type]  # keywords of tests
        )
        self.phone: Phone = build_fleet(plan, Clock(lambda: self.seconds, 0.0, self.start.timestamp())).phones[0]
        self._life = self.phone.life()
        self._step = next(self._life)

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def poll(self, fates: Iterable[Fate] = (), between: Callable[[], None] = lambda: None) -> None:
        """Poll, and do what the script says; *between* is called before each request."""
        fates, polls = iter(fates), self.phone.rounds
        while self.phone.rounds == polls:
            reply: Answer = None
            if isinstance(self._step, Request):
                between()
                reply = self._send(self._step, next(fates, Fate.ARRIVES))
            else:
                self.seconds += self._step.seconds
            self._step = self._life.send(reply)

    def _send(self, request: Request, fate: Fate) -> Answer:
        if request.purpose is Purpose.UPLOAD:
            self.uploads.append(request)
        if fate is Fate.IS_LOST:
            return Failure("lost", "it did not arrive")
        if fate is Fate.COMES_TWICE:
            self.office.take(request, self.now)
        reply = self.office.take(request, self.now)
        return Failure("lost", "its answer did not arrive") if fate is Fate.LOSES_ITS_ANSWER else reply
