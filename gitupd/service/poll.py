"""Answering a poll: look, decide, write down, return."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gitupd.core.actions import Confirmed, Do, Enrolled, Restoring, Say, script
from gitupd.core.admission.admittance import Admittance
from gitupd.core.admission.codes import Redemption
from gitupd.core.certificates.rollout import COMMANDING
from gitupd.core.identity import Identity, remarks
from gitupd.core.plan import plan
from gitupd.service.sightings import Answer, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.actions import Action
    from gitupd.core.caller import Caller, Origin
    from gitupd.core.situation import Situation
    from gitupd.service.admission.codes import Redeeming
    from gitupd.service.certificates.enrolling import DeviceEnrolment, Enrolling
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.scripting.computing import Computing
    from gitupd.service.sightings import Sightings

_KEPT_ANSWERS = 2_000
_LONGEST_KEPT = 1_000
_LARGEST_KEPT = 16 * 2**20
_LINE_END = b"\r\n"
_END = Do("iresetn")  # the last line of every script with snippets
NOTHING_DEPLOYED = b"# gitupd: nothing is deployed yet, so there is nothing to do\r\n"


class Poll:
    """The use case of a worker: one device asks, and gets its script."""

    def __init__(
        self,
        follower: Follower,
        sightings: Sightings,
        computing: Computing,
        redeeming: Redeeming,
        enrolling: Enrolling,
    ) -> None:
        """Answer from what *follower* knows; note down to *sightings*; compute lines by *computing*.

        One-time codes are looked at by *redeeming*; how roll-outs of certificates stand is known to *enrolling*.
        """
        self._enrolling = enrolling
        self._follower = follower
        self._sightings = sightings
        self._computing, self._redeeming = computing, redeeming
        self._answers = _Answers()

    @property
    def live(self) -> Live | None:
        """What is delivered now, None if nothing was deployed yet; a poll takes it once and is answered from it."""
        return self._follower.live

    def answer(self, live: Live, caller: Caller, now: datetime, origin: Origin) -> Answer:
        """Return what *caller*, who calls from *origin*, gets from *live*, and note down that it was sent.

        Takes as long as the configuration's own code is allowed to run, if there is any, and as the database takes to
        look for a one-time code, and for how far a certificate is rolled out. Raises GitupdError if what a later step
        depends on can't be written down.
        """
        identity, verdict = _judged(live, caller, now, origin)
        if (kept := self._kept(live, caller, identity, verdict)) is not None:
            self._sightings.add(caller, origin, kept, now, identity)
            return _to_one(kept, caller, identity)
        situation = _situation(live, caller, identity, verdict, now=now)
        if caller.code is not None and situation.admission.is_unknown:
            situation = self._redeemed(situation, caller.code, origin)
        device = self._enrolment(situation, origin, identity)
        answer = self._answer(live, _enrolled(situation, device), identity)
        self._note(device, answer, now)
        self._sightings.add(situation.caller, origin, answer, now, identity)
        return _to_one(answer, caller, identity)

    def preview(self, live: Live, caller: Caller, now: datetime, origin: Origin) -> Answer:
        """Return what *caller* would get from *live*; takes as long as :meth:`answer`, and nothing is noted down."""
        identity, verdict = _judged(live, caller, now, origin)
        situation = _situation(live, caller, identity, verdict, now=now)
        situation = _enrolled(situation, self._enrolment(situation, origin, identity))
        return _to_one(self._answer(live, situation, identity), caller, identity)

    def _redeemed(self, situation: Situation, code: str, origin: Origin) -> Situation:
        """Return *situation* after the device has shown *code*."""
        caller = situation.caller
        redemption = self._redeeming.redeem(code, caller.serial, origin.address, situation.now)
        if redemption is Redemption.ACCEPTED:
            situation = replace(situation, admission=Admittance.ACCEPTED)
        elif redemption is Redemption.SLOWED:  # it keeps the code, and shows it again
            situation = replace(situation, caller=replace(caller, code=None))
        return replace(situation, redemption=redemption)

    def _enrolment(self, situation: Situation, origin: Origin, identity: Identity) -> DeviceEnrolment | None:
        """Return how the roll-out of its certificate stands for a device, None where none is rolled out to it."""
        policy, caller = situation.policy.certificates, situation.caller
        if not policy.enabled or caller.serial is None or caller.missing or not situation.admission.is_let_in:
            return None
        return self._enrolling.look(caller.serial, caller, origin, identity, policy)

    def _note(self, device: DeviceEnrolment | None, answer: Answer, now: datetime) -> None:
        """Write down at which stage of its roll-out *device* was answered, before it gets the answer."""
        for fact in answer.facts:
            if device is not None and isinstance(fact, Enrolled):
                self._enrolling.note(device, fact.need, now)

    def _answer(self, live: Live, situation: Situation, identity: Identity) -> Answer:
        """Return the answer to *situation*, but for what is said of the certificate."""
        has_code = live.snapshot.scripting is not None and situation.admission.is_let_in
        if has_code or situation.enrolment is not None:
            computed = self._computing.completed(replace(situation, presumed=identity)).computed
            return render(replace(situation, computed=computed))
        return self._shared(live, situation, identity)

    def _kept(self, live: Live, caller: Caller, identity: Identity, verdict: Admittance) -> Answer | None:
        """Return the answer that is the usual one in the situation of *caller*, None if it has to be made.

        Without making a situation first, which takes longer than to find the answer.
        """
        policy, is_let_in = live.snapshot.policy, verdict.is_let_in
        if caller.code is not None or (
            is_let_in and (live.snapshot.scripting is not None or policy.certificates.enabled)
        ):
            return None
        return self._answers.get(live, (*live.key(caller, identity), verdict, None, True))

    def _shared(self, live: Live, situation: Situation, identity: Identity) -> Answer:
        """Return the answer that all devices in the same situation share, rendered once."""
        caller = situation.caller
        admission = situation.admission, situation.redemption, caller.code is None
        key = (*live.key(caller, identity), *admission)
        answer = self._answers.get(live, key)
        if answer is None:
            answer = render(situation)
            if sum(map(len, caller.arguments.values())) < _LONGEST_KEPT:
                self._answers.keep(key, answer)
        return answer


def _judged(live: Live, caller: Caller, now: datetime, origin: Origin) -> tuple[Identity, Admittance]:
    """Return whether *caller* is known to be who it is, and whether it is let in."""
    identity = live.identity(caller, now)
    return identity, live.verdict(caller, origin.address, trusted=identity.is_trusted)


def _situation(live: Live, caller: Caller, identity: Identity, verdict: Admittance, *, now: datetime) -> Situation:
    """Return the situation of *caller*, in which nothing but its arguments tells it from others that stand the same."""
    return live.situation(caller, now, admission=verdict, presumed=identity.without_name())


def _to_one(answer: Answer, caller: Caller, identity: Identity) -> Answer:
    """Return *answer* as *caller* gets it: what is said of its certificate follows the line that names the commit."""
    if caller.missing or not identity.was_shown:
        return answer
    commit, end, rest = answer.body.partition(_LINE_END)
    return answer._replace(
        body=b"".join((commit, end, _remarks(identity.reason, is_trusted=identity.is_trusted), rest))
    )


@lru_cache(maxsize=4096)
def _remarks(reason: str, *, is_trusted: bool) -> bytes:
    """Return what is said of a certificate, which is the same at each poll of most devices."""
    return script(remarks(Identity(is_trusted=is_trusted, reason=reason)))


def render(situation: Situation) -> Answer:
    """Return the answer to *situation*."""
    actions = tuple(plan(situation))
    facts = tuple(action for action in actions if not isinstance(action, Say | Do))
    outcome = _outcome(situation, actions)
    return Answer(script(actions), facts, situation.snapshot.commit, situation.recognised, outcome)


def _outcome(situation: Situation, actions: Sequence[Action]) -> Outcome:
    if not situation.admission.is_let_in:
        return Outcome.OUTSIDE
    if situation.caller.missing:
        return Outcome.COMPLETED
    if situation.failure is not None:
        return Outcome.FAILED
    if any(isinstance(action, Confirmed) for action in actions):
        return Outcome.CONFIRMED
    if actions[-1] == _END and any(_tells(action) for action in actions):
        return Outcome.ENROLLED
    return Outcome.DELIVERED if actions[-1] == _END or isinstance(actions[-1], Restoring) else Outcome.HELD


def _enrolled(situation: Situation, device: DeviceEnrolment | None) -> Situation:
    """Return *situation* with how the roll-out to *device* stands."""
    return situation if device is None else replace(situation, enrolment=device.enrolment)


def _tells(action: Action) -> bool:
    """Whether *action* is a step of the roll-out that a device is told, and all that it is told."""
    return isinstance(action, Enrolled) and action.need.stage in COMMANDING


class _Answers:
    """The answers of one deployment that were given last."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._by_key: OrderedDict[tuple[object, ...], Answer] = OrderedDict()
        self._size = 0

    def get(self, live: Live, key: tuple[object, ...]) -> Answer | None:
        if live is not self._live:
            self._live, self._size = live, 0
            self._by_key.clear()
        answer = self._by_key.get(key)
        if answer is not None:
            self._by_key.move_to_end(key)
        return answer

    def keep(self, key: tuple[object, ...], answer: Answer) -> None:
        self._by_key[key] = answer
        self._size += len(answer.body)
        while len(self._by_key) > _KEPT_ANSWERS or self._size > _LARGEST_KEPT:
            self._size -= len(self._by_key.popitem(last=False)[1].body)
