"""A device: its serial number, what one of its requests says, and what is remembered of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gitupd.core.actions import (
    BootcodeRequested,
    Confirmed,
    Deliver,
    FirmwareRequested,
    InPhase,
    Warn,
)
from gitupd.core.names import fold
from gitupd.errors import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from gitupd.core.actions import Action
    from gitupd.core.snapshot import CommitId
    from gitupd.core.url import Endpoint

_SERIAL = re.compile(r"[0-9a-f]{2}([-:]?[0-9a-f]{2}){5}", re.IGNORECASE | re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MARKUP = re.compile(r"""[<>"'\\]""")
_PLAIN_NAME = re.compile(r"[^\s<>\"'\\/&]*")

REQUIRED = ("type", "sn", "hwid", "ip")
"""The arguments without which a device only gets its update URL completed, in the order in which they are added."""

_LONGEST_ARGUMENT = 2_000
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, order=True)
class Serial:
    """A device's serial number, which is its MAC address: ``digits`` are 12 lower-case hexadecimal digits."""

    digits: str

    def __str__(self) -> str:
        """Return the serial as people and devices write it: ``00-90-33-30-00-af``."""
        return "-".join(self.digits[at : at + 2] for at in range(0, 12, 2))

    @property
    def place(self) -> str:
        """The serial as the third part of a snippet's name: ``00_90_33_30_00_af``."""
        return str(self).replace("-", "_")


def parse_serial(text: str) -> Serial:
    """Return the serial number written in *text*: 12 hexadecimal digits, with or without ``-`` or ``:`` between pairs.

    Raises MalformedRequest for anything else.
    """
    if not _SERIAL.fullmatch(text):
        raise MalformedRequest(
            f"{text[:40]!r} is no serial number; write twelve hexadecimal digits, such as 00-90-33-30-00-af"
        )
    return Serial(text.replace("-", "").replace(":", "").lower())


@dataclass(frozen=True, slots=True)
class Caller:
    """What one poll says of the device that makes it.

    ``arguments`` are those of the update URL, decoded, in their order, the last of equal names counting. Everything
    else is derived from them; None means that the argument is missing. ``common_name`` is that of a verified client
    certificate, None without one.
    """

    arguments: Mapping[str, str]
    endpoint: Endpoint
    serial: Serial | None = None
    common_name: str | None = None

    @property
    def model(self) -> str:
        """The device's type as it was sent, or an empty text."""
        return self.arguments.get("type", "")

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of required arguments that are absent; devices are served once none is."""
        return tuple(name for name in REQUIRED if name not in self.arguments)

    @property
    def place(self) -> str:
        """The serial number as it selects snippets: as it was sent, so one without dashes matches only such names."""
        return fold(self.arguments.get("sn", "")).replace("-", "_")

    @property
    def environments(self) -> tuple[str, ...] | None:
        """The environments named by the update URL, not yet checked; None if it has no such argument."""
        listed = self.arguments.get("env")
        return None if listed is None else tuple(listed.split(","))

    def get(self, name: str) -> str | None:
        """Return an argument's value, None if it is missing."""
        return self.arguments.get(name)


def parse_caller(arguments: Mapping[str, str], endpoint: Endpoint, common_name: str | None = None) -> Caller:
    """Return the caller that *arguments* describe.

    Raises MalformedRequest for a serial number that is none, for control characters anywhere, and for markup, blanks
    or path tricks where devices have none.
    """
    if _CONTROL.search("".join(arguments)) or _CONTROL.search("".join(arguments.values())):
        raise MalformedRequest("an argument holds a control character")
    model, hardware = arguments.get("type", ""), arguments.get("hwid", "")
    if not _PLAIN_NAME.fullmatch(model) or len(model) > _LONGEST_NAME:
        raise MalformedRequest("argument 'type' is no model name")
    if _MARKUP.search(hardware) or len(hardware) > _LONGEST_ARGUMENT:
        raise MalformedRequest("argument 'hwid' is no hardware id")
    if _MARKUP.search(arguments.get("ip", "")):
        raise MalformedRequest("argument 'ip' is no address")
    serial = parse_serial(arguments["sn"]) if "sn" in arguments else None
    return Caller(arguments, endpoint, serial, common_name)


@dataclass(frozen=True, slots=True)
class Message:
    """Something worth telling an administrator about a device."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Device:
    """What is remembered of a device; None stands for what never happened or was never said.

    ``address`` is where requests come from, ``own_address`` what the device says. ``sent`` is the commit of the last
    script with snippets, ``confirmed`` the commit whose CHECK serial the device last came back with; ``snippets`` are
    the paths sent last, ``messages`` only those that came up since the state was last stored.
    """

    serial: Serial
    hardware_id: str | None = None
    model: str | None = None
    address: str | None = None
    own_address: str | None = None
    environments: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    phase: str | None = None
    settled: bool = False
    firmware: str | None = None
    bootcode: str | None = None
    firmware_wanted: str | None = None
    firmware_requested: datetime | None = None
    bootcode_wanted: str | None = None
    bootcode_requested: datetime | None = None
    check: str | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    sent: CommitId | None = None
    sent_at: datetime | None = None
    snippets: tuple[str, ...] = ()
    confirmed: CommitId | None = None
    confirmed_at: datetime | None = None
    messages: tuple[Message, ...] = field(default=())

    def seen(
        self, caller: Caller, address: str | None, environments: Sequence[str], classes: Sequence[str], now: datetime
    ) -> Device:
        """Return the device with what a request says of it."""
        return replace(
            self,
            hardware_id=caller.get("hwid") or self.hardware_id,
            model=caller.model or self.model,
            address=address or self.address,
            own_address=caller.get("ip") or self.own_address,
            environments=tuple(environments),
            classes=tuple(classes),
            firmware=caller.get("PROT") or self.firmware,
            bootcode=caller.get("BOOT") or self.bootcode,
            check=caller.get("CHECK") or self.check,
            first_seen=self.first_seen or now,
            last_seen=now,
        )

    def after(self, actions: Iterable[Action], commit: CommitId, now: datetime) -> Device:
        """Return the device after it was answered with *actions* from *commit*."""
        sent: list[str] = []
        messages = list(self.messages)
        news: dict[str, Any] = {}  # replaced at once: each replacement copies every field
        for action in actions:
            match action:
                case Deliver(snippet):
                    sent.append(snippet.path)
                case FirmwareRequested(build):
                    news |= {"firmware_wanted": build, "firmware_requested": now}
                case BootcodeRequested(build):
                    news |= {"bootcode_wanted": build, "bootcode_requested": now}
                case Confirmed():
                    news |= {"confirmed": commit, "confirmed_at": now, "settled": True}
                case InPhase(phase):
                    news |= {"phase": phase, "settled": False}
                case Warn(text):
                    messages.append(Message(now, text))
                case _:
                    pass  # comments and commands leave nothing to remember
        if sent:
            news |= {"sent": commit, "sent_at": now, "snippets": tuple(sent)}
        return replace(self, messages=tuple(messages), **news)
