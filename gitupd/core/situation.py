"""All that the answer to a poll depends on, and what follows from it: phase, environments, classes, snippets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from gitupd.core.admission.admittance import Admittance, Appearance, admit
from gitupd.core.certificates.rollout import need
from gitupd.core.device import Recognised
from gitupd.core.identity import NOT_BY_HTTP, identify, refusal
from gitupd.core.policy import Everyone, InClass, InEnvironment, first_run
from gitupd.core.secrets.filling import Content, Filling
from gitupd.core.secrets.template import FACTS
from gitupd.core.snapshot import KnownDevice
from gitupd.core.url import PLACEHOLDERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.admission.admittance import Decision
    from gitupd.core.admission.codes import Redemption
    from gitupd.core.backups.restore import Pending
    from gitupd.core.caller import Caller, Serial
    from gitupd.core.certificates.rollout import Enrolment, Need
    from gitupd.core.device import Device
    from gitupd.core.firmware import Builds
    from gitupd.core.identity import Identity
    from gitupd.core.policy import Condition, DeviceClass, Policy, Query
    from gitupd.core.snapshot import Snapshot, Snippet, SnippetName


@dataclass(frozen=True, slots=True)
class Computed:
    """What the configuration's own code says for one device.

    Lines before and after the snippets, and whether those are sent; with a ``failure`` nothing is sent at all.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    standard: bool = True
    failure: str | None = None


