"""Sentences that the core has put together, told again in the reader's language.

The core knows no languages: what it says of a device, a commit or a plan is English, for the API and the command line,
too. Here are the forms of what people read of that, as texts of the catalogue; what has none of them stays as it is.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

from gitupd.core.deployments.signature import Flaw
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.core.stories.happening import deed_on_it
from gitupd.core.words import capital
from gitupd.language.forms.all import FORMS
from gitupd.language.languages import SOURCE
from gitupd.language.marks import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitupd.language.forms.all import Form, Forms
    from gitupd.language.reader import Reader

LONGEST = 1_000
"""Letters of what is told again: devices have a say in it, and forms with several values look back and forth."""
_HOLE = re.compile(r"%\((\w+)\)s")
_DEEPEST = 8
"""So many sentences are told again within each other; what is said of files is three deep."""
_QUOTED = r"""(?:'(?:[^'\\]|\\.)*+'…?|"(?:[^"\\]|\\.)*+"…?|['"][^…]{79}…)"""
"""What ``repr`` makes of a text, or the beginning of it: there is one way to read it, however long it is."""
_HOLES = {
    "quoted": _QUOTED,
    "second": _QUOTED,
    "given": rf"{_QUOTED}|this|nothing|True|False|-?\d+",
    "line": r"\d+",
    "snippet": r"snippets/[^:]+|secrets\.yaml\.age",
    "word": r"\S+",
    "number": r"\d[\d,]*",
    "some": r"\d[\d,]*",
    "share": r"(?:over )?\d+ %",
    "devices": r"\d[\d,]* (?:imagined )?devices?",
    "builds": "[^,]+",
    "changes": "[^;]+",
    "item": "[^;,]+",
    "other": "[^;]+",
    "hex": "[0-9a-f]{7,64}",
    "branch": r"\S+",
    "instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "on": r"\d{4}-\d\d-\d\d",
    "span": r"\d[\d,]* days?|[\d.e+]+ h",
    "role": "|".join(Role),
    "former": "|".join(Role),
    "flaw": "|".join(map(re.escape, ("is not signed", *(flaw.value for flaw in Flaw)))),
}
"""What values are that are not just anything, as regular expressions."""

_PARTS = frozenset(
    {"what", "when", "more", "added", "removed", "stage", "hours", "whom", "source", "limits"}
    | {"builds", "devices", "changes", "share", "finding", "cure", "fault", "refusal", "blocked"}
    | {"concern", "grounds", "flaw", "role", "former", "topic", "where", "object", "versions"}
)
"""Values that are the core's own words; all others may be of people and devices, and stay as they are."""

_NOUNS: Mapping[str, tuple[str, str]] = {
    form: nouns
    for nouns in (
        plural("snippet", "snippets"),
        plural("line", "lines"),
        plural("device", "devices"),
        plural("error", "errors"),
        plural("version", "versions"),
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
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})*|\d+")
_MORE = re.compile(r"(?P<some>.+) and (?P<more>\d[\d,]*) more", re.DOTALL)
_LISTED = re.compile(r"(, or if |, (?=\d[\d,]* [a-z])|; )")
_COUNTED = re.compile(r"(\d[\d,]*) ([a-z][a-z ]*)")


def retold(text: object, reader: Reader, forms: Forms = FORMS) -> str:
    """Return in the language of *reader* what the core says; what has none of the *forms* stays as it is."""
    said = str(text)
    if reader.language == SOURCE or not said or len(said) > LONGEST:
        return said
    return _Retelling(reader, forms).part(said)


def retold_whole(said: str, reader: Reader, forms: Forms) -> str:
    """Return what has one of the *forms* as a whole in the language of *reader*; what people typed stays as it is."""
    if reader.language == SOURCE or len(said) > LONGEST:
        return said
    return _Retelling(reader, forms).whole(said)


