"""The policies of one commit as frozen values, and the small decisions that follow from them alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, assert_never

from gitupd.core.certificates.request import uses
from gitupd.core.concealing import looks_secret
from gitupd.core.deployments.rule import Deploy
from gitupd.core.names import fold
from gitupd.core.people.audit import Topic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from gitupd.core.certificates.approval import ApprovalRule
    from gitupd.core.notices.notice import NoticeRule
    from gitupd.core.patterns import Substitution, TextPattern


_LOG_IN = re.compile(r"://[^/?#]*@")
_ARGUMENT = re.compile(r"[?&]([^=&?#]*)")
_LETTING_IN = frozenset({"key", "sig", "signature", "auth", "code", "ticket", "x-amz-signature"})
"""What arguments of an address are called that let in whoever knows it, besides all that looks like a secret."""


@dataclass(frozen=True, slots=True)
class Everyone:
    """A condition that every device meets."""


@dataclass(frozen=True, slots=True)
class InClass:
    """A condition on the device's classes; a model is a class, too."""

    name: str


@dataclass(frozen=True, slots=True)
class InEnvironment:
    """A condition on the device's environments, implied ones included."""

    name: str


Condition = Everyone | InClass | InEnvironment


@dataclass(frozen=True, slots=True)
class Environment:
    """A named set of devices; ``implies`` lists further environments that come with it, one level deep."""

    name: str
    implies: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """A named set of models; ``models`` are folded, and snippets named after ``snippets`` belong to it."""

    name: str
    models: frozenset[str]
    snippets: str


@dataclass(frozen=True, slots=True)
class Window:
    """When a device may execute a script.

    ``hours`` of its local time (0 to 23, None = any) as they are sent, and not within ``initial_minutes`` after a
    restart (None = no such limit).
    """

    hours: tuple[str, ...] | None
    initial_minutes: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How scripts are delivered.

    ``fast_poll`` is the argument of ``provision`` while phases remain: seconds between polls, 0 switches fast polling
    off, None never mentions it. ``interval`` is minutes between polls in the last phase. ``url_arguments`` are
    arguments of the update URL that the device fills in itself: a placeholder to carry, or None to leave them out.
    """

    check: bool = True
    fast_poll: int | None = 5
    interval: int = 15
    window: Window | None = None
    staging_ignores_window: bool = True
    first_run_ignores_window: bool = False
    url_arguments: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Master:
    """The device whose builds the fleet follows.

    Where its ``box_info.xml`` is, and for how many seconds an answer counts as fresh.
    """

    url: str
    cache: int = 3600


Source = Literal["master", "firmware", "none"]


@dataclass(frozen=True, slots=True)
class Build:
    """A fixed build such as ``137213`` or ``13A146``."""

    number: str


@dataclass(frozen=True, slots=True)
class Firmware:
    """Which builds devices are to run, and where the files are.

    ``no_firmware`` and ``no_bootcode`` hold folded models, ``file_names`` maps a folded model to file names by kind
    (``prot``, ``boot``).
    """

    master: Master | None = None
    firmware: Literal["master", "none"] | Build = "none"
    bootcode: Source | Build = "none"
    applies: tuple[Condition, ...] = ()
    storage: str = "fw/{build}/"
    no_firmware: frozenset[str] = frozenset()
    no_bootcode: frozenset[str] = frozenset()
    file_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def holds_secret(self) -> bool:
        """Whether the address of files lets in whoever knows it: it has a log-in, or arguments called like a secret.

        Any other address is told to every device, arguments or not (recording f044).
        """
        names = _ARGUMENT.findall(self.storage)
        lets_in = any(looks_secret(name) or name.lower() in _LETTING_IN for name in names)
        return lets_in or _LOG_IN.search(self.storage) is not None

    @property
    def followed(self) -> Master | None:
        """The master device if any build follows it, so that it has to be asked; None if none does."""
        return self.master if "master" in (self.firmware, self.bootcode) else None


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and as many again within as many seconds."""

    count: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Backup:
    """Whether devices upload their configuration, and which of its lines don't count or are secret.

    ``per_device`` and ``per_address`` are how many versions are kept at the most of one device, and of all that call
    from one address; None for any number.
    """

    enabled: bool = True
    upload_url: str = "update.php?mode=backup&hwid=#h&sn=#m"
    ignore: tuple[TextPattern, ...] = ()
    hide: tuple[TextPattern, ...] = ()
    per_device: Rate | None = Rate(600, 3600)
    per_address: Rate | None = Rate(20_000, 3600)


@dataclass(frozen=True, slots=True)
class Show:
    """One value of a query's answer that pages show."""

    title: str
    xpath: str


