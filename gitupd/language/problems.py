"""What is wrong with files of a configuration, told again in the reader's language.

A message has a form as a whole, and so has the cure. Descriptions in schemas are cures as well: they are texts of the
catalogue and have no forms, as they take no values. What stands in files is never translated.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.language.forms.all import PROBLEMS
from gitupd.language.languages import SOURCE
from gitupd.language.sentences import LONGEST, retold_whole

if TYPE_CHECKING:
    from gitupd.errors import Problem
    from gitupd.language.reader import Reader

_MOST_LINES = 100
_MOST_PARTS = 5
"""Into so many parts a message and its cure may be divided by semicolons, which both may have."""
_LINE = re.compile(r"(?P<place>[^ :]+(?::\d+){0,2}): (?P<warning>warning: )?(?P<said>.+)")


def problem_retold(problem: Problem, reader: Reader) -> Problem:
    """Return *problem* with its words in the language of *reader*; what has no form stays as it is."""
    return replace(problem, message=retold_whole(problem.message, reader, PROBLEMS), hint=_cure(problem.hint, reader))


def report_retold(report: str, reader: Reader) -> str:
    """Return in the language of *reader* a *report* with a problem on each line, as far as anybody reads on.

    Lines that are something else stay as they are.
    """
    if reader.language == SOURCE:
        return report
    first, *rest = report.split("\n", _MOST_LINES)
    told, left = [first, *rest[: _MOST_LINES - 1]], rest[_MOST_LINES - 1 :]
    return "\n".join((*(_line(line, reader) for line in told), *left))


def _line(line: str, reader: Reader) -> str:
    found = _LINE.fullmatch(line)
    if found is None or len(line) > LONGEST:
        return line
    said = _said(found["said"], reader)
    if found["warning"]:
        said = reader.gettext("warning: %(said)s", said=said)
    return f"{found['place']}: {said}"


def _said(said: str, reader: Reader) -> str:
    """Return a message with the cure behind it, divided where both are known, or else the message alone."""
    parts = said.split("; ", _MOST_PARTS)
    ways = [("; ".join(parts[:at]), "; ".join(parts[at:])) for at in range(len(parts), 0, -1)]
    told = [(message, cure, retold_whole(message, reader, PROBLEMS), _cure(cure, reader)) for message, cure in ways]
    known = [each for each in told if each[2] != each[0]]
    whole = [each for each in known if each[3] != each[1]]
    for _, _, message, cure in (*whole, *known):
        return f"{message}; {cure}" if cure else message
    return said


def _cure(hint: str, reader: Reader) -> str:
    told = retold_whole(hint, reader, PROBLEMS)
    return reader.translated(hint) if told == hint else told
