"""Devices for which the same changes, told once: how many they are, and which."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.caller import Serial
    from gitupd.core.comparison.difference import ScriptDifference
    from gitupd.core.comparison.rendering import Rendering
    from gitupd.core.snapshot import CommitId


class Footing(StrEnum):
    """How a device stands to what is compared."""

    OUTSIDE = "outside"  # not let in by either commit, or no longer
    FRESH = "fresh"  # its update URL is yet to be completed
    STAGING = "staging"  # phases are left before the last one
    EXECUTED = "executed"  # it has executed all that the first commit says
    BEHIND = "behind"  # it has yet to execute what the first commit says

    @classmethod
    def of(cls, base: Rendering) -> Footing:
        """Return how a device stands that gets *base*."""
        situation = base.situation
        if not situation.admission.is_let_in:
            return cls.OUTSIDE
        if situation.caller.missing:
            return cls.FRESH
        if situation.next_phase is not None:
            return cls.STAGING
        return cls.EXECUTED if base.is_executed else cls.BEHIND


@dataclass(frozen=True, slots=True)
class Member:
    """A device for which something changes; ``name`` is None if it has none.

    ``lost`` is how many per cent of its commands go and are not replaced, rounded down, 100 if none is left.
    ``is_active`` is whether it is let in and calls.
    """

    serial: Serial
    name: str | None
    model: str
    environments: str
    phase: str
    footing: Footing
    lost: int = 0
    is_active: bool = True


@dataclass(frozen=True)
class Group:
    """All devices for which the same changes, by serial number.

    One that is not ``is_whole`` was kept without its lines, for they were too many.
    """

    difference: ScriptDifference
    members: tuple[Member, ...]
    is_whole: bool = True

    def count(self, trait: str) -> tuple[tuple[str, int], ...]:
        """Return how many of them have each value of a *trait*, a field of theirs: the most frequent first."""
        counts = Counter(str(getattr(member, trait)) for member in self.members)
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class Skipped:
    """Devices of which nobody can tell what they would get.

    ``silent`` never polled, so it is not known what they say; ``malformed`` polled as no device does.
    """

    silent: int = 0
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """A phase or an environment that the second commit lacks, and how many devices are in it, active ones and all."""

    kind: Literal["phase", "environment"]
    name: str
    devices: int
    active: int


@dataclass(frozen=True, slots=True)
class FleetComparison:
    """What a fleet would get else from ``head`` than from ``base``; ``total`` are the devices that were compared.

    Of them, ``active`` ones are let in and call. ``gone`` is what devices are in that ``head`` lacks, whether that
    changes anything for them or not.
    The groups are in order of their size, and each device that gets something else is in one of them. ``imagined``
    devices exist nowhere: they stand for all those in their situation.
    """

    base: CommitId
    head: CommitId
    groups: tuple[Group, ...]
    total: int
    skipped: Skipped = Skipped()
    imagined: bool = False
    remarks: tuple[str, ...] = field(default=())
    active: int = 0
    gone: tuple[Gone, ...] = field(default=())

    @property
    def changed(self) -> int:
        """How many devices get something else."""
        return sum(len(group.members) for group in self.groups)


def grouped(differences: Iterable[tuple[Member, ScriptDifference]]) -> tuple[Group, ...]:
    """Return the groups of those with the same difference: the largest first, then by the first serial number."""
    members: dict[ScriptDifference, list[Member]] = {}
    for member, difference in differences:
        members.setdefault(difference, []).append(member)
    groups = [Group(difference, _in_order(some)) for difference, some in members.items()]
    return tuple(sorted(groups, key=lambda group: (-len(group.members), group.members[0].serial)))


def _in_order(members: Sequence[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda member: member.serial))
