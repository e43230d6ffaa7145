"""Lines of a configuration that set options of a module: ``config change PHONE/SIG /prot SIP /gk-pwd …``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LINE = re.compile(r"config (add|change|rem) +(\S.*)", re.DOTALL)

Verb = Literal["add", "change", "rem"]


@dataclass(frozen=True, slots=True)
class ConfigLine:
    """What a line does to a ``module``, whose name may be of two words, such as ``PHONE SIG``.

    ``options`` are in the order of the line, each with its values as they stand there, percent-encoded; an option
    without a value has an empty one, and one that is given several times has several.
    """

    verb: Verb
    module: str
    options: Mapping[str, tuple[str, ...]]


def parse_config_line(text: str) -> ConfigLine | None:
    """Return what *text* says, None if it is another kind of line, such as ``config write``."""
    match = _LINE.fullmatch(text)
    if match is None:
        return None
    words = match[2].split(" ")
    end = next((at for at, word in enumerate(words) if word.startswith("/")), len(words))
    module = " ".join(filter(None, words[:end]))
    return ConfigLine(cast("Verb", match[1]), module, _grouped(words[end:])) if module else None


def _grouped(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for name, value in _pairs(words):
        grouped.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in grouped.items()}


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    name: str | None = None
    for word in words:
        if word.startswith("/"):
            if name is not None:
                yield name, ""
            name = word
        elif name is not None and word:
            yield name, word
            name = None
    if name is not None:
        yield name, ""
