"""The brake: how much a commit may change at once without a person's word, held against a plan in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitupd.core.deployments.objection import Gate, Objection
from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gitupd.core.comparison.numbers import PlanNumbers

FEW_DEVICES = 10
"""Up to so many devices are no share to speak of: of three devices, each edit is a third."""

ALL = 100
Demand = Literal["https", "client certificate"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Up to how many no word is needed; ``is_share`` makes it percent of all of them, and a handful goes besides."""

    number: int
    is_share: bool = True

    def is_exceeded(self, number: int, total: int) -> bool:
        """Whether *number* of *total* is more than that; FEW_DEVICES are no more than any share but of 0 %."""
        if not self.is_share or not self.number:
            return number > self.number
        return number > FEW_DEVICES and number * ALL > self.number * total

    def __str__(self) -> str:
        """Return it as messages name it."""
        return f"{self.number} %" if self.is_share else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Brake:
    """What of a commit asks for a person's word.

    More than ``changed`` active devices get another script; more than ``restarted`` of them restart; of any script more
    than ``shrunk`` per cent of its commands go. None is no such limit.
    """

    changed: Limit | None = Limit(25)
    restarted: Limit | None = Limit(10)
    shrunk: int | None = 50


def exceeded(
    brake: Brake, numbers: PlanNumbers, demanded: Collection[Demand] = (), *, are_missing: bool = False
) -> Iterator[Objection]:
    """Yield what of a plan goes beyond *brake*, with its numbers; nothing where there is no device.

    *numbers* are of active devices: those that are let in, and have called lately; if they *are_missing*, none has,
    and the numbers are of all that are known. *demanded* is what becomes required.
    """
    if not numbers.devices:
        return
    whom = counted(numbers.devices, "known device" if are_missing else "active device")
    lately = ", of which none has called lately," if are_missing else ""
    for limit, number, what in (
        (brake.changed, numbers.changed, "would get another script"),
        (brake.restarted, numbers.restarting, "would restart"),
    ):
        if limit is not None and limit.is_exceeded(number, numbers.devices):
            share = _share(number, numbers.devices, limit)
            yield _braked(f"{number:,} of {whom} ({share}){lately} {what}; the brake is at {limit}")
    of_all = f"of {whom}{lately}"
    if brake.shrunk is not None:
        yield from _shrunk(brake.shrunk, numbers, of_all)
    yield from _gone(numbers, of_all)
    if "https" in demanded:
        yield _braked(f"HTTPS becomes required, and {numbers.https:,} {of_all} call without it", "https")
    if "client certificate" in demanded:
        text = f"a client certificate becomes required, which {numbers.certificates:,} {of_all} lack"
        yield _braked(text, "client certificate")


def _braked(text: str, subject: str = "") -> Objection:
    return Objection(Gate.BRAKE, text, subject=subject)


def _share(number: int, total: int, limit: Limit) -> str:
    """Return which share of *total* *number* is, in whole percent, and never the very one that it is beyond."""
    percent = number * ALL // total
    beyond = limit.is_share and percent == limit.number
    return f"{'over ' * beyond}{percent} %"


def _shrunk(limit: int, numbers: PlanNumbers, of_all: str) -> Iterator[Objection]:
    if numbers.emptied:
        yield _braked(f"{numbers.emptied:,} {of_all} would get no command of a snippet any more", "snippets")
    if numbers.failing:
        yield _braked(f"{numbers.failing:,} {of_all} would get nothing, for no lines can be made for them")
    large = [(part, number) for part, number in numbers.lost if limit < part < ALL]
    if large:
        number, most = sum(number for _, number in large), max(part for part, _ in large)
        how = f"more than {limit} % of their commands{f', up to {most} %' if most > limit + 1 else ''}"
        yield _braked(f"{number:,} {of_all} would lose {how}")


def _gone(numbers: PlanNumbers, of_all: str) -> Iterator[Objection]:
    for what, gone in (("phase", numbers.phases_gone), ("environment", numbers.environments_gone)):
        for name, number in gone:
            yield _braked(f"the {what} {name!r} goes, in which {number:,} {of_all} are", f"{what} {name}")
