"""Commands that make of one configuration another: how the change that somebody made on one device becomes a snippet.

Options are set and removed one by one, so that a device keeps all others. What no command is known to take back stays
as a comment (docs/reference/device-protocol.md, Commands).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.backups.config_line import parse_config_line
from gitupd.core.backups.restore import is_own_affair
from gitupd.core.concealing import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.core.backups.config_line import ConfigLine

Line = tuple[str, str]
"""A line as it is, by which it is compared, and as the reader may see it."""

_CREATED = ("vars", "create")
_LEAST_WORDS = 3


@dataclass(frozen=True, slots=True)
class _Setting:
    """The values of an option as they are, and as they may be seen."""

    values: tuple[str, ...]
    shown: tuple[str, ...]


class _Content:
    """A configuration by what its lines are about; each kind in the order of its lines."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.modules: dict[str, dict[str, _Setting]] = {}
        self.variables: dict[str, Line] = {}
        self.others: dict[str, str] = {}
        for line, seen in lines:
            text, shown = line.strip(), seen.strip()
            words = text.split()
            if not text or text.startswith("#") or is_own_affair(text.encode()):
                continue
            parsed = parse_config_line(text)
            if parsed is not None and parsed.verb != "rem":
                self.modules.setdefault(parsed.module, {}).update(_settings(parsed, shown))
            elif tuple(words[:2]) == _CREATED and len(words) >= _LEAST_WORDS:
                self.variables[words[2]] = text, shown
            elif text not in ("config write", "config activate"):
                self.others[text] = shown


def _settings(line: ConfigLine, shown: str) -> Iterator[tuple[str, _Setting]]:
    seen = parse_config_line(shown)
    for name, values in line.options.items():
        yield name, _Setting(values, seen.options.get(name, (HIDDEN,)) if seen else (HIDDEN,))


def snippet_between(before: Iterable[Line], after: Iterable[Line]) -> tuple[str, ...]:
    """Return the lines of a snippet that a device which has *before* makes *after* of; nothing if they say the same.

    Both are lines of configurations as devices upload them, without those that change by themselves. What the update
    client looks after itself is left out. A line with a hidden secret becomes a comment: somebody has to write it.
    """
    old, new = _Content(before), _Content(after)
    commands = [*_options(old.modules, new.modules), *_variables(old.variables, new.variables)]
    commands += [shown for text, shown in new.others.items() if text not in old.others]
    gone = [shown for text, shown in old.others.items() if text not in new.others]
    return (
        *(f"# Write its secret here: {line}" if HIDDEN in line else line for line in commands),
        *(f"# Gone, and no command is known that takes it back: {line}" for line in gone),
    )


def _options(old: Mapping[str, Mapping[str, _Setting]], new: Mapping[str, Mapping[str, _Setting]]) -> Iterator[str]:
    """Yield commands module by module, those first that are in *new*."""
    for module in dict.fromkeys((*new, *old)):
        before, after = old.get(module, {}), new.get(module, {})
        had = {name: setting.values for name, setting in before.items()}
        changed = {name: setting for name, setting in after.items() if had.get(name) != setting.values}
        # Of an option with several values, `config add` may append to those that are there.
        several = [name for name, setting in changed.items() if max(len(setting.values), len(had.get(name, ()))) > 1]
        removed = [*(name for name in before if name not in after), *(name for name in several if name in before)]
        if removed:
            yield " ".join(("config rem", module, *removed))
        if changed:
            yield " ".join(("config add", module, *_written(changed)))


def _written(options: Mapping[str, _Setting]) -> Iterator[str]:
    for name, setting in options.items():
        for value in setting.shown:
            yield f"{name} {value}" if value else name


def _variables(old: Mapping[str, Line], new: Mapping[str, Line]) -> Iterator[str]:
    """Yield what creates and deletes variables."""
    yield from (shown for name, (text, shown) in new.items() if name not in old or old[name][0] != text)
    yield from (f"vars del {name}" for name in old if name not in new)
