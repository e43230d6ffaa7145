"""A device's configuration: three layers of options by module, and how a dump writes them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from gitupd.emulator.script import Option, Verb

Layer = dict[str, tuple[Option, ...]]
"""Options by module path, in the order in which they were first set."""


@dataclass(slots=True)
class Configuration:
    """What is being edited, what survives a restart, and what is in effect."""

    edit: Layer = field(default_factory=dict)
    flash: Layer = field(default_factory=dict)
    active: Layer = field(default_factory=dict)

    def apply(self, verb: Verb, module: str, options: Sequence[Option]) -> None:
        """Carry out a config line; only the edited layer changes."""
        _apply(self.edit, verb, module, options)

    def impose(self, verb: Verb, module: str, options: Sequence[Option]) -> None:
        """Change all layers at once, as the device does for itself."""
        for layer in (self.edit, self.flash, self.active):
            _apply(layer, verb, module, options)

    def write(self) -> None:
        """Make the edited configuration survive a restart."""
        self.flash = dict(self.edit)

    def activate(self) -> None:
        """Put the edited configuration into effect."""
        self.active = dict(self.edit)

    def restart(self) -> None:
        """Lose all that was not written."""
        self.active = dict(self.flash)
        self.edit = dict(self.flash)

    def value(self, module: str, option: str) -> str:
        """Give the value in effect, "" if there is none."""
        setting = next((value for name, value in self.active.get(module, ()) if name == option), None)
        return setting or ""


def _apply(layer: Layer, verb: Verb, module: str, options: Sequence[Option]) -> None:
    named = {name for name, _ in options}
    old = layer.get(module, ())
    match verb:
        case Verb.CHANGE:
            layer[module] = tuple(options)
        case Verb.REMOVE:
            if module in layer:
                layer[module] = tuple(option for option in old if option[0] not in named)
        case Verb.ADD:
            layer[module] = _merged(old, options)


def _merged(old: Sequence[Option], new: Sequence[Option]) -> tuple[Option, ...]:
    """Replace in place what is there already, append the rest; a repeated option keeps its repetitions."""
    waiting: dict[str, list[Option]] = {}
    for option in new:
        waiting.setdefault(option[0], []).append(option)
    merged: list[Option] = []
    named = frozenset(waiting)
    for option in old:
        merged.extend(waiting.pop(option[0], ()) if option[0] in named else (option,))
    for options in waiting.values():
        merged.extend(options)
    return tuple(merged)


def config_line(module: str, options: Sequence[Option]) -> str:
    """Write the line that, when executed, gives a module these options."""
    return " ".join(["config change", module, *(_option(name, value) for name, value in options)])


def _option(name: str, value: str | None) -> str:
    if value is None:
        return f"/{name}"
    encoded = encoded_value(value)
    return f"/{name} {encoded}" if encoded else f"/{name} "


def encoded_value(value: str) -> str:
    """Escape what would end the value or be read as something else; letters of other scripts stay as they are."""
    escaped = re.sub(r"[\x00-\x20%+\x7f-\xa0\s]", lambda match: quote_from_bytes(match[0].encode()), value)
    return "%2F" + escaped[1:] if escaped.startswith("/") else escaped
