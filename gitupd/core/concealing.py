"""Secrets in scripts and configurations, kept from those who may not see them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.endpoint import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gitupd.core.patterns import Occurrence, TextPattern
    from gitupd.core.snapshot import Snapshot

_WORDS = r"pass(?:word|wd|phrase)?|secret|token|psk|pwd|pw|pin|credentials?|(?:api|auth|private|shared)[_-]?key"
_NAME = re.compile(rf"(?:^|[._-])(?:{_WORDS})\d*(?:$|[._-])|password|passwd|secret", re.IGNORECASE)
_ASSIGNED = re.compile(r"""(?P<name>(?<![\w.-])[\w.-]++)["']?[ \t]*[:=][ \t]*(?=\S)""")
_CREDENTIALS = re.compile(
    r"(?::|%(?:25)*3a)(?:/|%(?:25)*2f){2}(?:(?!%(?:25)*(?:2f|3a))[^/@\s:])*(?::|%(?:25)*3a)"
    r"((?:(?!%(?:25)*2f)[^/\s])*)(?:@|%(?:25)*40)",
    re.IGNORECASE,
)
"""Name and password in a URL, which may be percent-encoded as a whole, and once more as a part of another one."""

_CODED = re.compile("%[0-9A-F]{2}")
_SHORTEST = 4
"""A value shorter than this would be found in half of all words."""


def looks_secret(name: str) -> bool:
    """Whether *name*, of a variable or a key, says that its value is nobody's business."""
    return _NAME.search(name) is not None


class Values:
    """Texts to be hidden wherever they occur; each device may have its own, so there may be ten thousands."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Hide *texts*, of which those that are shorter than four characters are left out."""
        self._by_start: dict[str, list[str]] = {}
        for text in sorted({text for text in texts if len(text) >= _SHORTEST}, key=len, reverse=True):
            self._by_start.setdefault(text[:_SHORTEST], []).append(text)

    @property
    def digest(self) -> str:
        """What is the same for the same texts, and tells nothing of them."""
        texts = sorted(text for listed in self._by_start.values() for text in listed)
        return hashlib.sha256("\0".join(texts).encode(errors="replace")).hexdigest()

    def hidden(self, text: str) -> str:
        """Return *text* with ``***`` for each of the texts, the longest where several begin."""
        if not self._by_start:
            return text
        if self._by_start.keys().isdisjoint([text[at : at + _SHORTEST] for at in range(len(text))]):
            return text  # as most lines are, and this is ten times as fast
        parts: list[str] = []
        done = at = 0
        while at < len(text):
            candidates = self._by_start.get(text[at : at + _SHORTEST], ())
            secret = next((candidate for candidate in candidates if text.startswith(candidate, at)), "")
            if secret:
                parts += (text[done:at], HIDDEN)
                done = at + len(secret)
            at += len(secret) or 1
        return "".join((*parts, text[done:]))


_NONE = Values()


_CHECK = re.compile(r"(?i)\bcheck\b.{0,20}?([0-9a-f]{32})(?![0-9a-f])")
"""A CHECK serial in a command, an address or a configuration: a digest of all lines of a script, secrets included."""

_VERB = re.compile(r"(config|mod|vars) ")
"""How nearly all lines of a configuration begin, secret or not."""

