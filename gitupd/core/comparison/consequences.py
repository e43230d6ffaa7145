"""What a change of its script means for a device: a closed set of values, in the order in which they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitupd.core.actions import FirmwareRequested
from gitupd.core.outlook import ANY_HOUR, hours_in_words
from gitupd.core.plan import is_to_move
from gitupd.core.url import firmware_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitupd.core.comparison.rendering import Rendering
    from gitupd.core.situation import Situation

    FindFirmware = Callable[[str, str], bool]
    """Whether the file of a build is on the server, by build and name."""

_HALF = 2
_SERVED = "fw/{build}/"


@dataclass(frozen=True, slots=True)
class ShutOut:
    """The device is no longer let in, so it gets nothing."""


@dataclass(frozen=True, slots=True)
class LetIn:
    """The device is let in, and was not."""


@dataclass(frozen=True, slots=True)
class HttpsDemanded:
    """The device is sent to HTTPS on this port, and gets all else once it is there."""

    port: int


@dataclass(frozen=True, slots=True)
class CertificateDemanded:
    """The device lacks the client certificate that is required."""


@dataclass(frozen=True, slots=True)
class CertificateRolledOut:
    """A certificate is rolled out to the device."""


@dataclass(frozen=True, slots=True)
class Failing:
    """Lines can't be made for the device, so it is sent nothing; ``reason`` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class GetsNothing:
    """No line of a snippet is left, nor a computed one."""


@dataclass(frozen=True, slots=True)
class LosesMost:
    """Of ``before`` commands only ``after`` are left, less than half."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class InOtherPhase:
    """The device counts as in another phase."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MovesOn:
    """The device goes on to another phase than it did; None for no further one."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Loads:
    """The device loads a build; ``before`` is what it runs, None if it does not say.

    ``present`` is whether the file is on the server, None where that is not known.
    """

    what: Literal["firmware", "boot code"]
    before: str | None
    after: str
    present: bool | None = None


@dataclass(frozen=True, slots=True)
class LoadsNoMore:
    """The device would have loaded a build, and does not any more."""

    what: Literal["firmware", "boot code"]
    build: str


@dataclass(frozen=True, slots=True)
class ExecutedAgain:
    """The device has executed all of it, and executes everything again."""


@dataclass(frozen=True, slots=True)
class NotExecuted:
    """The device had yet to execute something, and has not any more: it has executed exactly this before."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """The device restarts once it is idle, and would not have; ``why`` is what needs that."""

    why: Literal["firmware", "variables", "command"]


@dataclass(frozen=True, slots=True)
class EveryPoll:
    """All of it is executed at every poll, for CHECK is not used any more."""


@dataclass(frozen=True, slots=True)
class OnceOnly:
    """All of it is executed once, for CHECK is used from now on."""


@dataclass(frozen=True, slots=True)
class OnlyWithin:
    """What changes the device waits for a time window, by the device's own clock."""

    hours: str


@dataclass(frozen=True, slots=True)
class PollsOtherwise:
    """The device is told another address, phase or pace for its next polls."""


Consequence = (
    ShutOut
    | LetIn
    | HttpsDemanded
    | CertificateDemanded
    | CertificateRolledOut
    | Failing
    | GetsNothing
    | LosesMost
    | InOtherPhase
    | MovesOn
    | Loads
    | LoadsNoMore
    | ExecutedAgain
    | NotExecuted
    | Restarts
    | EveryPoll
    | OnceOnly
    | OnlyWithin
    | PollsOtherwise
)


def consequences(base: Rendering, head: Rendering, firmware: FindFirmware | None = None) -> tuple[Consequence, ...]:
    """Return what it means for a device to get *head* rather than *base*.

    *firmware* tells whether a file of firmware is on the server; None where nobody knows.
    """
    loads = tuple(_loads(base, head, firmware))
    return (
        *_demands(base.situation, head.situation),
        *_less(base, head),
        *_phases(base.situation, head.situation),
        *loads,
        *_executions(base, head),
        *_restarts(base, head, loads),
        *_checks(base, head),
        *_window(head),
        *([PollsOtherwise()] if base.onward != head.onward and not _is_sent_elsewhere(base, head) else []),
    )


def _demands(base: Situation, head: Situation) -> Iterator[Consequence]:
    if base.admission.is_let_in != head.admission.is_let_in:
        yield LetIn() if head.admission.is_let_in else ShutOut()
    if not head.admission.is_let_in:
        return
    if is_to_move(head) and not is_to_move(base):
        yield HttpsDemanded(head.policy.transport.https_port or 443)
    if _lacks_certificate(head) and not _lacks_certificate(base):
        yield CertificateDemanded()
    if head.policy.certificates.enabled and not base.policy.certificates.enabled:
        yield CertificateRolledOut()


