"""What a server would answer to a poll that nobody makes: the one way in which commands, pages and tests find out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitupd.config.schema import suggestion
from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import parse_caller, parse_serial
from gitupd.core.device import Device
from gitupd.core.imagined import SOMEWHERE, ImaginedPoll
from gitupd.core.names import fold
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.answers import UnusableAnswer, answered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from gitupd.core.answers import AnsweredQuery, QueryAnswer
    from gitupd.core.caller import Caller, Request, Serial
    from gitupd.core.endpoint import Endpoint
    from gitupd.core.identity import Identity
    from gitupd.core.imagined import ImaginedDevice
    from gitupd.core.situation import Basis
    from gitupd.service.scripting.computing import Computing

_LARGEST = 2 * 2**20
_MOST_LINES = 50_000


@dataclass(frozen=True, slots=True)
class Slip:
    """A name that the configuration does not know: in which ``field`` of the update URL, and what it may have meant.

    ``text`` begins with a small letter, and has no full stop.
    """

    field: Literal["type", "phase", "env"]
    text: str


@dataclass(frozen=True, slots=True)
class Imagining:
    """What polls that nobody makes are answered from, and when.

    ``reached`` is where whoever asks has reached the server, and imagined devices call if nothing else is said of them.
    Lines that the configuration's own code computes come from ``computing``; None leaves them out.
    """

    basis: Basis
    now: datetime
    computing: Computing | None = None
    reached: Endpoint = SOMEWHERE

    def check(self, device: ImaginedDevice) -> None:
        """Raise GitupdError if *device* names a phase or an environment that the configuration does not have.

        A server answers such a device all the same; of one that is made up, it is a slip.
        """
        for slip in self.slips(device):
            if slip.field != "type":
                raise GitupdError(slip.text)

    def slips(self, device: ImaginedDevice) -> tuple[Slip, ...]:
        """Return what of *device* the configuration does not know: its model, its phase, each of its environments.

        A model that no class has may be a new one, which gets what is for all.
        """
        policy, found = self.basis.snapshot.policy, []
        if doubt := self._doubt(device.model):
            found.append(Slip("type", doubt))
        if device.phase and device.phase not in policy.staged_phases:
            text = f"unknown phase {device.phase!r}; {suggestion(device.phase, policy.staged_phases)}"
            found.append(Slip("phase", text))
        for name in dict.fromkeys(filter(None, (device.environments or "").split(","))):
            if name not in policy.environments:
                guess = suggestion(name, policy.environments, told=len(found))
                found.append(Slip("env", f"unknown environment {name!r}{guess and f'; {guess}'}"))
        return tuple(found)

    def _doubt(self, model: str) -> str | None:
        policy, folded = self.basis.snapshot.policy, fold(model)
        models = {each for device_class in policy.classes for each in device_class.models}
        exempt = {*policy.firmware.no_firmware, *policy.firmware.no_bootcode}
        if folded in models | exempt:
            return None
        guess = suggestion(folded, sorted(models))
        return f"no class has the model {model!r}, which gets what is for all{guess and f'; {guess}'}"

    def poll(self, device: ImaginedDevice, answers: Mapping[str, bytes] | None = None) -> ImaginedPoll:
        """Return the poll of *device*, which has uploaded *answers*, by the ids of queries.

        With *answers* None it is asked what is remembered of a device with this serial number, if there is any. Raises
        MalformedRequest for what no device says, or is asked.
        """
        transport = self.basis.snapshot.policy.transport
        caller = device.caller(transport, self.reached)
        identity = device.identity(transport, caller)
        if answers is None and device.name is None:
            return self._poll(caller, identity)
        serial = parse_serial(device.serial)
        uploads = tuple(self._uploads(serial, answers or {}))
        own_name = next((upload.own_name for upload in uploads if upload.own_name), None)
        remembered = Device(serial, own_name=device.name or own_name)
        return self._poll(caller, identity, remembered, tuple(upload.answer for upload in uploads))

    def _uploads(self, serial: Serial, answers: Mapping[str, bytes]) -> Iterator[AnsweredQuery]:
        queries = [query.id for query in self.basis.snapshot.policy.queries]
        for query, body in sorted(answers.items()):
            if query not in queries:
                raise MalformedRequest(f"there is no query {query!r}, only {', '.join(queries)}")
            try:
                yield answered(serial, query, body, self.now)
            except UnusableAnswer as error:
                raise MalformedRequest(f"the answer to the query {query!r} can't be used: {error}") from error

    def again(self, request: Request, device: Device) -> ImaginedPoll:
        """Return the poll of *device*, as it is remembered, if it says what *request* says, and proves the same.

        Raises MalformedRequest for a request of which an earlier version let through what is refused now.
        """
        caller = parse_caller(request.arguments, request.endpoint)
        # If a rule let it in, then by what it said or showed: it would again.
        trusted = device.admission is Admittance.BY_RULE
        admission = self.basis.verdict(caller, device.address, trusted=trusted)
        identity = device.identity if caller.endpoint.scheme == "https" else None
        return self._poll(caller, identity, device, admission=admission)

    def _poll(
        self,
        caller: Caller,
        identity: Identity | None,
        device: Device | None = None,
        answers: Sequence[QueryAnswer] | None = None,
        admission: Admittance = Admittance.KNOWN,
    ) -> ImaginedPoll:
        situation = self.basis.situation(caller, self.now, device, admission=admission, presumed=identity)
        if not admission.is_let_in:
            return ImaginedPoll(situation)
        if self.computing is not None:
            return ImaginedPoll(self.computing.completed(situation, answers))
        leaves_out = situation.snapshot.scripting is not None and not caller.missing
        return ImaginedPoll(situation, "Lines computed by scripting.py are left out here." if leaves_out else None)


def of_readable_size(poll: ImaginedPoll) -> ImaginedPoll:
    """Return *poll*; raises GitupdError if its script is larger than can be shown, before it is made."""
    snippets = poll.situation.snippets
    size = sum(len(snippet.content) for snippet in snippets)
    count = sum(snippet.content.count(b"\n") for snippet in snippets)
    if size > _LARGEST or count > _MOST_LINES:
        raise GitupdError(
            f"a script of {size:,} bytes and {count:,} lines is more than a page can show; gitupd render prints it"
        )
    return poll
