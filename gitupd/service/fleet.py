"""The fleet: devices found and counted, touched and forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from gitupd.core.admission.admittance import Appearance, Decision, admit
from gitupd.core.caller import parse_serial
from gitupd.core.people.audit import Event, Kind
from gitupd.core.policy import Policy
from gitupd.core.search import Search, loosened, parse_search
from gitupd.core.standing import Standings, Yardstick
from gitupd.errors import InvalidEntry, MalformedRequest
from gitupd.service.listing.answered import understood

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.core.people.person import Actor
    from gitupd.core.standing import State
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.store.admissions import Decided
    from gitupd.store.fleet import Stock, Strangers, Tally

Sort = Literal[
    "serial", "name", "model", "address", "phase", "firmware", "last_seen", "confirmed", "state", "certificate"
]
SORTS: tuple[Sort, ...] = (
    "serial",
    "name",
    "model",
    "address",
    "phase",
    "firmware",
    "last_seen",
    "confirmed",
    "state",
    "certificate",
)
_SPANS = (
    ("last 15 minutes", timedelta(minutes=15), "15m"),
    ("last hour", timedelta(hours=1), "1h"),
    ("last day", timedelta(days=1), "1d"),
    ("last week", timedelta(days=7), "7d"),
    ("last month", timedelta(days=30), "30d"),
)
"""What a span is called, how long it is, and how searches write it."""
EVERYTHING = Search()
_POINTS = 16
_DECIDED = {
    Decision.ACCEPTED: Kind.DEVICE_ACCEPT,
    Decision.REFUSED: Kind.DEVICE_REFUSE,
    Decision.WITHDRAWN: Kind.DEVICE_WITHDRAW,
}


@dataclass(frozen=True, slots=True)
class Found:
    """Some of the devices that a search finds, and how many it finds in all."""

    devices: tuple[Device, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A search that is like another one, and finds so many devices."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Share:
    """How many devices have a value; None stands for those that never said one."""

    value: str | None
    count: int


@dataclass(frozen=True, slots=True)
class EnvironmentStandings(Standings):
    """How the devices of an environment stand, by its ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many devices were last seen within a span, and not within a shorter one; ``search`` finds them."""

    label: str
    count: int
    search: str


@dataclass(frozen=True, slots=True)
class Point:
    """How many devices had executed the deployed commit at a moment."""

    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Summary(Standings):
    """The fleet in numbers, or what a search finds of it; shares are the largest first.

    ``places`` are the environments as they stand, those first of which the greatest part is missing, and then waiting;
    ``convergence`` goes from the deployment until now. Devices that are not let in are counted by ``strangers``, the
    same for all searches, and by nothing else unless they are looked for.
    """

    alarmed: int
    phases: tuple[Share, ...]
    firmware: tuple[Share, ...]
    models: tuple[Share, ...]
    environments: tuple[Share, ...]
    places: tuple[EnvironmentStandings, ...]
    last_seen: tuple[Bucket, ...]
    convergence: tuple[Point, ...]
    strangers: Strangers


class Fleet:
    """The fleet of a site, held against what is delivered at one moment."""

    def __init__(self, site: Site, live: Live | None, now: datetime) -> None:
        """Look at *site* at the time *now*; *live* None means that nothing was deployed yet."""
        self._site, self._live, self._now = site, live, now
        policy = live.snapshot.policy if live else Policy()
        deployed = live.deployment if live else None
        self.yardstick = Yardstick.of(policy, deployed.commit if deployed else None, now, deployed, site.settings.zone)

    def find(
        self, search: Search, *, sort: Sort = "serial", descending: bool = False, limit: int = 50, offset: int = 0
    ) -> Found:
        """Return *limit* of the devices that *search* finds, from *offset* on; unknown values come last."""
        devices, total = self._site.fleet.find(
            search, self.yardstick, sort=sort, descending=descending, limit=limit, offset=offset
        )
        return Found(tuple(devices), total)

    def listed(
        self, search: Search, *, sort: Sort = "serial", descending: bool = False, limit: int = 50, offset: int = 0
    ) -> list[Device]:
        """Return the same devices, where it is known from elsewhere how many there are."""
        return self._site.fleet.listed(
            search, self.yardstick, sort=sort, descending=descending, limit=limit, offset=offset
        )

    def understood(self, text: str) -> Search:
        """Return the search that *text* means, in which keys may be values that devices answered to queries.

        It may be one that finds nothing whatever there is.
        """
        return understood(self._site, self._live, text)

    def checked(self, text: str) -> Search:
        """Return the same; raises InvalidEntry if it finds nothing whatever there is."""
        search = self.understood(text)
        if search.fault:
            raise InvalidEntry(search.fault)
        return search

    def standings(self, search: Search) -> Standings:
        """Count the devices that *search* finds by how they stand."""
        return self._site.fleet.standings(search, self.yardstick)

    def count(self, search: Search) -> int:
        """Count the devices that *search* finds."""
        return self._site.fleet.count(search, self.yardstick)

    def instead(self, search: Search) -> tuple[Suggestion, ...]:
        """Return searches like *search*, which finds nothing, that do find devices, those that find fewest first."""
        suggestions = (Suggestion(text, self.count(self.understood(text))) for text in loosened(search))
        return tuple(sorted((each for each in suggestions if each.count), key=lambda each: (each.count, each.text)))

    def each(self, search: Search) -> Iterator[Device]:
        """Yield all devices that *search* finds, by serial number."""
        return self._site.fleet.each(search, self.yardstick)

    def serials(self, search: Search) -> list[Serial]:
        """Return the serial numbers of all devices that *search* finds."""
        return self._site.fleet.serials(search, self.yardstick)

    def device(self, serial: Serial) -> Device | None:
        """Return all that is remembered of one device, None if it never called."""
        return self._site.inventory.device(serial)

    def named(self, text: str, most: int) -> list[Device]:
        """Return the devices that *text* may mean, *most* of them at the most: of a serial number that one alone.

        Of others those come alone whose name or address it is, or else those that have it as another whole value; who
        has it as a part of one is asked for only if there are none.
        """
        try:
            device = self.device(parse_serial(text))
        except MalformedRequest:
            device = None
        if device is not None:
            return [device]
        quoted = f'"{text}"'
        ways = [(f"name:{quoted}", f"address:{quoted}"), (quoted,), (text,)] if '"' not in text else [(text,)]
        for searches in ways if text.strip() else ():
            found = {each.serial: each for search in searches for each in self._by_name(parse_search(search), most)}
            if found:
                return list(found.values())[:most]
        return []

    def _by_name(self, search: Search, most: int) -> Iterable[Device]:
        return self.listed(search, sort="name", limit=most) if search.terms and not search.fault else ()

    def is_present(self, device: Device) -> bool:
        """Whether *device* has called lately enough."""
        return self.yardstick.is_present(device)

    def state(self, device: Device) -> State:
        """Return how *device* stands."""
        return self.yardstick.state(device)

    def is_alarming(self, device: Device) -> bool:
        """Whether who *device* is has changed lately, though trust is required."""
        return self.yardstick.is_alarming(device)

    def warnings(self, device: Device) -> tuple[str, ...]:
        """Return what is odd about *device*, each as a sentence."""
        return self.yardstick.warnings(device)

    def forget(self, serials: Sequence[Serial], actor: Actor) -> int:
        """Forget devices with all that is remembered of them, on behalf of *actor*; return how many there were."""
        return self._site.inventory.forget(serials, self._event(Kind.DEVICE_FORGET, actor))

    def touch(self, serials: Sequence[Serial], actor: Actor) -> int:
        """Let devices count as seen now, on behalf of *actor*; return how many there are."""
        return self._site.inventory.touch(serials, self._event(Kind.DEVICE_TOUCH, actor))

    def decide(self, serials: Sequence[Serial], decision: Decision, actor: Actor) -> int:
        """Decide on devices on behalf of *actor*, whether they ever called or not; return how many there are."""
        policy = self._live.snapshot.policy if self._live else Policy()
        verdict = admit(policy.admission, Appearance(), known=False, decision=decision)
        event = self._event(_DECIDED[decision], actor)
        return self._site.admissions.decide(serials, decision, verdict, event)

    def decided(self, search: Search) -> list[Serial]:
        """Return the devices that *search* finds on which somebody has decided, so that it can be withdrawn."""
        standing = self._site.admissions.standing()
        return [serial for serial in self.serials(search) if serial in standing]

    def decisions(self, serial: Serial) -> dict[str, Decision]:
        """Return what somebody decided on a device, by the digits of its serial number; empty if nobody did."""
        decided = self.decision(serial)
        return {} if decided is None else {serial.digits: decided.decision}

    def decision(self, serial: Serial) -> Decided | None:
        """Return what somebody decided on a device, None if nobody did."""
        return self._site.admissions.on(serial)

    def _event(self, kind: Kind, actor: Actor) -> Event:
        return Event(self._now, actor.name, kind, address=actor.address)

    def summary(self, search: Search = EVERYTHING) -> Summary:
        """Count the fleet, or what *search* finds of it."""
        moments = self._moments()
        counted = self._site.fleet.tally(search, self.yardstick, [span for _, span, _ in _SPANS], moments)
        tallies = counted.kinds
        total = sum(tally.total for tally in tallies)
        return Summary(
            total,
            sum(tally.present for tally in tallies),
            sum(tally.current for tally in tallies),
            sum(tally.warned for tally in tallies),
            sum(tally.alarmed for tally in tallies),
            _shares((tally.phase, tally.total) for tally in tallies),
            _shares((tally.firmware, tally.total) for tally in tallies),
            _shares((tally.model, tally.total) for tally in tallies),
            _shares((name, tally.total) for tally in tallies for name in tally.environments),
            _places(tallies),
            _buckets(counted.seen, total),
            tuple(Point(at, count) for at, count in zip(moments, counted.arrived, strict=True)) if total else (),
            self.strangers(),
        )

    def stocks(self) -> list[Stock]:
        """Count the devices by environments, build and commit."""
        return self._site.fleet.stocks(self.yardstick)

    def strangers(self) -> Strangers:
        """Count the devices for which nobody speaks."""
        return self._site.fleet.strangers(self._now)

    def _moments(self) -> list[datetime]:
        """Return moments from the deployment until now, closer to each other at first, when most devices arrive."""
        if self._live is None:
            return []
        since = self._live.deployment.at
        passed = max(self._now - since, timedelta(seconds=1))
        return [since + passed * ((number / (_POINTS - 1)) ** 2) for number in range(_POINTS)]


def _shares(counts: Iterable[tuple[str | None, int]]) -> tuple[Share, ...]:
    totals: Counter[str | None] = Counter()
    for value, count in counts:
        totals[value] += count
    return tuple(
        Share(value, count) for value, count in sorted(totals.items(), key=lambda item: (-item[1], item[0] or ""))
    )


def _places(tallies: Iterable[Tally]) -> tuple[EnvironmentStandings, ...]:
    counted: dict[str, Counter[str]] = {}
    for tally in tallies:
        for name in tally.environments:
            numbers = counted.setdefault(name, Counter())
            numbers.update({each.name: getattr(tally, each.name) for each in fields(Standings)})
    return tuple(
        sorted((EnvironmentStandings(**numbers, name=name) for name, numbers in counted.items()), key=worst_first)
    )


def worst_first(place: EnvironmentStandings) -> tuple[float, float, str]:
    """Return what to sort environments by, so that those come first of which the greatest part is missing, or waits."""
    return -place.missing / place.total, -place.waiting / place.total, place.name


def _buckets(within: Sequence[int], total: int) -> tuple[Bucket, ...]:
    before, shorter = 0, ""
    buckets = []
    for (label, _, written), count in zip(_SPANS, within, strict=True):
        buckets.append(Bucket(label, count - before, f"seen:{shorter}-{written}" if shorter else f"seen:{written}"))
        before, shorter = count, written
    return (*buckets, Bucket("longer ago", total - before, f"seen:>{shorter}"))
