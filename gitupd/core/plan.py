"""What a device is told when it polls: a few small steps, each a generator of actions, in the order that devices need.

The order is part of the contract with the fleet: a backup shows the device as it was before anything else happens,
answers to queries are uploaded whatever the hour, and the time window stops the device before all that changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum, auto
from typing import TYPE_CHECKING

from gitupd.core.actions import Action, Compute, Confirmed, Deliver, Do, Enrolled, InPhase, Restoring, Say, Warn
from gitupd.core.admission.admittance import Admittance
from gitupd.core.admission.codes import Redemption
from gitupd.core.certificates.commands import stage_commands
from gitupd.core.certificates.rollout import COMMANDING, Stage
from gitupd.core.concealing import HIDDEN
from gitupd.core.endpoint import quoted
from gitupd.core.firmware import upgrade
from gitupd.core.identity import remarks
from gitupd.core.situation import _LONGEST_ECHO, _MOST_UNKNOWN, Computed, Situation
from gitupd.core.snapshot import check_serial
from gitupd.core.url import POLL_SLOWLY, fast_polling, poll_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.policy import Transport


class Next(Enum):
    """Whether the steps behind one go on."""

    GO_ON = auto()
    STOP = auto()


Step = Callable[[Situation], Generator[Action, None, Next]]


_REDEMPTIONS = {
    Redemption.ACCEPTED: "the code is good: this device is accepted",
    Redemption.WRONG: "the code is not good: it is unknown, expired, revoked, or was used by another device",
    Redemption.SLOWED: "the code was not looked at: too many wrong ones came from this address; try again later",
    Redemption.NAMELESS: "a code counts only in an update URL that says sn=#m, too; enter it once more so",
}


def greet(s: Situation) -> Generator[Action, None, Next]:
    """Name the commit, say for whom the certificate speaks that was shown, and what is odd about the request."""
    yield Say(f"gitupd {s.snapshot.commit}")
    if not s.caller.missing:
        yield from remarks(s.identity)
    if s.redemption is not None:
        yield Say(_REDEMPTIONS[s.redemption])
    if not s.admission.is_let_in:
        return Next.GO_ON  # nor is it told which environments and phases there are
    for name in s.unknown_environments[:_MOST_UNKNOWN]:
        yield Warn(f"environment {_excerpt(name)} does not exist, and is ignored")
    if more := len(s.unknown_environments[_MOST_UNKNOWN:]):
        yield Warn(f"of {more:,} more names of environments none exists, and all are ignored")
    if s.phase_is_unknown:
        yield Warn(f"phase {_excerpt(s.caller.get('phase') or '')} does not exist; starting over with {s.phase!r}")
    return Next.GO_ON


def _excerpt(text: str) -> str:
    """Return what a request says, short enough to be stored."""
    return repr(text) if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]!r}…"


def stop_at_the_door(s: Situation) -> Generator[Action, None, Next]:
    """Give a device that is not let in no more than what makes it recognisable: a whole update URL, by HTTPS if so."""
    if s.admission.is_let_in:
        return Next.GO_ON
    if s.admission is Admittance.REFUSED:
        yield Say("refused: this device is not served here")
        return Next.STOP
    # It keeps its pace, and is told no phase: it may wait here for days, or for ever.
    if is_to_move(s) and not s.caller.missing:
        yield Say(f"HTTPS on port {_https_port(s.policy.transport)} is required")
        yield from poll_url(s.caller, s.policy.delivery, polling=None, phase=None, secure=s.policy.transport)
    else:
        yield from poll_url(s.caller, s.policy.delivery, polling=None, phase=None, first_contact=True)
    yield Say("quarantined: nobody has accepted this device yet, so it gets nothing, and nothing of it is taken")
    yield Say("an administrator accepts it on the page Devices, or by: gitupd accept SERIAL-NUMBER")
    return Next.STOP


def complete(s: Situation) -> Generator[Action, None, Next]:
    """Give a device that does not say who it is the arguments to say so; it gets nothing else."""
    if not s.caller.missing:
        return Next.GO_ON
    # The first contact keeps the scheme it came by, also where HTTPS is required (recordings 120, 134).
    yield from poll_url(
        s.caller,
        s.policy.delivery,
        polling=fast_polling(s.policy.delivery) if s.caller.get("polling") is None else None,
        phase=s.policy.staged_phases[0] if s.caller.get("phase") is None else None,
        first_contact=True,
    )
    return Next.STOP


def describe(s: Situation) -> Generator[Action, None, Next]:
    """Say what the device is taken for; if its computed lines or a template failed, leave it at that."""
    # Who does not prove that it is the device has not shown either that this has executed what it was sent before.
    yield InPhase(s.phase, s.phase_before if s.refusal is None else None)
    classes = " ".join(device_class.name for device_class in s.classes)
    yield Say(f"phase {s.phase}, environments {' '.join(s.environments)}, classes {classes}")
    if s.failure is not None:
        yield Warn(s.failure)
        return Next.STOP
    return Next.GO_ON


def backup(s: Situation) -> Generator[Action, None, Next]:
    """Have the device upload its configuration, unless that would go unencrypted where HTTPS is required."""
    if not s.policy.backup.enabled:
        return Next.GO_ON
    transport = s.policy.transport
    if s.caller.endpoint.scheme != "https" and (transport.https == "required" or transport.wants_certificate):
        what = "HTTPS" if transport.https == "required" else "a client certificate"
        yield Say(f"no backup by HTTP, for {what} is required")  # queries still go by HTTP (recording 120)
        return Next.GO_ON
    # Without "ser", so at every poll and whatever CHECK says: a change at the device itself is not to wait for one of
    # ours (recording 140).
    yield Do(f"mod cmd UP0 scfg {s.caller.endpoint.full(s.policy.backup.upload_url)}")
    return Next.GO_ON


def queries(s: Situation) -> Generator[Action, None, Next]:
    """Have the device upload its answer to each query that applies to it."""
    url = s.caller.endpoint.full(s.policy.queries_url)
    for query in s.queries:
        # "ser nop /always": the device keeps no serial of it, and answers at every poll (recording 150).
        yield Do(f"mod cmd UP0 scfg {url}&id={quoted(query.id)} ser nop /always {quoted(query.command)}")
    return Next.GO_ON


def times(s: Situation) -> Generator[Action, None, Next]:
    """Have the device stop here outside its time window; staging need not wait for it."""
    window = s.policy.delivery.window
    if window is None:
        return Next.GO_ON
    # A new device may have no time yet, and would wait for the night (recordings 110, 112).
    staging = s.next_phase is not None and s.policy.delivery.staging_ignores_window
    options = ""
    if window.hours is not None and not staging:
        options += f" /allow {','.join(window.hours)}"
    if window.initial_minutes is not None:
        options += f" /initial {window.initial_minutes}"
    if options:
        yield Do(f"mod cmd UP1 times {options}")
    return Next.GO_ON


def firmware(s: Situation) -> Generator[Action, None, Next]:
    """Bring firmware and boot code to the wanted builds; the restart may wait until the device is idle."""
    # All conditions must be met (recording 092), and a fitting CHECK does not matter: builds are asked for until the
    # device reports them (recordings 219, 233).
    policy = s.policy.firmware
    if s.refusal is not None and policy.holds_secret:
        yield Say("no firmware, for its address holds a secret, and the device lacks the trust that is required")
    elif all(s.meets(condition) for condition in policy.applies):
        yield from upgrade(s.caller, policy, s.builds)
    return Next.GO_ON


def look_again(s: Situation) -> Generator[Action, None, Next]:
    """After a step of the roll-out, ask a device how it stands, and nothing else.

    What it has reported so far is from before that step.
    """
    required = s.certificate_need
    if required is None or required.stage is not Stage.LOOK_AGAIN:
        return Next.GO_ON
    yield Enrolled(required)
    yield Say(f"certificate: {required.reason}")
    yield from queries(s)
    return Next.STOP


def certify(s: Situation) -> Generator[Action, None, Next]:
    """Bring the device to a certificate of the organisation's authority, a step at a poll."""
    required = s.certificate_need
    if required is None or _is_still_open(s):
        return Next.GO_ON
    yield Enrolled(required)
    yield (Warn if required.stage is Stage.FAILED else Say)(f"certificate: {required.reason}")
    holds = required.waits and (s.policy.certificates.hold or s.policy.transport.wants_certificate)
    if required.stage not in COMMANDING and not holds:
        return Next.GO_ON
    yield from stage_commands(s, required.stage)
    if not (yield from poll_url(s.caller, s.policy.delivery, polling=fast_polling(s.policy.delivery), phase=None)):
        yield Do("config write")
        yield Do("config activate")
    yield Do("iresetn")
    return Next.STOP


