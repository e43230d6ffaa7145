"""Sentences that the core has put together, told again in the reader's language.

The core knows no languages: what it says of a device, a commit or a plan is English, for the API and the command line,
too. Here are the forms of what people read of that, as texts of the catalogue; what has none of them stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from gitupd.core.people.audit import Kind
from gitupd.core.stories.happening import deed_on_it
from gitupd.language.forms.all import FORMS
from gitupd.language.languages import SOURCE
from gitupd.language.marks import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.language.reader import Reader

_LONGEST = 1_000
"""Letters of what is told again: devices have a say in it, and forms with several values look back and forth."""
_HOLE = re.compile(r"%\((\w+)\)s")
_HOLES = {
    "number": r"[\d,]+",
    "devices": r"[\d,]+ (?:imagined )?devices?",
    "builds": "[^,]+",
    "changes": "[^;]+",
    "item": "[^;,]+",
    "other": "[^;]+",
}
"""What values are that are not just anything, as regular expressions."""

_PARTS = frozenset(
    {"what", "when", "more", "added", "removed", "stage", "hours", "whom", "source", "limits"}
    | {"builds", "devices", "changes", "share"}
)
"""Values that are the core's own words; all others may be of people and devices, and stay as they are."""

_NOUNS: Mapping[str, tuple[str, str]] = {
    form: nouns
    for nouns in (
        plural("snippet", "snippets"),
        plural("line", "lines"),
        plural("device", "devices"),
        plural("error", "errors"),
        plural("imagined device", "imagined devices"),
        plural("active device", "active devices"),
        plural("known device", "known devices"),
        plural("day", "days"),
        plural("hour", "hours"),
        plural("minute", "minutes"),
        plural("second", "seconds"),
        plural("kind", "kinds"),
        plural("pattern", "patterns"),
    )
    for form in nouns
}
_LISTED = re.compile(r"(, or if |, (?=[\d,]+ [a-z])|; )")
_COUNTED = re.compile(r"([\d,]+) ([a-z][a-z ]*)")


def retold(text: object, reader: Reader) -> str:
    """Return in the language of *reader* what the core says; what has no form here stays as it is."""
    said = str(text)
    if reader.language == SOURCE or not said or len(said) > _LONGEST:
        return said
    return _Retelling(reader).part(said)


@dataclass(frozen=True, slots=True)
class _Retelling:
    """Tells sentences again for a ``reader``."""

    reader: Reader

    def part(self, said: str) -> str:
        """Return words of the core: something counted, a list of what has numbers, or a sentence again."""
        if (number := _COUNTED.fullmatch(said)) and number[2] in _NOUNS:
            return self.reader.counted(int(number[1].replace(",", "")), *_NOUNS[number[2]])
        if (whole := self._sentence(said)) is not None:
            return whole
        parts = enumerate(_LISTED.split(said))
        return "".join(self.reader.translated(part) if number % 2 else self._told(part) for number, part in parts)

    def _told(self, said: str) -> str:
        return self._sentence(said) or self._deed(said) or self.reader.translated(said)

    def _sentence(self, said: str) -> str | None:
        for form, pattern, number in _patterns():
            if found := pattern.fullmatch(said):
                values: dict[str, object] = {
                    name: self._value(name, value) for name, value in found.groupdict().items()
                }
                if isinstance(form, str):
                    return self.reader.gettext(form, **values)
                how_many = values.get("number", number)
                return self.reader.ngettext(*form, how_many if isinstance(how_many, int) else number, **values)
        return None

    def _value(self, name: str, said: str) -> object:
        if name == "number":
            return self.reader.grouped(int(said.replace(",", "")))
        if name == "names" and " and " in said:
            some, _, last = said.rpartition(" and ")
            return self.reader.gettext("%(some)s and %(last)s", some=some, last=last)
        if name == "deeds":
            return "; ".join(map(self._told, said.split("; ")))
        return self.part(said) if name in _PARTS else said

    def _deed(self, said: str) -> str | None:
        """Return what somebody did to a device, whose words follow a name."""
        if found := _deeds().fullmatch(said):
            return f"{found['who']} {self.reader.translated(found['deed'])}{found['rest']}"
        return None


@cache
def _patterns() -> tuple[tuple[str | tuple[str, str], re.Pattern[str], int], ...]:
    """Return each form as it is translated, what recognises it, and for how many it is if it has no number: 1, or 2."""
    return tuple(
        (form, re.compile(_expression(each), re.DOTALL), number)
        for form in FORMS
        for number, each in enumerate((form,) if isinstance(form, str) else form, 1)
    )


def _expression(form: str) -> str:
    parts = _HOLE.split(form)
    return "".join(
        _hole(part) if number % 2 else re.escape(part.replace("%%", "%")) for number, part in enumerate(parts)
    )


def _hole(name: str) -> str:
    return f"(?P<{name}>{_HOLES.get(name, '.+?')})"


@cache
def _deeds() -> re.Pattern[str]:
    words = sorted({deed_on_it(kind) for kind in Kind}, key=len, reverse=True)
    return re.compile(rf"(?P<who>\S+) (?P<deed>{'|'.join(map(re.escape, words))})(?P<rest>|: .*)", re.DOTALL)
