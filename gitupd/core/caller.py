"""Who calls: a serial number, what a poll says, and where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gitupd.core.admission.codes import ARGUMENT, looks_like_code
from gitupd.core.identity import Claim
from gitupd.core.names import fold
from gitupd.errors import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.core.endpoint import Endpoint
    from gitupd.core.identity import Shown

_SERIAL = re.compile(r"[0-9a-f]{2}([-:]?[0-9a-f]{2}){5}", re.IGNORECASE | re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MARKUP = re.compile(r"""[<>"'\\]""")
_PLAIN_NAME = re.compile(r"[^\s<>\"'\\/&]*")

REQUIRED = ("type", "sn", "hwid", "ip")
"""The arguments without which a device only gets its update URL completed, in the order in which they are added."""

MOST_ENVIRONMENTS = 100
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
    else is derived from them; None means that the argument is missing. ``shown`` is the certificate that came with the
    poll, None without one. ``code`` is a one-time code that was among the arguments, and is no longer, so that it gets
    nowhere.
    """

    arguments: Mapping[str, str]
    endpoint: Endpoint
    serial: Serial | None = None
    shown: Shown | None = None
    code: str | None = field(default=None, repr=False)

    @property
    def claim(self) -> Claim:
        """Who it says it is, as a certificate is held against it."""
        return claim_in(self.arguments)

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


def claim_in(arguments: Mapping[str, str]) -> Claim:
    """Return who *arguments* say a request comes from; the serial number keeps its letter case."""
    serial = arguments.get("sn", "").replace("-", "").replace(":", "")
    return Claim(serial, arguments.get("hwid"), arguments.get("type"))


def parse_caller(arguments: Mapping[str, str], endpoint: Endpoint, shown: Shown | None = None) -> Caller:
    """Return the caller that *arguments* describe, and who has *shown* a certificate.

    Raises MalformedRequest for a serial number that is none, for control characters anywhere, for markup, blanks
    or path tricks where devices have none, and for more environments than a device is in.
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
    if arguments.get("env", "").count(",") >= MOST_ENVIRONMENTS:
        raise MalformedRequest(f"more than {MOST_ENVIRONMENTS} environments")
    serial = parse_serial(arguments["sn"]) if "sn" in arguments else None
    code = arguments.get(ARGUMENT)
    if code is None or not looks_like_code(code):
        return Caller(arguments, endpoint, serial, shown)
    others = {name: value for name, value in arguments.items() if name != ARGUMENT}
    return Caller(others, endpoint, serial, shown, code)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: ``address`` is the device's as far as we can know, ``proxy`` a trusted one's."""

    address: str | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a poll said, to be answered once more: its arguments, and where it reached us."""

    arguments: Mapping[str, str]
    endpoint: Endpoint

    def without_check(self) -> Request:
        """Return what a device says that has executed nothing yet."""
        return replace(self, arguments={name: value for name, value in self.arguments.items() if name != "CHECK"})
