"""What is kept from people who may not see secrets, besides what the configuration's own patterns hide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.secrets import HIDDEN, hidden
from gitupd.core.url import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.core.snapshot import Snapshot

_WORDS = r"pass(?:word|wd|phrase)?|secret|token|psk|pwd|pw|pin|credentials?|(?:api|auth|private|shared)[_-]?key"
_NAME = re.compile(rf"(?:^|[._-])(?:{_WORDS})\d*(?:$|[._-])|password|passwd|secret", re.IGNORECASE)
_ASSIGNED = re.compile(r"""(?P<name>[\w.-]+)["']?[ \t]*[:=][ \t]*(?=\S)""")
_SHORTEST = 4
"""A value shorter than this would be found in half of all words."""


def looks_secret(name: str) -> bool:
    """Whether *name*, of a variable or a key, says that its value is nobody's business."""
    return _NAME.search(name) is not None


@dataclass(frozen=True, slots=True)
class Veil:
    """Hides secrets from a reader: what matches ``patterns``, and ``values`` wherever they occur.

    One that is ``lifted`` hides nothing.
    """

    patterns: tuple[re.Pattern[str], ...] = ()
    values: re.Pattern[str] | None = None
    lifted: bool = False

    @classmethod
    def over(cls, snapshots: Iterable[Snapshot]) -> Veil:
        """Return the veil that hides what any of *snapshots* takes for secret."""
        patterns: dict[re.Pattern[str], None] = {}
        values: set[str] = set()
        for each in snapshots:
            patterns |= dict.fromkeys(each.policy.backup.hide)
            values |= set(_values(each))
        ordered = sorted(values, key=lambda value: (-len(value), value))
        return cls(tuple(patterns), re.compile("|".join(map(re.escape, ordered))) if ordered else None)

    def line(self, text: str) -> str:
        """Return one line of a script with ``***`` for secrets."""
        if self.lifted:
            return text
        text = hidden(text, self.patterns)
        return self.values.sub(HIDDEN, text) if self.values else text

    def source(self, text: str) -> str:
        """Return one line of any file: also what is assigned to a name that looks secret is hidden, to the line's end.

        That hides too much of a line now and then, which is the better mistake.
        """
        for found in () if self.lifted else _ASSIGNED.finditer(text):
            if looks_secret(found["name"]):
                return self.line(text[: found.end()]) + HIDDEN
        return self.line(text)


def _values(snapshot: Snapshot) -> Iterator[str]:
    """Yield what the variables of *snapshot* say that look secret, also as it is written in commands."""
    for environment in snapshot.policy.environments.values():
        yield from _secret(environment.variables)
    for device in snapshot.devices.values():
        yield from _secret(device.variables)


def _secret(variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in variables.items():
        if looks_secret(name):
            for line in filter(None, map(str.strip, str(value).splitlines())):
                if len(line) >= _SHORTEST:
                    yield line
                    yield quoted(line)
