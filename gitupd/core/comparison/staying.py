"""What a device keeps of lines that go: scripts are executed, and nothing undoes what they did but other lines.

Told is what is known of commands (docs/reference/device-protocol.md, Commands): options of modules, and variables. A
line that names an option takes it back or sets it anew; so does one that removes or changes the whole module. Of other
commands, such as ``mod cmd``, nobody knows what they leave.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.backups.config_line import parse_config_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from gitupd.core.comparison.grouping import FleetComparison
    from gitupd.core.comparison.rendering import ComparedLine

_FEWEST = 3
"""Words of a line that is about a variable."""


@dataclass(frozen=True, slots=True)
class StayingLine:
    """A line that goes, and whose effect stays on devices that have executed it.

    ``options`` are those of the line to which that applies, such as ``/gk-addr``; none stands for the whole line.
    """

    text: str
    options: tuple[str, ...] = ()


def staying(
    before: Collection[ComparedLine], after: Collection[ComparedLine], hide: Callable[[str], str] = str
) -> tuple[StayingLine, ...]:
    """Return the lines of *before* that are not in *after*, and that no line of *after* takes back; each once.

    Lines of gitupd itself don't count. *hide* takes secrets out of a line.
    """
    kept = {line.text.strip() for line in after}
    gone = [line for line in before if line.path is not None and line.text.strip() not in kept]
    candidates = [(line, effects) for line in gone if (effects := tuple(_effects(line.text)))]
    if not candidates:
        return ()
    taken = frozenset(_taken_back(line.text for line in after))
    found: dict[StayingLine, None] = {}
    for line, effects in candidates:
        left = [name for subject, name in effects if (subject, name) not in taken and (subject, _ALL) not in taken]
        if left:
            text = hide((line.text if line.shown is None else line.shown).decode(errors="replace").strip())
            found[StayingLine(text, () if len(left) == len(effects) else tuple(left))] = None
    return tuple(found)


def staying_in(comparison: FleetComparison) -> tuple[tuple[StayingLine, int], ...]:
    """Return all lines that stay, each with the number of devices that had it in their script, the most first."""
    counts: Counter[StayingLine] = Counter()
    for group in comparison.groups:
        counts.update(dict.fromkeys(group.difference.staying, len(group.members)))
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0].text)))


_ALL = ""
"""In place of an option: all of its module."""

Effect = tuple[str, str]
"""A module and an option, or a variable and nothing."""


def _effects(line: bytes) -> Iterator[Effect]:
    """Yield what *line* sets or removes, as far as that is known; nothing for other commands."""
    if variable := _variable(line):
        yield variable, _ALL
        return
    parsed = parse_config_line(line.decode(errors="surrogateescape").strip())
    if parsed is not None:
        yield from ((parsed.module, name) for name in parsed.options or (_ALL,))


def _taken_back(lines: Iterable[bytes]) -> Iterator[Effect]:
    for line in lines:
        yield from _effects(line)
        parsed = parse_config_line(line.decode(errors="surrogateescape").strip()) if b"config change " in line else None
        if parsed is not None and parsed.verb == "change":
            yield parsed.module, _ALL  # it sets the whole line of the module


def _variable(line: bytes) -> str:
    """Return what a variable is called that *line* creates or deletes, empty if it does neither."""
    words = line.split()
    if len(words) < _FEWEST or words[0] != b"vars" or words[1] not in (b"create", b"del"):
        return ""
    return f"vars {words[2].decode(errors='surrogateescape')}"
