"""What of a configuration makes a difference to devices, and what of that a set of polls has reached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from gitupd.core.actions import Deliver
from gitupd.core.names import ALL, fold
from gitupd.core.policy import InClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitupd.core.actions import Action
    from gitupd.core.policy import Policy
    from gitupd.core.situation import Situation
    from gitupd.core.snapshot import Snapshot


class PartKind(Enum):
    """What a part of a configuration is; the value is what many of them are called."""

    SNIPPET = "snippets"
    BRANCH = "branches"
    CLASS = "classes"
    ENVIRONMENT = "environments"
    IMPLIED = "implied"
    PHASE = "phases"


class Reachable(NamedTuple):
    """A part of a configuration that a poll reaches or does not."""

    kind: PartKind
    name: str


@dataclass(frozen=True, slots=True)
class Reached:
    """The parts of a configuration, in its own order, and which of them were reached."""

    parts: tuple[Reachable, ...]
    reached: frozenset[Reachable]

    @property
    def count(self) -> int:
        """How many parts were reached."""
        return sum(part in self.reached for part in self.parts)

    @property
    def percent(self) -> int:
        """How many of a hundred parts were reached, rounded down, so that 100 means all; 100 where there are none."""
        return 100 * self.count // len(self.parts) if self.parts else 100

    @property
    def by_kind(self) -> Mapping[PartKind, tuple[int, tuple[str, ...]]]:
        """For each kind that there is anything of: how many parts, and the names of those that were not reached."""
        named = {kind: [part for part in self.parts if part.kind is kind] for kind in PartKind}
        return {
            kind: (len(parts), tuple(part.name for part in parts if part not in self.reached))
            for kind, parts in named.items()
            if parts
        }


def parts_of(snapshot: Snapshot, branches: Iterable[str] = ()) -> tuple[Reachable, ...]:
    """Return the parts of *snapshot*, of whose templates these are the *branches*.

    Classes are those after which snippets are named, or which a condition names: any other makes no difference to what
    devices get.
    """
    policy = snapshot.policy
    named = {snippet.device_class for snippet in snapshot.snippets} | _classes_in_conditions(policy)
    return (
        *(Reachable(PartKind.SNIPPET, snippet.path) for snippet in snapshot.snippets),
        *(Reachable(PartKind.BRANCH, name) for name in branches),
        *(Reachable(PartKind.CLASS, name) for name in dict.fromkeys(_in_use(policy, named - {ALL}))),
        *(Reachable(PartKind.ENVIRONMENT, name) for name in policy.environments),
        *(
            Reachable(PartKind.IMPLIED, _edge(name, to))
            for name, each in policy.environments.items()
            for to in each.implies
        ),
        *(Reachable(PartKind.PHASE, name) for name in policy.staged_phases),
    )


def reached_by(situation: Situation, actions: Sequence[Action]) -> Iterator[Reachable]:
    """Yield the parts that a poll reaches which is in this *situation* and answered with *actions*, branches aside.

    What a device is asked to say first, or kept from, reaches nothing.
    """
    snippets = [action.snippet.path for action in actions if isinstance(action, Deliver)]
    yield from (Reachable(PartKind.SNIPPET, path) for path in snippets)
    if situation.caller.missing or not situation.admission.is_let_in:
        return
    yield Reachable(PartKind.PHASE, situation.phase)
    for device_class in situation.classes:
        yield from (Reachable(PartKind.CLASS, name) for name in {fold(device_class.name), fold(device_class.snippets)})
    yield from (Reachable(PartKind.ENVIRONMENT, name) for name in situation.environments)
    asked = set(situation.asked_environments)
    for name, environment in situation.policy.environments.items():
        if name in asked:
            yield from (
                Reachable(PartKind.IMPLIED, _edge(name, to))
                for to in environment.implies
                if to in situation.environments
            )


def _edge(name: str, implied: str) -> str:
    return f"{name} → {implied}"


def _in_use(policy: Policy, named: set[str]) -> Iterator[str]:
    """Yield which of the *named* classes there are: in order of delivery, models last."""
    for device_class in policy.classes:
        yield from (name for name in (fold(device_class.name), fold(device_class.snippets)) if name in named)
    yield from sorted(named)


def _classes_in_conditions(policy: Policy) -> set[str]:
    conditions = [*policy.firmware.applies, *(each for query in policy.queries for each in query.applies)]
    return {fold(condition.name) for condition in conditions if isinstance(condition, InClass)}
