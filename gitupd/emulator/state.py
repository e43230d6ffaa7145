"""What a device is, remembers and counts."""

import random
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum

from gitupd.emulator.clock import Clock, moment, stamp
from gitupd.emulator.configuration import Configuration
from gitupd.emulator.factory import Credential, Factory
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.script import Flashed, Option, Verb
from gitupd.emulator.signing import Certificate, KeyRing, facts

SERIALS = ("PROT", "BOOT", "BMC", "CFG", "SCFG", "CHECK", "CFG-BACKUP-NUM")
DEFAULT_POLL_MINUTES = 15
BUILD_HEAD = 2
PHONES = re.compile(r"ip(72|1[0-5]\d|2\d\d)[a-z]?|swphone|mypbx[ai]", re.IGNORECASE)


class Activity(Enum):
    """What a device is doing; the value is what a table shows."""

    OFF = "off"
    POLLING = "polling"
    EXECUTING = "executing"
    UPLOADING = "uploading"
    DOWNLOADING = "downloading"
    FLASHING = "flashing"
    RESTARTING = "restarting"
    WAITING = "waiting"
    OUTSIDE_HOURS = "outside hours"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes."""

    type: str
    """As the device writes it: `IP222`."""
    mac: bytes
    address: str
    """The IP address it believes to have."""
    label: str
    hardware: str = "1300"

    @property
    def serial(self) -> str:
        """Lower-case hex with dashes: `00-90-33-46-0a-f2`."""
        return self.mac.hex("-")

    @property
    def hardware_id(self) -> str:
        """Type and the last half of the MAC: `IP222-46-0a-f2`."""
        return f"{self.type}-{self.mac[3:].hex('-')}"

    @property
    def is_phone(self) -> bool:
        """Tell a phone from a gateway, which has a directory in its flash memory."""
        return PHONES.fullmatch(self.type) is not None


@dataclass(frozen=True, slots=True)
class Habits:
    """How a device behaves where the protocol leaves it open; times in device seconds."""

    misbehaviours: frozenset[Misbehaviour] = frozenset()
    report_running_builds: bool = True
    """Send the running builds as PROT and BOOT while nothing was flashed by a script."""
    first_poll_after: float = 0.0
    restart_seconds: float = 60.0
    flash_seconds: float = 20.0
    key_seconds: float = 20.0
    """How long a key and its signing request take to make."""
    interval: float | None = None
    """Poll this often, whatever the configuration says."""
    polls: int | None = None
    """Fall silent after so many polls."""
    release: str = ""
    """What the version line of the first build begins with; "" for what follows from the build."""

    def has(self, misbehaviour: Misbehaviour) -> bool:
        """Tell whether the device misbehaves in this way."""
        return misbehaviour in self.misbehaviours


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable; flag `p` makes it survive a restart, `b` means that the value is hex."""

    flags: str
    value: str


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A signing request that is being made."""

    ready_at: float
    options: tuple[Option, ...]


@dataclass(slots=True)
class Tally:
    """What a device did since it was switched on first."""

    polls: int = 0
    scripts: int = 0
    downloads: int = 0
    uploads: int = 0
    cut_uploads: int = 0
    restarts: int = 0
    polled: Counter[str] = field(default_factory=Counter)
    """Polls by server: `https://upd.example:444`."""
    uploaded: Counter[str] = field(default_factory=Counter)
    """Uploads that were accepted, by server."""
    errors: Counter[str] = field(default_factory=Counter)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=50))

    def error(self, kind: str, text: str) -> None:
        """Count and note something that went wrong."""
        self.errors[kind] += 1
        self.log.append(f"{kind}: {text}")


@dataclass(slots=True)
class Device:
    """All of a device's state; the rest of the package are functions of it."""

    identity: Identity
    clock: Clock
    rng: random.Random
    habits: Habits
    keys: KeyRing
    builds: dict[Flashed, str]
    """What runs."""
    first_build: str = ""
    """The firmware that it had at first."""
    flashed: dict[Flashed, str] = field(default_factory=dict)
    """What will run after the next restart."""
    configuration: Configuration = field(default_factory=Configuration)
    variables: dict[str, Variable] = field(default_factory=dict)
    dates: dict[str, float] = field(default_factory=dict)
    """When an update serial was set."""
    tickets: int = 0
    """How many dumps were made; what is volatile in them depends on it."""
    factory: Factory = field(default_factory=Factory)
    installed: Credential | None = None
    """What it shows to servers, once it was made, or a script has brought another."""
    certified: bool = False
    """`installed` is set."""
    pending_request: PendingRequest | None = None
    booted_at: float = 0.0
    fresh: bool = True
    """No script was ever fetched."""
    reset_required: bool = False
    reset_when_idle: bool = False
    idle: bool = True
    just_started: bool = False
    poll_now: bool = False
    activity: Activity = Activity.OFF
    detail: str = ""
    tally: Tally = field(default_factory=Tally)

    def be(self, activity: Activity, detail: str = "") -> None:
        """Say what the device is doing from now on."""
        self.activity, self.detail = activity, detail

    @property
    def clock_set(self) -> bool:
        """Tell whether the device knows the time."""
        return not self.habits.has(Misbehaviour.NO_CLOCK)

    @property
    def uptime(self) -> float:
        """Seconds since the last restart."""
        return self.clock.now() - self.booted_at

    def serial(self, name: str) -> str | None:
        """Give an update serial; None if it was never set."""
        variable = self.variables.get(f"UPDATE/{name}")
        return variable.value or None if variable else None

    def set_serial(self, name: str, value: str) -> None:
        """Remember what a command of this kind was given last."""
        self.create_variable(f"UPDATE/{name}", "p", value)

    def create_variable(self, path: str, flags: str, value: str) -> None:
        """Create or replace a variable."""
        self.variables[path] = Variable(flags, value)
        self.dates[path] = self.clock.now()

    def delete_variable(self, path: str) -> None:
        """Remove a variable, if it is there."""
        self.variables.pop(path, None)
        self.dates.pop(path, None)

    @property
    def is_new(self) -> bool:
        """Tell a device out of the box, or out of a factory reset: it has no update serial at all."""
        return all(self.serial(name) is None for name in SERIALS)

    def date(self, name: str) -> str | None:
        """Write when an update serial was set; None if never, or if nobody knew the time."""
        moment = self.dates.get(f"UPDATE/{name}")
        return stamp(moment) if moment is not None and self.clock_set else None

    def running(self, what: Flashed) -> str:
        """Give the build that runs; "" where there is none."""
        return self.builds.get(what, "")

    @property
    def release(self) -> str:
        """The release that runs, as the version line begins with: `13r2`."""
        firmware = self.running(Flashed.PROT)
        if self.habits.release and firmware == self.first_build:
            return self.habits.release
        return f"{firmware[:BUILD_HEAD]}r2"

    def flash(self, what: Flashed, build: str) -> None:
        """Store a build that will run after the next restart."""
        self.flashed[what] = build
        self.reset_required = True

    def restart(self) -> None:
        """Come up again with what was flashed and written."""
        self.builds = {**self.builds, **self.flashed}
        self.flashed = {}
        self.configuration.restart()
        self.variables = {path: var for path, var in self.variables.items() if "p" in var.flags}
        self.booted_at = self.clock.now()
        self.reset_required = self.reset_when_idle = False
        self.just_started = True
        self.tally.restarts += 1

    @property
    def credential(self) -> Credential | None:
        """What it proves with who it is; None: nothing. Made when it is first needed."""
        if not self.certified:
            habits, identity = self.habits, self.identity
            name = self.factory.common_name(identity.type, identity.mac, habits.misbehaviours)
            self.install(self.factory.credential(name, habits.misbehaviours, moment(self.clock.now())))
        return self.installed

    def install(self, credential: Credential | None) -> None:
        """Show this from now on."""
        self.installed, self.certified = credential, True

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """What it tells of its certificates."""
        return tuple(facts(certificate) for certificate in self.credential.chain) if self.credential else ()


def factory_settings(device: Device, url: str) -> None:
    """Give a device the configuration and the update URL that it leaves the factory with."""
    settings: tuple[tuple[str, list[Option]], ...] = (
        ("CMD0", [("name", device.identity.label)]),
        ("ETH0", [("addr", device.identity.address), ("mask", "255.255.255.0"), ("mode", "dhcp")]),
        ("NTP0", [("addr", "pool.ntp.org"), ("interval", "60"), ("offset", "CET-1CEST-2,M3.5.0/2,M10.5.0/3")]),
        ("HTTP0", [("port", "80"), ("test-pages", None)]),
        ("PHONE SIG", [("prot", "SIP"), ("gk-addr", ""), ("coder", "G711A,20,")]),
        ("UP1", [("url", url), ("poll", str(DEFAULT_POLL_MINUTES))]),
    )
    for module, options in settings:
        device.configuration.impose(Verb.CHANGE, module, options)
    device.idle = not device.habits.has(Misbehaviour.ALWAYS_BUSY)
    device.booted_at = device.clock.now()
