"""Many devices: how they are made up, and what they have been doing altogether."""

import random
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import cycle, islice
from urllib.parse import quote

from gitupd.emulator.clock import Clock
from gitupd.emulator.factory import Factory
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.phone import Phone
from gitupd.emulator.script import Flashed
from gitupd.emulator.signing import KeyRing, RequestKeys
from gitupd.emulator.state import Device, Habits, Identity, factory_settings
from gitupd.emulator.tls import TlsHabits

MAC_BYTES = 6
FIRST_SERIAL = "00-90-33-00-00-01"
DEVICES_PER_SECOND = 200
LETTER_BUILD = "13A146"
FEW_VALUES = 2
DAY = 86400
YEAR_2000 = 10957 * DAY
TEN_YEARS = 3652 * DAY


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """Which devices to emulate."""

    url: str
    """What each of them polls first, taken as it is."""
    types: tuple[str, ...] = ("IP222",)
    """Given to the devices in turn."""
    count: int = 1
    environments: tuple[str, ...] = ()
    """Added to the URLs in turn as ?env=; a comma makes a list."""
    first_serial: str = FIRST_SERIAL
    firmware: str = "134250"
    bootcode: str = "131286"
    address: str = "127.0.0.1"
    """The IP address that devices believe to have."""
    misbehaving_share: int = 1
    """Only one device in so many misbehaves."""
    speed: float = 1.0
    """How many device seconds pass in a second."""
    spread: float | None = None
    """Switch the devices on within so many seconds on the wall; None: 200 a second."""
    started_at: float | None = None
    """Local time at which the devices begin to live, in seconds since 1970; None: now."""
    seed: int = 0
    factory: Factory = field(default_factory=Factory)
    """Where devices have their certificates from."""
    request_keys: RequestKeys = RequestKeys.SHARED_RSA
    tls: TlsHabits = field(default_factory=TlsHabits)
    habits: Habits = field(default_factory=Habits)
    """Misbehaviours included; `first_poll_after` comes from the spread."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long polls took, in seconds."""

    minimum: float
    median: float
    percentile_95: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What a fleet did."""

    devices: int
    settled: int
    polls: int
    scripts: int
    downloads: int
    restarts: int
    uploads: int
    cut_uploads: int
    errors: dict[str, int]
    """By kind."""
    latency: Latency | None
    """None: no poll was answered."""
    polled: dict[str, int]
    """Polls by server, such as `https://upd.example:444`."""
    uploaded: dict[str, int]
    """Uploads that were accepted, by server."""
    handshakes: dict[str, int]
    """By kind, such as `TLSv1.3 resumed`."""
    by_phase: dict[str, int]
    by_commit: dict[str, int]
    """By commit id; "" stands for devices whose last script named none."""
    seconds: float
    """On the wall."""
    ended_by: str
    """`settled`, `polls`, `timeout` or `stopped`."""

    @property
    def all_settled(self) -> bool:
        """Tell whether no device has anything left to do."""
        return self.settled == self.devices

    @property
    def error_count(self) -> int:
        """How much went wrong."""
        return sum(self.errors.values())

    def as_json(self) -> dict[str, object]:
        """Give the summary as plain values."""
        return {**asdict(self), "all_settled": self.all_settled}


@dataclass(slots=True)
class Fleet:
    """The devices of a plan."""

    plan: FleetPlan
    clock: Clock
    phones: list[Phone]
    latencies: list[float] = field(default_factory=list)
    handshakes: Counter[str] = field(default_factory=Counter)

    def all_settled(self) -> bool:
        """Tell whether no device has anything left to do."""
        return all(phone.settled for phone in self.phones)

    def by_activity(self) -> Counter[str]:
        """Count what the devices are doing."""
        return Counter(phone.activity.value for phone in self.phones)

    def by_phase(self) -> Counter[str]:
        """Count the phases their URLs name."""
        return Counter(phone.phase for phone in self.phones)

    def by_commit(self) -> Counter[str]:
        """Count the commits that their last scripts were made from."""
        return Counter(phone.commit or "" for phone in self.phones)

    def polled(self) -> Counter[str]:
        """Count polls by server."""
        return _total(phone.device.tally.polled for phone in self.phones)

    def errors(self) -> Counter[str]:
        """Count what went wrong, by kind."""
        return _total(phone.device.tally.errors for phone in self.phones)

    def summary(self, seconds: float, ended_by: str) -> Summary:
        """Add everything up."""
        tallies = [phone.device.tally for phone in self.phones]
        return Summary(
            devices=len(self.phones),
            settled=sum(phone.settled for phone in self.phones),
            polls=sum(tally.polls for tally in tallies),
            scripts=sum(tally.scripts for tally in tallies),
            downloads=sum(tally.downloads for tally in tallies),
            restarts=sum(tally.restarts for tally in tallies),
            uploads=sum(tally.uploads for tally in tallies),
            cut_uploads=sum(tally.cut_uploads for tally in tallies),
            errors=dict(self.errors().most_common()),
            latency=_latency(self.latencies),
            polled=dict(self.polled().most_common()),
            uploaded=dict(_total(tally.uploaded for tally in tallies).most_common()),
            handshakes=dict(self.handshakes.most_common()),
            by_phase=dict(self.by_phase().most_common()),
            by_commit=dict(self.by_commit().most_common()),
            seconds=round(seconds, 3),
            ended_by=ended_by,
        )


def _total(counts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total += count
    return total


def _latency(seconds: list[float]) -> Latency | None:
    if not seconds:
        return None
    tail = statistics.quantiles(seconds, n=20)[-1] if len(seconds) >= FEW_VALUES else seconds[0]
    return Latency(min(seconds), statistics.median(seconds), min(tail, max(seconds)), max(seconds))


def parse_mac(text: str) -> int:
    """Read a MAC address with dashes, colons or nothing in between; raises ValueError."""
    if not re.fullmatch(r"(?:[0-9a-f]{2}[-:]?){5}[0-9a-f]{2}", text, re.IGNORECASE):
        raise ValueError(f"{text!r} is no serial number like {FIRST_SERIAL}")
    return int(re.sub("[-:]", "", text), 16)


def with_environment(url: str, environment: str) -> str:
    """Add an environment to an update URL."""
    return f"{url}{'&' if '?' in url else '?'}env={quote(environment, safe=',')}"


def build_fleet(plan: FleetPlan, clock: Clock) -> Fleet:
    """Make the devices; raises ValueError where the plan makes no sense."""
    first = parse_mac(plan.first_serial)
    if not plan.types or plan.count < 1 or first + plan.count > 1 << 8 * MAC_BYTES:
        raise ValueError("a fleet takes at least one type and one device, and serial numbers for all of them")
    urls: Iterable[str] = [with_environment(plan.url, name) for name in plan.environments] or [plan.url]
    keys = KeyRing(plan.request_keys)
    models = zip(islice(cycle(plan.types), plan.count), cycle(urls), _moments(plan), strict=False)
    phones = [
        Phone(_device(plan, clock, keys, Unboxed(number, first + number, model, url, moment)))
        for number, (model, url, moment) in enumerate(models)
    ]
    return Fleet(plan, clock, phones)


@dataclass(frozen=True, slots=True)
class Unboxed:
    """What sets one device of a fleet apart from the next."""

    number: int
    mac: int
    type: str
    url: str
    first_poll_after: float


def _moments(plan: FleetPlan) -> Iterator[float]:
    """Say when each device is switched on, in device seconds."""
    rng = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    spread = plan.count / DEVICES_PER_SECOND if plan.spread is None else plan.spread
    while True:
        yield rng.uniform(0, spread * plan.speed) if plan.count > 1 else 0.0


def _device(plan: FleetPlan, clock: Clock, keys: KeyRing, one: Unboxed) -> Device:
    misbehaves = one.number % max(1, plan.misbehaving_share) == 0
    misbehaviours = plan.habits.misbehaviours if misbehaves else frozenset[Misbehaviour]()
    builds = _builds(plan, misbehaviours)
    device = Device(
        identity=_identity(plan, misbehaviours, one),
        clock=_clock(clock, misbehaviours),
        rng=random.Random(f"{plan.seed}/{one.mac}"),  # noqa: S311 - repeatable on purpose
        habits=replace(plan.habits, misbehaviours=misbehaviours, first_poll_after=one.first_poll_after),
        keys=keys,
        builds=builds,
        first_build=builds[Flashed.PROT],
        factory=plan.factory,
    )
    factory_settings(device, one.url)
    if plan.factory.folder is not None:
        device.install(device.credential)  # so that what can't be read is known at once
    return device


def _clock(clock: Clock, misbehaviours: frozenset[Misbehaviour]) -> Clock:
    """Give the clock of a device; one that is wrong tells the time of day all the same."""
    if Misbehaviour.FAST_CLOCK in misbehaviours:
        return replace(clock, origin=clock.origin + TEN_YEARS)
    if Misbehaviour.WRONG_CLOCK in misbehaviours:
        return replace(clock, origin=YEAR_2000 + clock.origin % DAY)
    return clock


def _identity(plan: FleetPlan, misbehaviours: frozenset[Misbehaviour], one: Unboxed) -> Identity:
    mac = one.mac.to_bytes(MAC_BYTES, "big")
    place = "Büro Süd" if Misbehaviour.SPLIT_UTF8 in misbehaviours else "Desk"
    address = f"192.168.{mac[4]}.{mac[5]}" if Misbehaviour.NAT in misbehaviours else plan.address
    return Identity(one.type, mac, address, f"{place} {one.number + 1}")


def _builds(plan: FleetPlan, misbehaviours: frozenset[Misbehaviour]) -> dict[Flashed, str]:
    firmware = LETTER_BUILD if Misbehaviour.LETTER_BUILD in misbehaviours else plan.firmware
    return {Flashed.PROT: firmware, Flashed.BOOT: plan.bootcode}