def _lacks_certificate(situation: Situation) -> bool:
    return situation.policy.transport.wants_certificate and not situation.identity.is_trusted


def _is_sent_elsewhere(base: Rendering, head: Rendering) -> bool:
    """Whether the next address differs because the device stands elsewhere, so that it is told already."""
    return _stands(base) != _stands(head)


def _stands(rendering: Rendering) -> tuple[object, ...]:
    situation = rendering.situation
    stops = situation.refusal is None, rendering.failure is None
    phases = () if situation.caller.missing else (situation.phase, situation.next_phase)
    return situation.admission.is_let_in, is_to_move(situation), *phases, *stops


def _less(base: Rendering, head: Rendering) -> Iterator[Consequence]:
    failure, failed_before = head.failure, base.failure
    if failure is not None and failure != failed_before:
        yield Failing(failure)
    if not gets_all(head):
        return
    if base.size and not head.size:
        yield GetsNothing()
    elif head.size * _HALF < base.size:
        yield LosesMost(base.size, head.size)


def gets_all(rendering: Rendering) -> bool:
    """Whether a device gets all that is for it, and nothing keeps it from that for now."""
    situation = rendering.situation
    return rendering.failure is None and not is_to_move(situation) and situation.admission.is_let_in


def lost(base: Rendering, head: Rendering) -> int:
    """Return how many per cent of its commands a device loses that gets *head* rather than *base*, rounded down.

    It is 100 if none is left, and 0 if as many come as go, or if something else keeps the device from its commands.
    """
    if not base.size or not gets_all(head):
        return 0
    return max(0, (base.size - head.size) * 100 // base.size)


def _phases(base: Situation, head: Situation) -> Iterator[Consequence]:
    if not (base.admission.is_let_in and head.admission.is_let_in) or head.caller.missing:
        return
    if base.phase != head.phase:
        yield InOtherPhase(base.phase, head.phase)
    if base.next_phase != head.next_phase:
        yield MovesOn(base.next_phase, head.next_phase)


def _loads(base: Rendering, head: Rendering, firmware: FindFirmware | None) -> Iterator[Loads | LoadsNoMore]:
    caller = head.situation.caller
    for action in head.builds:
        if action not in base.builds:
            filetype = "prot" if isinstance(action, FirmwareRequested) else "boot"
            present = _is_present(head.situation, action.build, filetype, firmware)
            what: Literal["firmware", "boot code"] = "firmware" if filetype == "prot" else "boot code"
            yield Loads(what, caller.get(filetype.upper()), action.build, present)
    kinds = {type(action) for action in head.builds}
    for action in base.builds:
        if type(action) not in kinds:
            yield LoadsNoMore("firmware" if isinstance(action, FirmwareRequested) else "boot code", action.build)


def _is_present(situation: Situation, build: str, filetype: str, firmware: FindFirmware | None) -> bool | None:
    policy = situation.policy.firmware
    if firmware is None or not policy.storage.removeprefix("/").startswith(_SERVED):
        return None
    return firmware(build, firmware_file(policy, situation.caller.model, filetype))


def _executions(base: Rendering, head: Rendering) -> Iterator[Consequence]:
    if base.is_executed and not head.is_executed and head.executed:
        yield ExecutedAgain()
    if head.is_executed and not base.is_executed:
        yield NotExecuted()


def _restarts(base: Rendering, head: Rendering, loads: Sequence[Loads | LoadsNoMore]) -> Iterator[Consequence]:
    if base.builds or _why_restarted(base.executed) is not None:
        return
    if any(isinstance(load, Loads) and load.present is not False for load in loads):
        yield Restarts("firmware")
    elif (why := _why_restarted(head.executed)) is not None:
        yield Restarts(why)


def _why_restarted(commands: Sequence[bytes]) -> Literal["firmware", "variables", "command"] | None:
    """Return what of *commands* has a device restart, None if nothing does."""
    if any(command in (b"reset", b"ireset") for command in commands):
        return "command"
    if any(command.startswith((b"mod cmd UP0 prot ", b"mod cmd UP0 boot ")) for command in commands):
        return "firmware"
    return "variables" if any(command.startswith(b"vars create ") for command in commands) else None


def _checks(base: Rendering, head: Rendering) -> Iterator[Consequence]:
    if base.size and head.size and base.situation.next_phase == head.situation.next_phase:
        if base.check is not None and head.check is None:
            yield EveryPoll()
        if base.check is None and head.check is not None:
            yield OnceOnly()


def _window(head: Rendering) -> Iterator[Consequence]:
    situation = head.situation
    window = situation.policy.delivery.window
    staging = situation.next_phase is not None and situation.policy.delivery.staging_ignores_window
    if window is None or window.hours is None or staging:
        return
    hours = hours_in_words(window)
    if (head.executed or head.builds) and hours != ANY_HOUR:
        yield OnlyWithin(hours)
