"""Snippets as one device gets them: templates filled in, or the reason why they can't be."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitupd.core.secrets.template import FACTS, LISTS, MOST_ITEMS, Unfilled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitupd.core.snapshot import Snippet

_NO_VALUE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would make more than one line of one, or is seen by nobody."""

_WORD = re.compile(rf"[^\s/&]{{0,{FACTS['hwid']}}}")


@dataclass(frozen=True, slots=True)
class Filling:
    """What a device gets of the snippets that fit it; with a ``failure`` it gets nothing at all."""

    snippets: tuple[Snippet, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What is filled into the templates for one device: ``variables`` by name, and what is known of the ``device``."""

    variables: Mapping[str, str]
    device: Mapping[str, str | tuple[str, ...]]

    def fill(self, snippets: Iterable[Snippet]) -> Filling:
        """Return *snippets* as the device gets them."""
        try:
            return Filling(tuple(map(self._one, snippets)))
        except Unfilled as error:
            return Filling(failure=str(error))

    def _one(self, snippet: Snippet) -> Snippet:
        if snippet.template is None:
            return snippet
        try:
            text = snippet.template.filled(self._values(snippet.template.lines), self._facts(snippet.template.facts))
        except Unfilled as error:
            raise Unfilled(f"{snippet.path}: {error}") from None
        return replace(snippet, content=text.encode())

    def _values(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the values of the variables called *names*, as far as there are any; raises Unfilled."""
        values = {name: self.variables[name] for name in names if name in self.variables}
        for name, value in values.items():
            if _NO_VALUE.search(value):  # a document has none, but a line break would be one more command
                raise Unfilled(f"the value of {name!r} has a line break or another control character")
        return values

    def _facts(self, names: frozenset[str]) -> Mapping[str, str | tuple[str, ...]]:
        # The device says its hardware id itself: with a blank in it, it would be given an option of its own choice.
        if "hwid" in names and not _WORD.fullmatch(str(self.device["hwid"])):
            raise Unfilled("a hardware id with a blank or a slash, or of that length, is not filled in")
        for name in LISTS & names:
            if len(self.device[name]) > MOST_ITEMS:
                raise Unfilled(f"more than {MOST_ITEMS} {name} are not gone through")
        return self.device
