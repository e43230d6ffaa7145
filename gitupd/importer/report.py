"""What an import has to say: errors that stop it, and notes on what looks like a mistake or has no equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.errors import InvalidConfiguration, Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST = 120
_MOST_NAMED = 30


@dataclass(frozen=True, slots=True)
class Passage:
    """Where something stands in the configuration: a file of the installation, and a line from 1.

    What stands nowhere is a default of the PHP server that nobody has changed; a place without a ``path`` is in the
    user's configuration, and one of line 0 is false.
    """

    path: str = ""
    line: int = 0

    def __bool__(self) -> bool:
        """Whether somebody wrote this."""
        return self.line > 0


NOWHERE = Passage()


class Report:
    """Collects problems; ``path`` is that of the user's configuration, relative to the installation."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._problems: list[Problem] = []
        self._told: set[str] = set()

    def error(self, place: Passage, message: str, hint: str) -> None:
        """Record what keeps the configuration from being imported."""
        self._problems.append(Problem(place.path or self._path, place.line, 0, message, hint))

    def note(self, place: Passage, message: str, hint: str = "") -> None:
        """Record what the administrator ought to know about the configuration."""
        self.note_file(place.path or self._path, message, hint, place.line)

    def note_file(self, path: str, message: str, hint: str = "", line: int = 0) -> None:
        """Record what the administrator ought to know about another file of the installation."""
        self._problems.append(Problem(path, line, 0, message, hint, Severity.WARNING))

    def note_left_out(self, folder: str, names: Sequence[str], fault: str) -> None:
        """Record that files called *names* in *folder*, empty for the installation's own, are left out for one reason.

        However many they are, that is one note; *folder* and names are as they lie on the disk.
        """
        paths = [shown(f"{folder}/{name}" if folder else name)[1:-1] for name in names]
        self._told.update(paths)
        if len(names) == 1:
            self.note_file(paths[0], f"left out: {fault}")
        else:
            place = shown(f"{folder}/")[1:-1] if folder else "."
            self.note_file(place, f"{len(names):,} left out: {fault}: {listed(names)}")

    @property
    def told(self) -> frozenset[str]:
        """The files that notes are about, as messages name them."""
        return frozenset({problem.path for problem in self._problems} | self._told)

    def raise_errors(self) -> None:
        """Raise InvalidConfiguration with everything recorded so far if there is an error among it."""
        if any(problem.severity is Severity.ERROR for problem in self._problems):
            raise InvalidConfiguration(self._problems)

    @property
    def notes(self) -> tuple[Problem, ...]:
        """Everything recorded, in order of place."""
        return tuple(sorted(set(self._problems)))


def shown(text: str) -> str:
    """Return *text* in quotes, short and without anything that could disturb a terminal."""
    clean = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return f'"{clean[:_LONGEST]}{"…" if len(clean) > _LONGEST else ""}"'


def listed(names: Iterable[str]) -> str:
    """Return *names* with commas between them, the first few of many."""
    quoted = [shown(name)[1:-1] for name in names]
    more = f" and {len(quoted) - _MOST_NAMED:,} more" if len(quoted) > _MOST_NAMED else ""
    return ", ".join(quoted[:_MOST_NAMED]) + more
