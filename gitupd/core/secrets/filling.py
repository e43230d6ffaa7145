"""Snippets as one device gets them: templates filled in, what is secret left out or shown as such, or why it fails."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gitupd.core.concealing import HIDDEN
from gitupd.core.secrets.sealed import NO_KEY, SECRETS, Seal
from gitupd.core.secrets.template import FACTS, LISTS, MOST_ITEMS, Masked, Unfilled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitupd.core.secrets.template import Template
    from gitupd.core.snapshot import Snippet

_NO_VALUE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would make more than one line of one, or is seen by nobody."""

_WORD = re.compile(rf"[^\s/&]{{0,{FACTS['hwid']}}}")
_CLOSED = f"# {HIDDEN} not opened here\n".encode()
_MASK = Masked(HIDDEN)


@dataclass(frozen=True, slots=True)
class Filling:
    """What a device gets of the snippets that fit it; with a ``failure`` it gets nothing at all.

    ``withheld`` are the paths of those that it would get if it had proved who it is, with their seals. If something is
    ``unknown``, as it is encrypted and there is no key, the snippets are what can be said of them.
    """

    snippets: tuple[Snippet, ...] = ()
    withheld: tuple[str, ...] = ()
    unknown: bool = False
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What is filled into the templates for one device: ``variables`` by name, and what is known of the ``device``.

    ``secrets`` are more variables; of those that are neither, ``seal`` says where they may be, None if nowhere. Only a
    device that has ``proved`` who it is gets them.
    """

    variables: Mapping[str, str]
    device: Mapping[str, str | tuple[str, ...]]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_names: frozenset[str] = frozenset()
    plain_names: frozenset[str] = frozenset()
    seal: Seal | None = None
    proved: bool = True

    def fill(self, snippets: Iterable[Snippet]) -> Filling:
        """Return *snippets* as the device gets them."""
        made: list[Snippet] = []
        withheld: list[str] = []
        unknown = False
        try:
            for snippet in snippets:
                used = self._secrets_in(snippet.template)
                seals = [seal for seal in (snippet.seal, self.seal if used else None) if seal is not None]
                if seals and not self.proved:
                    withheld.append(f"{snippet.path} ({seals[0]})")
                    continue
                unknown = unknown or any(seal.fault == NO_KEY for seal in seals)
                made.append(self._made(snippet, used, seals))
        except Unfilled as error:
            return Filling(failure=str(error))
        return Filling(tuple(made), tuple(withheld), unknown)

    def _secrets_in(self, template: Template | None) -> frozenset[str]:
        """Return the secrets that *template* mentions: of a file that is closed, all that is nowhere else."""
        if template is None or self.seal is None:
            return frozenset()
        if self.seal.fault is None:
            return self.secret_names & template.lines.keys()
        return frozenset(template.lines.keys() - self.plain_names)

    def _made(self, snippet: Snippet, used: frozenset[str], seals: list[Seal]) -> Snippet:
        """Return *snippet*, which mentions the secrets *used* and has these *seals*, as the device gets it."""
        closed = next((seal for seal in seals if seal.fault is not None), None)
        if closed is not None and closed.fault != NO_KEY:
            path = snippet.path if closed is snippet.seal else SECRETS
            raise Unfilled(f"{path} can't be decrypted: {closed.fault}")
        template = snippet.template
        opaque = snippet.seal is not None or (template is not None and bool(used & template.entangled))
        if closed is not None and opaque:
            return replace(snippet, content=_CLOSED, note=f", {closed}")
        note = f", {seals[0] if snippet.seal else f'with secrets ({seals[0]})'}" if seals else ""
        if template is not None:
            values = self.variables if closed is not None else {**self.variables, **self.secrets}
            masked = self._filled(snippet.path, template, {**values, **dict.fromkeys(used, _MASK)}) if used else b""
            content = masked if closed is not None else self._filled(snippet.path, template, values)
            snippet = replace(snippet, content=content)
            if used and not opaque:
                return replace(snippet, shown=replace(snippet, content=masked).lines, note=note)
        return replace(snippet, shown=(HIDDEN.encode(),) * len(snippet.lines), note=note) if opaque else snippet

    def _filled(self, path: str, template: Template, variables: Mapping[str, str]) -> bytes:
        """Return the text of *template*; raises Unfilled."""
        try:
            return template.filled(_values(template.lines, variables), self._facts(template.facts)).encode()
        except Unfilled as error:
            raise Unfilled(f"{path}: {error}") from None

    def _facts(self, names: frozenset[str]) -> Mapping[str, str | tuple[str, ...]]:
        # The device says its hardware id itself: with a blank in it, it would be given an option of its own choice.
        if "hwid" in names and not _WORD.fullmatch(str(self.device["hwid"])):
            raise Unfilled("a hardware id with a blank or a slash, or of that length, is not filled in")
        for name in LISTS & names:
            if len(self.device[name]) > MOST_ITEMS:
                raise Unfilled(f"more than {MOST_ITEMS} {name} are not gone through")
        return self.device


def _values(names: Iterable[str], variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the values of the *variables* called *names*, as far as there are any; raises Unfilled."""
    values = {name: variables[name] for name in names if name in variables}
    for name, value in values.items():
        if _NO_VALUE.search(value):  # a document has none, but a line break would be one more command
            raise Unfilled(f"the value of {name!r} has a line break or another control character")
    return values