@dataclass(frozen=True)
class Situation:
    """All that the answer to a poll depends on.

    ``device`` is what was remembered before the poll, None if nothing; ``now`` is aware. ``builds`` is what the master
    device runs, None if that is not known. ``computed`` is None where the configuration has no code of its own,
    ``restore`` where the device is not to fetch an earlier version of its configuration, ``enrolment`` where nobody has
    looked how the roll-out of its certificate stands. ``presumed`` is what is taken for granted of who the device is,
    None for what its certificate says. ``admission`` is the verdict on the device; one that need not exist is let in.
    ``redemption`` is what came of the code that it has shown, None without one.
    """

    snapshot: Snapshot
    caller: Caller
    now: datetime
    device: Device | None = None
    builds: Builds | None = None
    computed: Computed | None = None
    restore: Pending | None = None
    enrolment: Enrolment | None = None
    presumed: Identity | None = None
    admission: Admittance = Admittance.KNOWN
    redemption: Redemption | None = None

    @cached_property
    def identity(self) -> Identity:
        """Whether the request is known to come from the device that it names."""
        if self.presumed is not None:
            return self.presumed
        return identity_of(self.caller, self.policy, self.now)

    @property
    def refusal(self) -> str | None:
        """Why the device may not have what needs trust, None if it may."""
        return refusal(self.policy.transport, self.caller.endpoint.scheme, self.identity)

    @property
    def policy(self) -> Policy:
        """The policies of the snapshot."""
        return self.snapshot.policy

    @cached_property
    def known(self) -> KnownDevice:
        """What the configuration itself says of this device."""
        serial = self.caller.serial
        return self.snapshot.devices.get(serial.digits, _UNKNOWN) if serial else _UNKNOWN

    @cached_property
    def phase(self) -> str:
        """The phase the device is in: the first one if its URL names none, or one that does not exist."""
        named = self.caller.get("phase")
        phases = self.policy.staged_phases
        return named if named in phases else phases[0]

    @property
    def phase_is_unknown(self) -> bool:
        """Whether the update URL names a phase that does not exist."""
        return self.caller.get("phase") not in (None, "", self.phase)

    @cached_property
    def next_phase(self) -> str | None:
        """The phase after this one, None in the last."""
        phases = self.policy.staged_phases
        following = phases[phases.index(self.phase) + 1 :]
        return following[0] if following else None

    @property
    def phase_before(self) -> str | None:
        """The phase from which devices come into this one, None in the first."""
        phases = self.policy.staged_phases
        return next((before for before, phase in pairwise(phases) if phase == self.phase), None)

    @cached_property
    def asked_environments(self) -> tuple[str, ...]:
        """The environments that the configuration, else the update URL, names for this device, known or not."""
        named = self.known.environments if self.known.environments is not None else self.caller.environments
        return named if named is not None else (next(iter(self.policy.environments)),)

    @cached_property
    def unknown_environments(self) -> tuple[str, ...]:
        """The names among them that do not exist."""
        return tuple(name for name in self.asked_environments if name not in self.policy.environments)

    @cached_property
    def environments(self) -> tuple[str, ...]:
        """The known environments of this device with what they imply; the first of all if it names none that exists."""
        existing = [name for name in self.asked_environments if name in self.policy.environments]
        return self.policy.expanded(existing or [next(iter(self.policy.environments))])

    @cached_property
    def classes(self) -> tuple[DeviceClass, ...]:
        """The classes of this device in order of delivery, its model last."""
        return self.policy.classes_of(self.caller.model)

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """Its variables: those of its environments, the first one winning, and its own, which win over all."""
        variables: dict[str, str] = {}
        for name in reversed(self.environments):
            variables |= self.policy.environments[name].variables
        return {**variables, **self.known.variables}

    @property
    def snippets(self) -> tuple[Snippet, ...]:
        """The snippets for this device, in order; none if a template can't be filled in."""
        return self.filling.snippets

    @property
    def failure(self) -> str | None:
        """Why the device can't be sent anything for now, None if it can.

        To one that may not have what needs trust, this is not told.
        """
        if self.refusal is not None:
            return None
        if self.computed and self.computed.failure:
            return f"computed lines failed, so nothing is sent: {self.computed.failure}"
        return self.filling.failure and f"a template failed, so nothing is sent: {self.filling.failure}"

    @cached_property
    def filling(self) -> Filling:
        """The snippets for this device with the templates among them filled in."""
        selected, snapshot = self._selected, self.snapshot
        if all(snippet.template is None and snippet.seal is None for snippet in selected):
            return Filling(selected)
        return Content(
            self.variables,
            self._facts,
            self.secrets,
            snapshot.secret_names,
            snapshot.plain_names,
            snapshot.secrets.seal if snapshot.secrets else None,
            proved=self.identity.is_trusted,
        ).fill(selected)

    @property
    def secrets(self) -> Mapping[str, str]:
        """The secrets that this device may have: none unless it has proved who it is."""
        secrets, serial = self.snapshot.secrets, self.caller.serial
        if secrets is None or serial is None or not self.identity.is_trusted:
            return {}
        return secrets.of(self.environments, serial.digits)

    @property
    def _facts(self) -> Mapping[str, str | tuple[str, ...]]:
        """What templates may ask of the device."""
        facts = (
            *("" if self.caller.serial is None else str(self.caller.serial), self.caller.model),
            *(self.caller.get("hwid") or "", self.known.name or "", self.phase),
            *(self.environments, tuple(device_class.name for device_class in self.classes)),
        )
        return dict(zip(FACTS, facts, strict=True))

    @property
    def _selected(self) -> tuple[Snippet, ...]:
        """The snippets for this device as they are in the commit, in order."""
        if self.computed and not self.computed.standard:
            return ()
        return self.snapshot.select(*self._asked)

    @property
    def snippet_names(self) -> tuple[SnippetName, ...]:
        """The names of the snippets for this device in its phase, whether there are such snippets or not, in order."""
        return self.snapshot.names(*self._asked)

    @property
    def _asked(self) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """The phase, classes and places for which the device gets snippets."""
        last = self.policy.phases[-1]
        phase = last if self.phase == first_run(last) else self.phase
        classes = tuple(device_class.snippets for device_class in self.classes)
        return phase, classes, (self.caller.place, *self.environments)

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """What this device is asked: the queries that apply to it, and those that the roll-out needs to know of."""
        return tuple(
            query
            for query in self.policy.queries
            if query.id in self.policy.needed_queries or any(self.meets(condition) for condition in query.applies)
        )

    @cached_property
    def certificate_need(self) -> Need | None:
        """What the certificate of this device needs next, None where none is rolled out."""
        if not self.policy.certificates.enabled or self.enrolment is None:
            return None
        return need(self.enrolment, self.policy.certificates, self.now)

    @property
    def recognised(self) -> Recognised:
        """What the configuration makes of this device, as far as it is worth remembering."""
        return Recognised(
            self.environments,
            tuple(_cut(name) for name in self.unknown_environments[:_MOST_UNKNOWN]),
            tuple(device_class.name for device_class in self.classes),
            self.known.name,
            self.admission,
        )

    def meets(self, condition: Condition) -> bool:
        """Whether this device meets *condition*."""
        match condition:
            case Everyone():
                return True
            case InClass(name):
                return any(device_class.name == name for device_class in self.classes)
            case InEnvironment(name):
                return name in self.environments


