"""Answering a poll: look, decide, write down, return."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from gitupd.core.actions import Do, Say, script
from gitupd.core.device import REQUIRED, parse_caller
from gitupd.core.plan import Situation, plan
from gitupd.service.sightings import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.device import Caller
    from gitupd.core.url import Endpoint
    from gitupd.service.computing import Computing
    from gitupd.service.live import Follower, Live
    from gitupd.service.sightings import Sightings

_KEPT_ANSWERS = 2_000
_LARGEST_KEPT = 16 * 2**20
NOTHING_DEPLOYED = b"# gitupd: nothing is deployed yet, so there is nothing to do\r\n"


class Poll:
    """The use case of a worker: one device asks, and gets its script."""

    def __init__(self, follower: Follower, sightings: Sightings, computing: Computing) -> None:
        """Answer from what *follower* knows; note down to *sightings*; compute lines by *computing*."""
        self._follower = follower
        self._sightings = sightings
        self._computing = computing
        self._answers = _Answers()

    def __call__(self, arguments: Mapping[str, str], endpoint: Endpoint, address: str | None, now: datetime) -> bytes:
        """Return the script for the device that polls with *arguments* from *address*.

        Raises MalformedRequest for arguments that no device sends. May take as long as the configuration's own code
        is allowed to run, if there is any: see :attr:`computes`.
        """
        live = self._follower.live
        caller = parse_caller(arguments, endpoint)
        if live is None:
            return NOTHING_DEPLOYED
        answer = self._computed(live, caller, now) if self.computes else self._shared(live, caller, now)
        self._sightings.add(caller, address, answer, now)
        return answer.body

    def preview(self, arguments: Mapping[str, str], endpoint: Endpoint, now: datetime) -> bytes:
        """Return what :meth:`__call__` would, without remembering that it was asked."""
        caller = parse_caller(arguments, endpoint)
        live = self._follower.live
        if live is None:
            return NOTHING_DEPLOYED
        return (self._computed(live, caller, now) if self.computes else self._shared(live, caller, now)).body

    @property
    def computes(self) -> bool:
        """Whether the deployed configuration has code of its own, which takes its time."""
        live = self._follower.live
        return live is not None and live.snapshot.scripting is not None

    def _shared(self, live: Live, caller: Caller, now: datetime) -> Answer:
        """Return the answer that all devices in the same situation share, rendered once."""
        key = _situation_key(live, caller)
        answer = self._answers.get(live, key)
        if answer is None:
            answer = render(Situation(live.snapshot, caller, now, builds=live.builds))
            self._answers.keep(key, answer)
        return answer

    def _computed(self, live: Live, caller: Caller, now: datetime) -> Answer:
        situation = Situation(live.snapshot, caller, now, builds=live.builds)
        if caller.missing:
            return render(situation)
        return render(self._computing.completed(situation))


def render(situation: Situation) -> Answer:
    """Return the answer to *situation*."""
    actions = tuple(plan(situation))
    facts = tuple(action for action in actions if not isinstance(action, Say | Do))
    classes = tuple(each.name for each in situation.classes)
    return Answer(script(actions), facts, situation.snapshot.commit, situation.environments, classes)


def _situation_key(live: Live, caller: Caller) -> tuple[object, ...]:
    """Return what the answer depends on.

    Of serial number, hardware id and address that is only whether they are there, unless the configuration says
    something of this very device.
    """
    known = live.snapshot.devices
    special = caller.place in live.snapshot.serial_places or (caller.serial and caller.serial.digits in known)
    arguments = tuple(
        (name, None if name in _PERSONAL and not special else value) for name, value in caller.arguments.items()
    )
    return arguments, caller.endpoint, caller.common_name is None


_PERSONAL = frozenset(REQUIRED) - {"type"}


class _Answers:
    """The answers of one deployment that were given last."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._kept: OrderedDict[tuple[object, ...], Answer] = OrderedDict()
        self._size = 0

    def get(self, live: Live, key: tuple[object, ...]) -> Answer | None:
        if live is not self._live:
            self._live, self._size = live, 0
            self._kept.clear()
        answer = self._kept.get(key)
        if answer is not None:
            self._kept.move_to_end(key)
        return answer

    def keep(self, key: tuple[object, ...], answer: Answer) -> None:
        self._kept[key] = answer
        self._size += len(answer.body)
        while len(self._kept) > _KEPT_ANSWERS or self._size > _LARGEST_KEPT:
            self._size -= len(self._kept.popitem(last=False)[1].body)