def _is_still_open(s: Situation) -> bool:
    """Whether the device has yet to go to HTTPS, without which nothing is taken from it."""
    return s.policy.transport.https == "required" and s.caller.endpoint.scheme != "https"


def secure(s: Situation) -> Generator[Action, None, Next]:
    """Where HTTPS or a client certificate is required, send a device without it no further than there."""
    transport = s.policy.transport
    if transport.https != "required":
        return (yield from _trust(s))
    if is_to_move(s):
        yield Say(f"HTTPS on port {_https_port(transport)} is required")
        yield from poll_url(
            s.caller, s.policy.delivery, polling=fast_polling(s.policy.delivery), phase=None, secure=transport
        )
        return Next.STOP
    return (yield from _trust(s))


def _trust(s: Situation) -> Generator[Action, None, Next]:
    """Go no further where a client certificate is required, and none was shown that speaks for the device."""
    if s.refusal is None:
        return Next.GO_ON
    if s.identity.was_shown:
        yield Say("a client certificate is required, and the one that was shown is not trusted")
    else:
        yield Warn(f"a client certificate is required; {s.identity.reason}")
    return Next.STOP


def _https_port(transport: Transport) -> int:
    return transport.https_port or 443


def is_to_move(s: Situation) -> bool:
    """Whether HTTPS is required, and the device comes otherwise, or by another port than that."""
    transport, endpoint = s.policy.transport, s.caller.endpoint
    # the exact port: another one is corrected (recordings 124, 125)
    wanted = ("https", _https_port(transport))
    return transport.https == "required" and (endpoint.scheme, endpoint.port) != wanted


