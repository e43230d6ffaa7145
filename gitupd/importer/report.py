"""What an import has to say: errors that stop it, and notes on what looks like a mistake or has no equal."""

from __future__ import annotations

from gitupd.errors import InvalidConfiguration, Problem, Severity

_LONGEST = 120


class Report:
    """Collects problems; ``path`` is that of the configuration file, relative to the installation."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._problems: list[Problem] = []

    def error(self, line: int, message: str, hint: str) -> None:
        """Record what keeps the configuration from being imported."""
        self._problems.append(Problem(self._path, line, 0, message, hint))

    def note(self, line: int, message: str, hint: str = "") -> None:
        """Record what the administrator ought to know about the configuration file."""
        self.note_file(self._path, message, hint, line)

    def note_file(self, path: str, message: str, hint: str = "", line: int = 0) -> None:
        """Record what the administrator ought to know about another file of the installation."""
        self._problems.append(Problem(path, line, 0, message, hint, Severity.WARNING))

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