@dataclass(frozen=True, slots=True)
class _Retelling:
    """Tells sentences again for a ``reader``; so ``depth`` is that of one within others."""

    reader: Reader
    forms: Forms
    depth: int = 0

    def whole(self, said: str) -> str:
        """Return a sentence again, or *said* as it is."""
        return self._sentence(said) or said

    def part(self, said: str) -> str:
        """Return words of the core: something counted, a list of what has numbers, or a sentence again."""
        if (number := _COUNTED.fullmatch(said)) and number[2] in _NOUNS:
            return self.reader.counted(int(number[1].replace(",", "")), *_NOUNS[number[2]])
        if (whole := self._sentence(said) or self._at_the_beginning(said)) is not None:
            return whole
        parts = enumerate(_LISTED.split(said))
        return "".join(self.reader.translated(part) if number % 2 else self._told(part) for number, part in parts)

    def _at_the_beginning(self, said: str) -> str | None:
        """Return a sentence again that begins with a capital only as it stands by itself."""
        inside = said[:1].lower() + said[1:]
        told = None if self.depth or inside == said else self._sentence(inside)
        return told and capital(told)

    def _told(self, said: str) -> str:
        return self._sentence(said) or self._deed(said) or self.reader.translated(said)

    def _sentence(self, said: str) -> str | None:
        plain, patterns = _patterns(self.forms) if self.depth < _DEEPEST else ({}, ())
        if (known := plain.get(said)) is not None:
            return self._formed(*known, {})
        for form, pattern, number in patterns:
            if found := pattern.fullmatch(said):
                return self._formed(form, number, found.groupdict())
        return None

    def _formed(self, form: Form, number: int, found: Mapping[str, str]) -> str:
        values: dict[str, object] = {name: self._value(name, value) for name, value in found.items()}
        if isinstance(form, str):
            return self.reader.gettext(form, **values)
        how_many = values.get("number", number)
        return self.reader.ngettext(*form, how_many if isinstance(how_many, int) else number, **values)

    def _deeper(self) -> _Retelling:
        return replace(self, depth=self.depth + 1)

    def _value(self, name: str, said: str) -> object:
        match name:
            case "number" | "some" | "count" if _NUMBER.fullmatch(said):
                return self.reader.grouped(int(said.replace(",", "")))
            case "instant" | "on" | "span":
                return self._time(name, said)
            case "names" if " and " in said:
                some, _, last = said.rpartition(" and ")
                return self.reader.gettext("%(some)s and %(last)s", some=some, last=last)
            case "listed" if found := _MORE.fullmatch(said):
                more = self.reader.grouped(int(found["more"].replace(",", "")))
                return self.reader.gettext("%(some)s and %(more)s more", some=found["some"], more=more)
            case "error":
                return self._deeper().whole(said)
            case "given":
                return self._given(said)
            case "deeds" | "doubts" | "reasons":
                return "; ".join(self._several(name, said))
        return self._deeper().part(said) if name in _PARTS else said

    def _given(self, said: str) -> str:
        """Return what is written in a document, or the word that stands for what is no text, or for nothing."""
        if said == "this":
            return self.reader.pgettext("value", "this")
        return self.reader.pgettext("value", "nothing") if said == "nothing" else said

    def _several(self, name: str, said: str) -> Iterable[str]:
        match name:
            case "deeds":
                return map(self._told, said.split("; "))
            case "doubts":
                return map(self.whole, said.split("; although "))
        return self._reasons(said.split("; "))

    def _time(self, name: str, said: str) -> str:
        with suppress(ValueError):  # of what only looks like a time
            match name:
                case "instant":
                    return self.reader.moment(datetime.fromisoformat(said))
                case "on":
                    return self.reader.date_of(date.fromisoformat(said))
                case "span" if said.endswith(" h"):
                    return f"{self.reader.number(float(said.removesuffix(' h')))} h"
        return self.part(said) if name == "span" else said

    def _reasons(self, said: Sequence[str]) -> Iterator[str]:
        """Yield sentences, some of which have a semicolon in them; what somebody has typed stays as it is."""
        at = 0
        while at < len(said):
            pair = "; ".join(said[at : at + 2])
            if (whole := self._sentence(said[at])) is None and (whole := self._sentence(pair)) is not None:
                at += 1
            yield said[at] if whole is None else whole
            at += 1

    def _deed(self, said: str) -> str | None:
        """Return what somebody did to a device, whose words follow a name."""
        if found := _deeds().fullmatch(said):
            return f"{found['who']} {self.reader.translated(found['deed'])}{found['rest']}"
        return None


@cache
def _patterns(
    forms: Forms,
) -> tuple[Mapping[str, tuple[Form, int]], tuple[tuple[Form, re.Pattern[str], int], ...]]:
    """Return those of *forms* that take no value, by what they say, and what recognises each of the others.

    Each comes as it is translated, and for how many it is if it has no number: 1, or 2.
    """
    each_way = [
        (form, each, number)
        for form in forms
        for number, each in enumerate((form,) if isinstance(form, str) else form, 1)
    ]
    plain = {
        each.replace("%%", "%"): (form, number) for form, each, number in reversed(each_way) if not _has_hole(each)
    }
    holed = [(form, each, number) for form, each, number in each_way if _has_hole(each)]
    return plain, tuple((form, re.compile(_expression(each), re.DOTALL), number) for form, each, number in holed)


def _has_hole(form: str) -> bool:
    return _HOLE.search(form) is not None


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