@dataclass(frozen=True, slots=True)
class Query:
    """A command whose output devices upload; asked if any condition in ``applies`` holds, so none means nobody."""

    id: str
    title: str
    command: str
    applies: tuple[Condition, ...] = ()
    show: tuple[Show, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A substitution in a URL: ``replacement`` is in the syntax of :func:`re.sub`."""

    pattern: Substitution
    replacement: str

    def __call__(self, url: str) -> str:
        """Return *url* with every match replaced."""
        return self.pattern.sub(self.replacement, url)


@dataclass(frozen=True, slots=True)
class Transport:
    """Whether HTTPS and client certificates are wanted or required; ``https_port`` None means 443, unnamed in URLs."""

    https: Literal["optional", "required"] = "optional"
    https_port: int | None = None
    https_rewrite: Rewrite | None = None
    client_certificate: Literal["optional", "required"] = "optional"

    @property
    def wants_certificate(self) -> bool:
        """Whether only devices that show a client certificate are given snippets, and may upload."""
        return self.client_certificate == "required"


@dataclass(frozen=True, slots=True)
class Accept:
    """A rule by which devices are accepted that nobody has named: all that is not None must fit.

    ``model`` is folded; ``hardware_id`` is found anywhere in the device's; ``certificate`` asks for a trusted one.
    """

    network: IPv4Network | IPv6Network | None = None
    model: str | None = None
    hardware_id: TextPattern | None = None
    certificate: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of devices that neither ``devices.yaml`` nor a rule nor a person knows.

    ``most`` of them are remembered at a time, for ``forget_after`` seconds after their last call.
    """

    unknown: Literal["serve", "quarantine", "refuse"] = "serve"
    accept: tuple[Accept, ...] = ()
    most: int = 1000
    forget_after: int = 86400


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificate roll-out as configured; times in seconds.

    ``authorities`` are the common names of issuers that identify devices; none named means all that the site trusts.
    ``request_missing`` is whether a device without any certificate is to have one, ``hold`` whether all else waits
    until a device has a good one, ``wait_for_words`` whether a request waits for words of its template that are not
    known yet, which are left out otherwise. Up to ``renew_spread`` is added to ``renew_before``, for each device
    another part of it. What is signed by itself is what ``approve`` covers; the site's authority issues ``valid_for``.
    """

    enabled: bool = False
    authorities: tuple[str, ...] = ()
    wildcard: str | None = None
    renew_before: int = 90 * 86400
    chain: str = "certificates/CAkey*"
    key: str = "2048-bit"
    signature: str = "SHA256"
    dn: Mapping[str, str] = field(default_factory=dict)
    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    request_missing: bool = True
    hold: bool = False
    wait_for_words: bool = True
    signing: Literal["manual", "authority", "automatic", "external"] = "manual"
    approve: tuple[ApprovalRule, ...] = ()
    valid_for: int = 730 * 86400
    renew_spread: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """When a device counts as missing or is forgotten; times in seconds.

    Also how long its messages stay, and how often pages refresh (0 = never).
    """

    missing_after: int = 7 * 86400
    forget_after: int = 90 * 86400
    refresh: int = 0
    log_keep: int = 30 * 60
    device_links: Literal["http", "https"] = "https"


@dataclass(frozen=True, slots=True)
class AuditKeeping:
    """For how many seconds the audit keeps its entries, by what they are about; 0 for ever."""

    changes: int = 0
    log_ins: int = 0
    looks: int = 0

    def of(self, topic: Topic) -> int:
        """Return for how many seconds entries about *topic* are kept, 0 for ever."""
        match topic:
            case Topic.CHANGES:
                return self.changes
            case Topic.LOG_INS:
                return self.log_ins
            case Topic.LOOKS:
                return self.looks
        assert_never(topic)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that the documents of a commit say, snippets and computed lines aside.

    ``phases`` and ``classes`` are in order of delivery; the first of ``environments`` is that of a device which names
    none. ``full_expansion`` False expands a list of environments as the PHP server did
    (docs/reference/php-differences.md).
    """

    phases: tuple[str, ...] = ("update",)
    environments: Mapping[str, Environment] = field(default_factory=lambda: {"default": Environment("default")})
    classes: tuple[DeviceClass, ...] = ()
    queries: tuple[Query, ...] = ()
    queries_url: str = "update.php?mode=query&sn=#m"
    full_expansion: bool = True
    delivery: Delivery = Delivery()
    firmware: Firmware = Firmware()
    backup: Backup = Backup(enabled=False)  # unlike that of a configuration: without one nobody is told to upload
    transport: Transport = Transport()
    admission: Admission = Admission()
    certificates: Certificates = Certificates()
    status: Status = Status()
    audit: AuditKeeping = AuditKeeping()
    notify: tuple[NoticeRule, ...] = ()
    deploy: Deploy = field(default_factory=Deploy)

    @property
    def needed_queries(self) -> frozenset[str]:
        """The ids of queries that every device is asked, whatever they apply to: the roll-out depends on them."""
        if not self.certificates.enabled:
            return frozenset()
        return frozenset({"certificates", "admin"} if uses(self.certificates, "name") else {"certificates"})

    @property
    def staged_phases(self) -> tuple[str, ...]:
        """The phases a device goes through: with the first run outside the time window in front of the last."""
        window = self.delivery.window
        if self.delivery.first_run_ignores_window and window is not None and window.hours is not None:
            return (*self.phases[:-1], first_run(self.phases[-1]), self.phases[-1])
        return self.phases

    def classes_of(self, model: str) -> tuple[DeviceClass, ...]:
        """Return the classes of *model* in order of delivery, the model itself last unless a class bears its name."""
        folded = fold(model)
        own = [device_class for device_class in self.classes if folded in device_class.models]
        # A model is a class of its own, the last one, and may have a dash in its name (recordings 008, 012).
        if all(device_class.name != folded for device_class in own):
            own.append(DeviceClass(folded, frozenset({folded}), folded))
        return tuple(own)

    def expanded(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return known environment *names*, each followed by what it implies, one level deep."""
        groups = [(name, *self.environments[name].implies) for name in names]
        if self.full_expansion:
            return tuple(dict.fromkeys(name for group in groups for name in group))
        # Position by position, as PHP's "+" joins arrays: what stands at a place that is taken is lost (recording 022).
        merged: list[str] = []
        for group in groups:
            merged += group[len(merged) :]
        return tuple(merged)


def first_run(last_phase: str) -> str:
    """Return the name of the phase in which *last_phase* is delivered once without regard to the time window."""
    return f"_first_{last_phase}"
