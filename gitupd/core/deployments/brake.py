"""The brake: how much a commit may change at once without a person's word, held against a plan in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW_DEVICES = 10
"""Up to so many devices a share is no measure: of three devices, each edit is a third."""
FEW_COMMANDS = 5
"""So many commands a script may lose, whatever share of it they are."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Up to how many no word is needed; ``is_share`` makes it percent of all of them, and a handful goes besides."""

    number: int
    is_share: bool = True

    def is_exceeded(self, number: int, total: int, few: int) -> bool:
        """Whether *number* of *total* is more than that; up to *few* are no more than any share but of 0 %."""
        if not self.is_share or not self.number:
            return number > self.number
        return number > few and number * 100 > self.number * total

    def __str__(self) -> str:
        """Return it as messages name it."""
        return f"{self.number} %" if self.is_share else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Brake:
    """What of a commit asks for a person's word.

    More than ``changed`` active devices get another script; more than ``restarted`` of them restart; of any script more
    than ``shrunk`` of its commands go. None is no such limit.
    """

    changed: Limit | None = Limit(25)
    restarted: Limit | None = Limit(10)
    shrunk: Limit | None = Limit(50)


@dataclass(frozen=True, slots=True)
class Loss:
    """So many ``devices`` have ``after`` commands where they had ``before``, which are more."""

    before: int
    after: int
    devices: int


@dataclass(frozen=True, slots=True)
class Impact:
    """A plan in numbers, of active devices alone: those that are let in, and have called lately.

    Where none of them has, ``active`` are all that ever called, and ``are_missing`` says so. ``unsecured`` are those
    that are sent to HTTPS, ``unproved`` those that lack a certificate; None where that does not become required.
    """

    active: int
    changed: int = 0
    restarted: int = 0
    losses: tuple[Loss, ...] = ()
    unsecured: int | None = None
    unproved: int | None = None
    are_missing: bool = False


def exceeded(brake: Brake, numbers: Impact) -> Iterator[str]:
    """Yield in words, with its numbers, what of a plan goes beyond *brake*; nothing where there is no device."""
    if not numbers.active:
        return
    of_all = f"of {counted(numbers.active, 'known device' if numbers.are_missing else 'active device')}"
    lately = ", of which none has called lately," if numbers.are_missing else ""
    for limit, number, what in (
        (brake.changed, numbers.changed, "would get another script"),
        (brake.restarted, numbers.restarted, "would restart"),
    ):
        if limit is not None and limit.is_exceeded(number, numbers.active, FEW_DEVICES):
            share = _share(number, numbers.active, limit)
            yield f"{number:,} {of_all} ({share}){lately} {what}; the brake is at {limit}"
    if brake.shrunk is not None:
        yield from _shrunk(brake.shrunk, numbers.losses, of_all + lately)
    for lacking, required, lack in (
        (numbers.unsecured, "HTTPS", "call without it"),
        (numbers.unproved, "a client certificate", "have shown none that counts"),
    ):
        if lacking is not None:
            yield f"{required} becomes required, and {lacking:,} {of_all}{lately} {lack}"


def _shrunk(limit: Limit, losses: tuple[Loss, ...], of_all: str) -> Iterator[str]:
    if emptied := sum(loss.devices for loss in losses if not loss.after):
        yield f"{emptied:,} {of_all} would get no command of a snippet any more"
    large = [
        loss for loss in losses if loss.after and limit.is_exceeded(loss.before - loss.after, loss.before, FEW_COMMANDS)
    ]
    if large:
        worst = max(large, key=lambda loss: (1 - loss.after / loss.before, loss.before))
        number = sum(loss.devices for loss in large)
        most = limit if limit.is_share else counted(limit.number, "command")
        yield (
            f"{number:,} {of_all} would lose more than {most} of their script, such as all but {worst.after:,} of"
            f" {counted(worst.before, 'command')}"
        )


def _share(number: int, total: int, limit: Limit) -> str:
    """Return which share of *total* *number* is, in whole percent, and never the very one that it is beyond."""
    percent = number * 100 // total
    beyond = limit.is_share and percent == limit.number
    return f"{'over ' * beyond}{percent} %"
