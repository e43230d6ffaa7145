"""The changes of a page, with those as one that many devices show alike after a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.web.context import served
from gitupd.web.pages.backups.story import Changed, ChangedAlike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.backups.version import ListedVersion, Wave
    from gitupd.core.search import Search
    from gitupd.core.standing import Yardstick
    from gitupd.web.pages.backups.period import Period

    Of = tuple[Search, Yardstick] | None

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ChangesPart:
    """The ``changes`` of a page, the newest first, back to the ``last`` version; ``more`` if there are older ones."""

    changes: tuple[Changed | ChangedAlike, ...]
    last: ListedVersion | None
    more: bool

    @property
    def further(self) -> int | None:
        """The number of the version behind which it goes on, None if that is all."""
        return self.last.number if self.more and self.last else None


def part_of(period: Period, of: Of, before: int | None, limit: int) -> ChangesPart:
    """Return *limit* changes of devices, those behind the version with the number *before*; a wave counts as one.

    It stands where its newest version would. Within one page some hundred versions are looked at, so that there may be
    fewer.
    """
    versions = served().site.backup_timeline.versions(_AT_ONCE + 1, before=before, between=period.between, of=of)
    commits = {each.version.facts.get("delivered") or "" for each in versions if "topics" in each.version.facts}
    waves = served().site.backup_waves.after(commits - {""}, between=period.between, of=of)
    by_number = {number: wave for wave in waves for number in wave.numbers}
    changes: list[Changed | ChangedAlike] = []
    last = None
    for place, each in enumerate(versions[:_AT_ONCE]):
        wave = by_number.get(each.number)
        if wave is None or wave.numbers[0] == each.number:
            if len(changes) == limit:
                return ChangesPart(tuple(changes), last, more=True)
            changes.append(_change(each, wave))
        last = versions[place]
    return ChangesPart(tuple(changes), last, more=len(versions) > _AT_ONCE)


def _change(listed: ListedVersion, wave: Wave | None) -> Changed | ChangedAlike:
    changed = Changed(listed.version, listed.number, listed.name)
    return changed if wave is None else ChangedAlike(changed, len(wave.numbers), wave.commit)


def opened(
    number: int, period: Period, of: Of, before: int | None, limit: int
) -> tuple[ChangedAlike, ChangesPart] | None:
    """Return the wave that the version with that *number* is in, and *limit* of its changes; None if it is in none."""
    timeline = served().site.backup_timeline
    version = timeline.numbered([number]).get(number)
    commit = version.version.facts.get("delivered") if version else None
    waves = served().site.backup_waves.after([commit] if commit else [], between=period.between, of=of)
    wave = next((each for each in waves if number in each.numbers), None)
    if wave is None:
        return None
    numbers = [each for each in wave.numbers if before is None or each < before]
    listed = timeline.numbered([wave.numbers[0], *numbers[:limit]])
    some = _in_order(listed, numbers[:limit])
    whole = ChangedAlike(Changed(listed[wave.numbers[0]].version), len(wave.numbers), wave.commit)
    changes = tuple(Changed(each.version, each.number, each.name) for each in some)
    return whole, ChangesPart(changes, some[-1] if some else None, more=len(numbers) > limit)


def _in_order(listed: dict[int, ListedVersion], numbers: Sequence[int]) -> list[ListedVersion]:
    return [listed[number] for number in numbers if number in listed]