_AT_THE_MARGIN = re.compile(r"[A-Za-z_]{1,40}:(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Veil:
    """Hides secrets from a reader: what matches ``patterns``, and ``values`` wherever they occur.

    What is ``sealed`` in the configuration it hides from everybody. One that is ``lifted`` hides nothing else. One that
    is ``blind`` does not know all values: they may be in a commit that can't be loaded. One that is ``shut`` is for a
    time of which nobody knows any more what was secret: of each line it shows the verb.
    """

    patterns: tuple[TextPattern, ...] = ()
    values: Values = _NONE
    lifted: bool = False
    blind: bool = False
    shut: bool = False
    sealed: tuple[Values, ...] = ()

    @classmethod
    def over(cls, snapshots: Collection[Snapshot]) -> Veil:
        """Return the veil that hides what any of *snapshots* takes for secret."""
        patterns: dict[TextPattern, None] = {}
        values: set[str] = set()
        for snapshot in snapshots:
            patterns |= dict.fromkeys(snapshot.policy.backup.hide)
            values |= set(_values(snapshot))
        return cls(tuple(patterns), Values(values), sealed=sealed_in(snapshots))

    @property
    def digest(self) -> str:
        """What is the same for veils that hide the same, and tells nothing of that."""
        kept = (*((pattern.pattern, pattern.flags) for pattern in self.patterns), self.values.digest)
        more = (*(values.digest for values in self.sealed), self.lifted, self.blind, self.shut)
        return hashlib.sha256(repr((kept, more)).encode(errors="replace")).hexdigest()

    def line(self, text: str) -> str:
        """Return one line of a script with ``***`` for secrets."""
        for values in self.sealed:
            text = values.hidden(text)
        if self.lifted:
            return text
        if self.shut:
            verb = _VERB.match(text)
            return f"{verb[0]}{HIDDEN}" if verb else HIDDEN if text.strip() else text
        return self.values.hidden(self.command(text))

    def command(self, text: str) -> str:
        """Return one line that is made of what a device, or the reader, says of itself.

        In it ``values`` are left as they are: whoever may say anything would learn from them which guess is right.
        """
        if self.lifted:
            return text
        if "check" in text or "CHECK" in text:
            text = hidden(text, (_CHECK,))
        return hidden(text, (_CREDENTIALS, *self.patterns) if "@" in text or "%" in text else self.patterns)

    def variable(self, name: str, value: str) -> str:
        """Return what is assigned to *name*, or ``***`` if the name looks secret; *value* may have several lines."""
        if not self.lifted and value and (looks_secret(name) or name.upper() == "CHECK"):
            return HIDDEN
        return "\n".join(map(self.line, value.split("\n")))

    def check(self, serial: str | None) -> str | None:
        """Return a CHECK *serial* as it may be seen: it tells whether a guess at a secret of its script is right."""
        return serial if self.lifted or not serial else HIDDEN

    def document(self, text: str) -> str:
        """Return one line of a YAML document; with ``blind`` no more of it than what it begins with at its margin."""
        if self.lifted or not self.blind or not text.strip():
            return self.source(text)
        key = _AT_THE_MARGIN.match(text)
        if key and not text[key.end() :].strip():
            return text
        return f"{key[0]} {HIDDEN}" if key else f"{text[: len(text) - len(text.lstrip())]}{HIDDEN}"

    def source(self, text: str) -> str:
        """Return one line of any file: also what is assigned to a name that looks secret is hidden, to the line's end.

        That hides too much of a line now and then, which is the better mistake.
        """
        for assignment in () if self.lifted else _ASSIGNED.finditer(text):
            if looks_secret(assignment["name"]):
                return self.line(text[: assignment.end()]) + HIDDEN
        return self.line(text)


def sealed_in(snapshots: Iterable[Snapshot]) -> tuple[Values, ...]:
    """Return what is encrypted in *snapshots*, and open here."""
    return tuple(snapshot.sealed for snapshot in snapshots if snapshot.secrets is not None)


def _values(snapshot: Snapshot) -> Iterator[str]:
    """Yield what the variables of *snapshot* say that look secret, also in the ways that commands and URLs have it."""
    for environment in snapshot.policy.environments.values():
        yield from _secret(environment.variables)
    for device in snapshot.devices.values():
        yield from _secret(device.variables)


def _secret(variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in variables.items():
        if looks_secret(name):
            for line in filter(None, map(str.strip, str(value).splitlines())):
                yield from written(line)


def written(text: str) -> Iterator[str]:
    """Yield *text* and what it becomes in commands, in URLs, and in URLs that are arguments of commands."""
    coded = quoted(text)
    forms = (text, coded, _small(coded), coded.replace("%20", "+"), _small(coded).replace("%20", "+"))
    yield from forms
    yield from (quoted(form) for form in forms[1:])


def _small(coded: str) -> str:
    """Return percent-encoded text with the numbers of characters in small letters."""
    return _CODED.sub(lambda match: match[0].lower(), coded)


HIDDEN = "***"


def hidden(text: str, patterns: Iterable[TextPattern]) -> str:
    """Return *text* with ``***`` for the last group of each match of *patterns*, for all of it where there is none."""
    for pattern in patterns:
        if (first := pattern.search(text)) is not None:
            parts: list[str] = []
            done = 0
            for start, end in _secrets(text, pattern, first):
                parts += (text[done:start], HIDDEN)
                done = end
            text = "".join((*parts, text[done:]))
    return text


def _secrets(text: str, pattern: TextPattern, first: Occurrence) -> Iterator[tuple[int, int]]:
    """Yield where secrets start and end in *text*, in order, from the first match on.

    What is taken for a secret may be what names the next one: in ``/pw /psk abc`` the first has no value. So the next
    match may begin within it, or with the character in front of it.
    """
    match: Occurrence | None = first
    hidden_to = 0
    while match is not None:
        start, end = match.span(pattern.groups)
        if end > max(start, hidden_to):  # else the group took no part, or is empty, or known from the match before
            yield max(start, hidden_to), end
            again, hidden_to = max(start - 1, match.start() + 1), end
        else:
            again = max(match.end() - 1, hidden_to - 1, match.start() + 1)
        match = pattern.search(text, again) if max(again, hidden_to) < len(text) else None
