"""A comparison in numbers: what a page says in a line, and by what it is decided whether somebody has to look."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitupd.core.comparison.consequences import (
    CertificateDemanded,
    ExecutedAgain,
    Failing,
    GetsNothing,
    HttpsDemanded,
    InOtherPhase,
    Loads,
    LosesMost,
    MovesOn,
    Restarts,
    ShutOut,
)
from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.core.comparison.consequences import Consequence
    from gitupd.core.comparison.grouping import FleetComparison

_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class PlanNumbers:
    """How many devices a change concerns, each field a number of devices.

    ``devices`` were compared, ``changed`` of them get something else, all others are among these. ``loading`` load
    firmware or boot code, and of them ``lacking`` one whose file is not on the server. ``phases`` count as in another
    phase, or go on to another one. Of ``https`` and ``certificates`` something is demanded that was not. ``shrunk``
    lose more than half of their commands, ``emptied`` get nothing any more, and ``failing`` nothing either, for no
    lines can be made for them. ``lost`` says how many lose which part of their commands, in whole per cent, those that
    lose most first; 100 for those that lose all.
    ``phases_gone`` and ``environments_gone`` are those that the second commit lacks, with the devices that are in them.
    """

    devices: int
    changed: int = 0
    executing_again: int = 0
    restarting: int = 0
    loading: int = 0
    lacking: int = 0
    phases: int = 0
    https: int = 0
    certificates: int = 0
    shut_out: int = 0
    shrunk: int = 0
    emptied: int = 0
    failing: int = 0
    lost: tuple[tuple[int, int], ...] = field(default=())
    phases_gone: tuple[tuple[str, int], ...] = field(default=())
    environments_gone: tuple[tuple[str, int], ...] = field(default=())

    def losing(self, per_cent: int) -> int:
        """Return how many lose so many *per_cent* of their commands, or more."""
        return sum(number for part, number in self.lost if part >= per_cent)

    @property
    def percentage(self) -> float:
        """How many of a hundred devices get something else; 0 where there is no device."""
        return _HUNDRED * self.changed / self.devices if self.devices else 0.0

    def __str__(self) -> str:
        """Return what matters most, such as ``412 devices change, 12 restart``."""
        if not self.changed:
            return "no device changes"
        verb = "changes" if self.changed == 1 else "change"
        return ", ".join((f"{counted(self.changed, 'device')} {verb}", *self._besides()))

    def _besides(self) -> Iterator[str]:
        told = (
            (self.shut_out, "is shut out", "are shut out"),
            (self.emptied + self.failing, "gets nothing", "get nothing"),
            (self.shrunk, "loses most commands", "lose most commands"),
            (self.restarting, "restarts", "restart"),
            (self.loading, "loads another build", "load another build"),
            (self.lacking, "of them finds no file of it", "of them find no file of it"),
        )
        yield from (f"{number:,} {one if number == 1 else many}" for number, one, many in told if number > 0)


def numbers(comparison: FleetComparison, *, only_active: bool = False) -> PlanNumbers:
    """Return *comparison* in numbers, of all devices, or of those alone that are let in and call."""
    counts: Counter[str] = Counter()
    lost: Counter[int] = Counter()
    for group in comparison.groups:
        some = [member for member in group.members if member.is_active or not only_active]
        if some:
            counts["changed"] += len(some)
            counts.update({name: len(some) for name in _kinds(group.difference.consequences)})
            lost.update(member.lost for member in some if member.lost)
    gone = [
        (each.kind, each.name, number)
        for each in comparison.gone
        if (number := each.active if only_active else each.devices)
    ]
    return PlanNumbers(
        comparison.active if only_active else comparison.total,
        **counts,
        lost=tuple(sorted(lost.items(), reverse=True)),
        phases_gone=tuple((name, number) for kind, name, number in gone if kind == "phase"),
        environments_gone=tuple((name, number) for kind, name, number in gone if kind == "environment"),
    )


def _kinds(consequences: Iterable[Consequence]) -> set[str]:
    """Return in which numbers devices with these consequences are counted."""
    return {name for each in consequences for name in _counted_in(each)}


def _counted_in(consequence: Consequence) -> Iterator[str]:
    if name := _COUNTED.get(type(consequence)):
        yield name
    if isinstance(consequence, Loads) and consequence.present is False:
        yield "lacking"


_COUNTED: Mapping[type[Consequence], str] = {
    ExecutedAgain: "executing_again",
    Restarts: "restarting",
    Loads: "loading",
    InOtherPhase: "phases",
    MovesOn: "phases",
    HttpsDemanded: "https",
    CertificateDemanded: "certificates",
    ShutOut: "shut_out",
    LosesMost: "shrunk",
    GetsNothing: "emptied",
    Failing: "failing",
}
"""The others need no number."""
