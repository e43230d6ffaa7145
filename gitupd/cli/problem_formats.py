"""How the problems of a configuration are printed: for people, for programs, and for the hosts of Git repositories."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import click

from gitupd import __version__
from gitupd.cli.terminal import harmless
from gitupd.errors import Problem, Severity
from gitupd.service.facts import problem_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def _text(problems: Iterable[Problem]) -> None:
    for problem in problems:
        click.echo(harmless(str(problem)))


def _json(problems: Iterable[Problem]) -> None:
    click.echo(json.dumps([problem_facts(problem) for problem in problems], indent=2))


def _github(problems: Iterable[Problem]) -> None:
    """Print workflow commands, of which GitHub, Forgejo and Gitea make notes at lines."""
    for problem in problems:
        place = "".join(
            f",{name}={value}" for name, value in (("line", problem.line), ("col", problem.column)) if value
        )
        click.echo(f"::{problem.severity} file={_escaped(problem.path)}{place}::{_escaped(_sentence(problem))}")


def _gitlab(problems: Sequence[Problem]) -> None:
    """Print a report on code quality: GitLab shows what a merge request adds to that of its target."""
    alike: Counter[str] = Counter()
    notes = []
    for problem in problems:
        # Without the line, for a problem that has only moved is no new one; but two that are alike are two.
        identity = f"{problem.path}\0{problem.severity}\0{problem.message}"
        alike[identity] += 1
        notes.append(_quality(problem, f"{identity}\0{alike[identity]}"))
    click.echo(json.dumps(notes, indent=2))


def _sarif(problems: Sequence[Problem]) -> None:
    """Print a log in the Static Analysis Results Interchange Format, version 2.1.0."""
    driver = {"name": "gitupd", "version": __version__, "rules": [{"id": _RULE}]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": list(map(_result, problems))}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    click.echo(json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2))


PRINTERS: dict[str, Callable[[Sequence[Problem]], None]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "gitlab": _gitlab,
    "sarif": _sarif,
}
"""What prints problems, by the name of the format."""

_RULE = "configuration"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}
_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor"}


def _sentence(problem: Problem) -> str:
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message


def _quality(problem: Problem, identity: str) -> dict[str, Any]:
    return {
        "description": _sentence(problem),
        "check_name": _RULE,
        "fingerprint": sha256(identity.encode(errors="replace")).hexdigest(),
        "severity": _SEVERITIES[problem.severity],
        "location": {"path": problem.path, "lines": {"begin": problem.line or 1}},
    }


def _result(problem: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.path)}}
    if problem.line:
        region = {"startLine": problem.line, **({"startColumn": problem.column} if problem.column else {})}
        place["region"] = region
    return {
        "ruleId": _RULE,
        "level": _LEVELS[problem.severity],
        "message": {"text": _sentence(problem)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - for this format alone; a hook waits for this module

    return quote(path, errors="replace")


def _escaped(text: str) -> str:
    for letter in "%\r\n:,":
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
