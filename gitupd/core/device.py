"""A device: what is remembered of it, and what a poll changes of that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, assert_never

from gitupd.core.actions import (
    BootcodeRequested,
    Compute,
    Confirmed,
    Deliver,
    Do,
    Enrolled,
    FirmwareRequested,
    InPhase,
    Restoring,
    Say,
    Warn,
)
from gitupd.core.caller import Caller, Origin, Request, Serial
from gitupd.core.identity import NOT_SHOWN, remarks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.actions import Action
    from gitupd.core.admission.admittance import Admittance
    from gitupd.core.certificates.standing import CertificateStanding
    from gitupd.core.identity import Identity
    from gitupd.core.snapshot import CommitId


@dataclass(frozen=True, slots=True)
class Message:
    """Something worth telling an administrator about a device."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """What is made of a device: by the configuration, whose ``name`` is None if it gives it none, and by people.

    ``admission`` None means that nobody has judged it.
    """

    environments: tuple[str, ...] = ()
    unknown_environments: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    name: str | None = None
    admission: Admittance | None = None


class Answered(Protocol):
    """What a poll was answered with."""

    @property
    def facts(self) -> Sequence[Action]:
        """What was decided, without what merely is text."""

    @property
    def commit(self) -> CommitId:
        """The commit that was answered from."""

    @property
    def recognised(self) -> Recognised:
        """What its configuration makes of the device."""


@dataclass(frozen=True, slots=True)
class Device:
    """What is remembered of a device; None stands for what never happened or was never said.

    ``given_name`` is the configuration's, ``own_name`` what the device says. ``address`` is where requests come from,
    ``own_address`` what the device says, ``proxy`` the trusted one in between. ``previous_…`` is what it was before it
    changed; ``…_returned`` when it last went back to the one before, so that two devices seem to use one identity.
    ``key`` is that of the certificate by which it was last known (SHA-256), ``identity`` what its last poll proved.
    ``phase_before`` is the phase from which devices come into ``phase``. ``admission`` is the verdict on it at its last
    poll, None before the first one.

    ``sent`` is the commit of the last script with snippets, ``snippets`` are their paths, ``sent_request`` is what was
    answered with it. ``confirmed`` is the commit that the device is known to have executed: it came back with the CHECK
    serial of it, or in the phase that its script sent it to; ``confirmed_at`` is when it first said so after the last
    script that it was sent. ``request`` is that of the last poll, and ``messages`` are
    only those that came up since the state was last stored; lists of devices leave both out. ``certificate`` is what
    its certificate is at, None if nothing is remembered of one, or if nobody asked for it.
    """

    serial: Serial
    hardware_id: str | None = None
    previous_hardware_id: str | None = None
    hardware_changed: datetime | None = None
    hardware_returned: datetime | None = None
    key: str | None = None
    previous_key: str | None = None
    key_changed: datetime | None = None
    key_returned: datetime | None = None
    model: str | None = None
    given_name: str | None = None
    own_name: str | None = None
    address: str | None = None
    previous_address: str | None = None
    address_changed: datetime | None = None
    address_returned: datetime | None = None
    own_address: str | None = None
    proxy: str | None = None
    environments: tuple[str, ...] = ()
    unknown_environments: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    admission: Admittance | None = None
    phase: str | None = None
    phase_before: str | None = None
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
    request: Request | None = None
    sent_request: Request | None = None
    identity: Identity | None = None
    messages: tuple[Message, ...] = field(default=())
    certificate: CertificateStanding | None = None

    @property
    def name(self) -> str | None:
        """The device's name: the configuration's, else its own; None if it has none."""
        return self.given_name or self.own_name

    def has_confirmed(self, commit: CommitId) -> bool:
        """Whether the device has said that it executed *commit*, and was sent nothing since that it may hold instead.

        The poll that tells of one phase is answered with the script of the next: that one is still to be confirmed.
        """
        if self.confirmed != commit:
            return False
        if self.sent_at is None or self.confirmed_at is None or self.confirmed_at > self.sent_at:
            return True
        return self.confirmed_at == self.sent_at and self.settled

    def seen(self, caller: Caller, recognised: Recognised, origin: Origin, now: datetime) -> Device:
        """Return the device with what a request says of it."""
        return replace(self, **self._changes_by_request(caller, recognised, origin, now, NOT_SHOWN))

    def after(self, actions: Sequence[Action], commit: CommitId, now: datetime) -> Device:
        """Return the device after it was answered with *actions* from *commit*."""
        return replace(self, **self._changes_by_answer(actions, commit, now, self.request))

    def polled(
        self, caller: Caller, origin: Origin, answer: Answered, now: datetime, identity: Identity = NOT_SHOWN
    ) -> Device:
        """Return the device after a poll, which is seen() and after() at once: each replacement copies every field.

        *identity* is whether it was known to be the device that it names.
        """
        changes = self._changes_by_request(caller, answer.recognised, origin, now, identity)
        facts = [*remarks(identity), *answer.facts] if identity.was_shown else answer.facts
        return replace(self, **changes, **self._changes_by_answer(facts, answer.commit, now, changes["request"]))

    def _changes_by_request(
        self, caller: Caller, recognised: Recognised, origin: Origin, now: datetime, identity: Identity
    ) -> dict[str, Any]:
        """Return what a request changes, of which *identity* says whether it is known to be the device's."""
        key = identity.certificate.key if identity.is_trusted and identity.certificate else None
        return {
            **self._changed("hardware_id", "hardware", caller.get("hwid") or None, now),
            **self._changed("address", "address", origin.address, now),
            **self._changed("key", "key", key, now),
            "identity": identity if identity.was_shown else None,
            "model": caller.model or self.model,
            "given_name": recognised.name,
            "own_address": caller.get("ip") or self.own_address,
            "proxy": origin.proxy,
            "environments": recognised.environments,
            "unknown_environments": recognised.unknown_environments,
            "classes": recognised.classes,
            "admission": recognised.admission,
            "firmware": caller.get("PROT") or self.firmware,
            "bootcode": caller.get("BOOT") or self.bootcode,
            "check": caller.get("CHECK") or self.check,
            "first_seen": self.first_seen or now,
            "last_seen": now,
            "request": Request(caller.arguments, caller.endpoint),
        }

    def _changed(self, name: str, what: str, value: str | None, now: datetime) -> dict[str, Any]:
        """Return what changes if the field *name*, whose changes are dated as those of *what*, is *value* now.

        None is no news. What comes back to the value before may be two devices that take turns.
        """
        known = getattr(self, name)
        news: dict[str, Any] = {name: value or known}
        if known is not None and value not in (None, known):
            news |= {f"previous_{name}": known, f"{what}_changed": now}
            news |= {f"{what}_returned": now} if value == getattr(self, f"previous_{name}") else {}
        return news

    def _confirmed(self, commit: CommitId, now: datetime) -> dict[str, Any]:
        """Return what changes when the device has executed *commit*: the time is that of the first time it said so."""
        again = self.confirmed_at is not None and self.has_confirmed(commit)
        return {"confirmed": commit, "confirmed_at": self.confirmed_at if again else now}

    def _changes_by_answer(
        self, actions: Sequence[Action], commit: CommitId, now: datetime, request: Request | None
    ) -> dict[str, Any]:
        """Return what an answer with *actions* to *request* changes."""
        news: dict[str, Any] = {"settled": False}
        for action in actions:
            match action:
                case FirmwareRequested(build):
                    news |= {"firmware_wanted": build, "firmware_requested": now}
                case BootcodeRequested(build):
                    news |= {"bootcode_wanted": build, "bootcode_requested": now}
                case Confirmed():
                    news |= {**self._confirmed(commit, now), "settled": True}
                case InPhase(phase, before):
                    news |= {"phase": phase, "phase_before": before}
                    if self.sent is not None and before is not None and self.phase == before:
                        news |= self._confirmed(self.sent, now)
                case Say() | Do() | Deliver() | Compute() | Warn() | Enrolled() | Restoring():
                    pass  # snippets and messages are counted below; the others leave nothing to remember
                case _:
                    assert_never(action)
        if sent := [action.snippet.path for action in actions if isinstance(action, Deliver)]:
            news |= {"sent": commit, "sent_at": now, "snippets": tuple(sent), "sent_request": request}
        if messages := [Message(now, action.text) for action in actions if isinstance(action, Warn)]:
            news["messages"] = (*self.messages, *messages)
        return news
