"""What can go wrong in a way that a user can mend.

::

    GitupdError                 message for people; exit code 1 on the command line
     ├─ MalformedRequest        a device's request that is answered with 400
     ├─ InvalidConfiguration    carries every Problem found
     ├─ InvalidEntry            what a person entered can't be taken: a name, a password, a role
     ├─ UnreadableRepository    the Git repository, or the revision asked for, can't be read
     ├─ Interrupted             what reads or writes a repository was ended from outside; it may go well next time
     └─ SiteError               a site is missing, damaged, or in the wrong state for what was asked
         ├─ UnusableDatabase    the database can't be used
         └─ Doubtful            what was asked for needs somebody who means it (core/deployments/objection)

Anything else that is raised is a bug, and shows its traceback.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How much a problem matters: an error keeps a commit from being deployed, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with one place of a configuration.

    ``line`` and ``column`` count from 1; 0 means the file as a whole. ``hint`` says how to mend it, or is empty.
    """

    path: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """Return ``path:line:column: message; hint``, leaving out what is not known."""
        place = ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])
        text = f"{self.message}; {self.hint}" if self.hint else self.message
        warning = "warning: " if self.severity is Severity.WARNING else ""
        return f"{place}: {warning}{text}"


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of *problems* keeps a commit from being deployed."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def is_out_of_files(error: BaseException | None) -> bool:
    """Whether *error*, or what it comes from, is that no more files can be opened: no fault of the program."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__ or error.__context__
    return False


class GitupdError(Exception):
    """Something a user can mend; the text says what and how."""


class MalformedRequest(GitupdError):
    """A request that no device sends: it is refused and changes nothing."""


class InvalidEntry(GitupdError):
    """What a person entered can't be taken: nothing is changed."""


class UnreadableRepository(GitupdError):
    """A Git repository or a revision of it can't be read."""


class Interrupted(GitupdError):
    """A program that reads or writes a repository was ended from outside: that says nothing of the repository."""


class SiteError(GitupdError):
    """A site is missing, damaged, or not in the state that the request needs."""


class UnusableDatabase(SiteError):
    """The database can't be used, for now or at all; nothing was written."""


class InvalidConfiguration(GitupdError):
    """A configuration with at least one error; ``problems`` holds all of them, warnings included, in order of place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))