def identity_of(caller: Caller, policy: Policy, now: datetime) -> Identity:
    """Return whether *caller* is known to be the device that it names, as *policy* wants that proved, at *now*."""
    if caller.endpoint.scheme != "https":
        return NOT_BY_HTTP
    return identify(caller.shown, caller.claim, policy.certificates, now)


@dataclass(frozen=True, slots=True)
class Basis:
    """What polls are answered from: what one commit says, and what else is known at the time.

    ``builds`` is what the master device runs, None if that is not known or nobody follows it. ``restores`` are what
    devices have yet to fetch, and ``decisions`` what people decided on some, by the digits of their serial numbers;
    None lets everybody in, for devices that need not exist.
    """

    snapshot: Snapshot
    builds: Builds | None = None
    restores: Mapping[str, Pending] = field(default_factory=dict)
    decisions: Mapping[str, Decision] | None = None

    def situation(
        self,
        caller: Caller,
        now: datetime,
        device: Device | None = None,
        *,
        admission: Admittance = Admittance.KNOWN,
        presumed: Identity | None = None,
    ) -> Situation:
        """Return the situation of *caller* at the time *now*, before anything is computed for it.

        *device* is what is remembered, None if nothing is or whoever needs it will look it up; *presumed* what is taken
        for granted of who it is.
        """
        restore = self.restores.get(caller.serial.digits) if caller.serial else None
        return Situation(
            *(self.snapshot, caller, now, device, self.builds),
            restore=restore,
            admission=admission,
            presumed=presumed,
        )

    def key(self, caller: Caller, identity: Identity) -> tuple[object, ...]:
        """Return what the answer to *caller* depends on, its admission and the time aside.

        Of serial number, hardware id and address that is only whether they are there, unless there is something for
        this very device: in the configuration, or to be restored. Of its certificate it is whether it speaks for the
        device.
        """
        digits = caller.serial.digits if caller.serial else ""
        named = digits in self.snapshot.named or digits in self.restores
        special = named or self.snapshot.is_personal or caller.place in self.snapshot.serial_places
        arguments = tuple(
            (name, None if name in _PERSONAL and not special else value) for name, value in caller.arguments.items()
        )
        return arguments, caller.endpoint, identity.is_trusted, identity.was_shown

    def verdict(self, caller: Caller, address: str | None, *, trusted: bool) -> Admittance:
        """Return the verdict on *caller*, who calls from *address*, and whether it is *trusted* to be who it is."""
        if self.decisions is None or not self.snapshot.policy.admission.accept:
            return self.verdict_on(caller.serial, _ANYBODY)  # however it appears: at each poll, this is worth it
        appearance = Appearance(caller.model or None, caller.get("hwid") or None, address, trusted=trusted)
        return self.verdict_on(caller.serial, appearance)

    def verdict_on(self, serial: Serial | None, appearance: Appearance) -> Admittance:
        """Return the verdict on the device with that *serial*, None if it has said none, that appears so."""
        if self.decisions is None:
            return Admittance.KNOWN
        digits = serial.digits if serial else ""
        known = digits in self.snapshot.devices
        verdict = admit(self.snapshot.policy.admission, appearance, known=known, decision=self.decisions.get(digits))
        # Who has not said its serial number may be known: only once it has can it be refused.
        return Admittance.QUARANTINED if serial is None and verdict is Admittance.REFUSED else verdict

    def identity(self, caller: Caller, now: datetime) -> Identity:
        """Return whether *caller* is known at *now* to be the device that it names."""
        return identity_of(caller, self.snapshot.policy, now)


_COMPARED = frozenset({"type", "PROT", "BOOT", "CHECK"})
_PERSONAL = frozenset(PLACEHOLDERS) - _COMPARED
"""Arguments whose values make no difference: a rewritten URL carries placeholders for them, or leaves them out."""

_ANYBODY = Appearance()
_LONGEST_ECHO = 60
_MOST_UNKNOWN = 10
_UNKNOWN = KnownDevice()


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"
