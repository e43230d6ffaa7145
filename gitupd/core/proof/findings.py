"""All that a proof has found: differences that are alike together, with those whom they concern."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.caller import Serial
    from gitupd.core.proof.comparing import OnPurpose, ScriptComparison

_MOST_KINDS = 200
_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class AlikeDifference:
    """Alike differences: which polls they are found in, of which devices, and the lines, as those of the first one."""

    titles: tuple[str, ...]
    serials: tuple[Serial, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a proof has found out.

    ``known`` is how many devices there are, ``asked`` for how many of them all polls were compared, and ``polls`` how
    many that were. ``on_purpose`` are differences that are meant, ``left_out`` devices that were not asked, and
    ``troubles`` what could not be compared, all with devices. ``notes`` are on the old server.
    """

    known: int
    asked: int
    polls: int
    differences: tuple[AlikeDifference, ...] = ()
    more: int = 0
    on_purpose: tuple[tuple[OnPurpose, tuple[Serial, ...]], ...] = ()
    left_out: tuple[tuple[str, tuple[Serial, ...]], ...] = ()
    troubles: tuple[tuple[str, tuple[Serial, ...]], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """What all of it comes to, in a sentence."""
        if self.differences:
            kinds = counted(len(self.differences) + self.more, "kind")
            concerned = len({serial for difference in self.differences for serial in difference.serials})
            return f"{kinds} of differences, which concern {counted(concerned, 'device')}"
        if not self.asked:
            return "nothing was compared"
        none = "no difference but those on purpose" if self.on_purpose else "no difference"
        if self.asked < self.known or self.troubles:
            return f"{none} in what could be compared, of {self.asked:,} of {counted(self.known, 'device')}"
        everybody = "the device is" if self.known == 1 else f"all {self.known:,} devices are"
        return f"{none}: {everybody} told the same as before, and can be moved over"


@dataclass
class Evidence:
    """What was found so far."""

    polls: int = 0
    asked: set[Serial] = field(default_factory=set)
    notes: dict[str, None] = field(default_factory=dict)
    _differences: dict[tuple[str, ...], tuple[dict[str, None], dict[Serial, None], tuple[str, ...]]] = field(
        default_factory=dict
    )
    _more: set[int] = field(default_factory=set)
    _on_purpose: defaultdict[OnPurpose, dict[Serial, None]] = field(default_factory=lambda: defaultdict(dict))
    _left_out: defaultdict[str, dict[Serial, None]] = field(default_factory=lambda: defaultdict(dict))
    _troubles: defaultdict[str, dict[Serial, None]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, title: str, serial: Serial, personal: Iterable[str], comparison: ScriptComparison) -> None:
        """Take note of how the answers to a poll differ, of a device whose *personal* words make no other kind."""
        self.polls += 1
        for purpose in comparison.purposes:
            self._on_purpose[purpose][serial] = None
        if not comparison.changes:
            return
        key = tuple(_without(line, personal) for line in comparison.changes)
        if key not in self._differences and len(self._differences) >= _MOST_KINDS:
            self._more.add(hash(key))
            return
        titles, serials, _ = self._differences.setdefault(key, ({}, {}, comparison.changes[:_MOST_LINES]))
        titles[title] = None
        serials[serial] = None

    def leave_out(self, why: str, serial: Serial) -> None:
        """Take note of a device that is not asked about."""
        self._left_out[why][serial] = None

    def trouble(self, what: str, serial: Serial | None = None) -> None:
        """Take note of what can't be compared."""
        self._troubles[what].update({serial: None} if serial is not None else {})

    def findings(self, known: int) -> Findings:
        """Return all of it, the differences that concern most devices first."""
        differences = [
            AlikeDifference(tuple(titles), tuple(serials), changes)
            for titles, serials, changes in self._differences.values()
        ]
        return Findings(
            known,
            len(self.asked),
            self.polls,
            tuple(sorted(differences, key=lambda each: -len(each.serials))),
            len(self._more),
            tuple((purpose, tuple(serials)) for purpose, serials in self._on_purpose.items()),
            tuple((why, tuple(serials)) for why, serials in self._left_out.items()),
            tuple((what, tuple(serials)) for what, serials in self._troubles.items()),
            tuple(self.notes),
        )


def _without(line: str, personal: Iterable[str]) -> str:
    for word in personal:
        if word:
            line = line.replace(word, "…")
    return line


def named(serials: Sequence[Serial], most: int) -> str:
    """Return the serial numbers of devices, the first few of many."""
    more = f" and {len(serials) - most:,} more" if len(serials) > most else ""
    return ", ".join(map(str, serials[:most])) + more