def restore(s: Situation) -> Generator[Action, None, Next]:
    """Have the device execute an earlier version of its configuration, if an operator asked for that.

    Nothing follows in the same script, so that what the device uploads next shows what came of this and of nothing
    else. The serial keeps it from executing the version twice, even if the server forgets that it was fetched.
    """
    if s.restore is None or s.caller.get("CFG") == s.restore.guard:
        return Next.GO_ON
    yield Say(f"restore {s.restore.id}: an earlier configuration comes first, all else with the next poll")
    yield Do(f"mod cmd UP0 cfg {s.caller.endpoint.full(f'restore/{s.restore.token}')} iresetn {s.restore.guard}")
    yield Restoring(s.restore.id)
    return Next.STOP


def configure(s: Situation) -> Generator[Action, None, Next]:
    """Deliver snippets and computed lines, unless the device has executed them, and move it to its next phase."""
    computed = s.computed or Computed()
    check = _check_to_store(s, computed)
    # Compared letter by letter, with or without a phase in the URL (recordings 070, 075).
    if check is not None and s.caller.get("CHECK") == check:
        yield Confirmed(check)
        yield Say(f"the device has executed this already, CHECK is {check}")
        yield from _move_on(s)
        return Next.STOP
    if check == HIDDEN:
        yield Say("CHECK is unknown: there is no key here for what is encrypted")
    for path in s.filling.withheld:
        yield Say(f"left out until the device proves who it is by a client certificate: {path}")
    yield from map(Compute, computed.before)
    for snippet in s.snippets:
        yield Say(f"from {snippet.path}{snippet.note}")
        yield Deliver(snippet)
    yield from map(Compute, computed.after)
    if not (yield from _move_on(s)):  # a new URL is followed by the same two commands already
        yield Do("config write")
        yield Do("config activate")
    if check is not None:
        yield Do(f"mod cmd UP1 check ser {check}")
    yield Do("iresetn")
    return Next.STOP


def _check_to_store(s: Situation, computed: Computed) -> str | None:
    """Return the CHECK serial of the last phase, None if none is used: earlier phases repeat until they are left.

    Of what is encrypted and can't be opened, as by none who serves devices, it is not known.
    """
    if s.next_phase is not None or not s.policy.delivery.check:  # recording 074
        return None
    if s.filling.unknown:
        return HIDDEN
    return check_serial(computed.before, s.snippets, computed.after)


def _move_on(s: Situation) -> Generator[Action, None, bool]:
    delivery = s.policy.delivery
    phase = s.phase if s.phase_is_unknown else s.next_phase
    polling = POLL_SLOWLY if s.next_phase is None else fast_polling(delivery)
    return (yield from poll_url(s.caller, delivery, polling=polling, phase=phase))


STEPS: tuple[Step, ...] = (
    *(greet, stop_at_the_door, complete, describe, look_again),
    *(backup, queries, times, firmware, certify, secure, restore, configure),
)


def plan(s: Situation) -> Iterator[Action]:
    """Yield the actions that answer a poll, in order; ``script`` turns them into the text the device executes."""
    for step in STEPS:
        if (yield from step(s)) is Next.STOP:
            return
