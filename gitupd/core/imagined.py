"""A poll that nobody made: of a device that need not exist, answered as a server would answer it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitupd.core.actions import script
from gitupd.core.caller import parse_caller
from gitupd.core.endpoint import DEFAULT_PORTS, Endpoint, parse_place
from gitupd.core.identity import NOT_BY_HTTP, NOT_SHOWN, PRESUMED
from gitupd.core.plan import plan
from gitupd.core.script import script_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from gitupd.core.actions import Action
    from gitupd.core.caller import Caller
    from gitupd.core.identity import Identity
    from gitupd.core.policy import Transport
    from gitupd.core.script import Script
    from gitupd.core.situation import Situation

SERIAL = "00-90-33-00-00-01"
"""Of a device for which only the model is given."""

SOMEWHERE = Endpoint("http", "gitupd.example", 80)
"""Where a device calls if there is no server that it could reach."""


@dataclass(frozen=True, slots=True)
class ImaginedDevice:
    """The parts of a device that doesn't exist, or not yet; None leaves the argument out of its update URL.

    ``place`` is where it calls, as :func:`parse_place` takes it, and ``https`` whether by HTTPS. Without them it calls
    where whoever asks has reached the server, and as the policy requires, so that one sees what it gets in the end.
    ``certificate`` is whether it shows a client certificate, None for as required. ``name`` is the one that it gives
    itself.
    """

    model: str
    serial: str = SERIAL
    environments: str | None = None
    phase: str | None = None
    polling: str | None = None
    firmware: str | None = None
    bootcode: str | None = None
    check: str | None = None
    hardware_id: str | None = None
    address: str = "192.0.2.1"
    name: str | None = None
    place: str | None = None
    https: bool | None = None
    certificate: bool | None = None

    @property
    def arguments(self) -> Mapping[str, str]:
        """The arguments of the update URL that it polls with."""
        arguments = {
            "polling": self.polling,
            "phase": self.phase,
            "type": self.model,
            "sn": self.serial,
            "hwid": self._hardware_id,
            "ip": self.address,
            "env": self.environments,
            "PROT": self.firmware,
            "BOOT": self.bootcode,
            "CHECK": self.check,
        }
        return {name: value for name, value in arguments.items() if value is not None}

    @property
    def _hardware_id(self) -> str:
        return self.hardware_id or f"{self.model.upper()}-{self.serial[-8:]}"

    def caller(self, transport: Transport, reached: Endpoint) -> Caller:
        """Return the device as it calls, where *reached* is the place for one that is given no other.

        Raises MalformedRequest for what no device says.
        """
        return parse_caller(self.arguments, self._endpoint(transport, reached))

    def identity(self, transport: Transport, caller: Caller) -> Identity:
        """Return what *caller*, who is this device, is taken for: none shows a certificate by HTTP."""
        required = transport.client_certificate == "required"
        shows_one = required if self.certificate is None else self.certificate
        if caller.endpoint.scheme != "https":
            return NOT_BY_HTTP
        return PRESUMED if shows_one else NOT_SHOWN

    def _endpoint(self, transport: Transport, reached: Endpoint) -> Endpoint:
        if self.place is None:
            host, port, directory = reached.host, None, reached.directory
        else:
            host, port, directory = parse_place(self.place)
        is_demanding = transport.https == "required" or transport.wants_certificate
        scheme: Literal["http", "https"] = "https" if is_demanding else reached.scheme
        if self.https is not None:
            scheme = "https" if self.https else "http"
        if port is None and self.place is None and not is_demanding and scheme == reached.scheme:
            port = reached.port
        if port is None and scheme == "https":
            port = transport.https_port
        return Endpoint(scheme, host, port or DEFAULT_PORTS[scheme], directory)


@dataclass(frozen=True)
class ImaginedPoll:
    """A poll that nobody made, with all that its answer depends on.

    ``failure`` says in a sentence what of the answer is not as it would be, None if nothing is.
    """

    situation: Situation
    failure: str | None = None

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What the device is told."""
        return tuple(plan(self.situation))

    @property
    def body(self) -> bytes:
        """What the server sends."""
        return script(self.actions)

    @cached_property
    def script(self) -> Script:
        """The same as people read it."""
        return script_of(self.situation, self.actions, self.failure)
