"""Snippets: what their names say, and whether that exists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.config.schema import suggestion
from gitupd.config.sealed import ENDING as SEALED
from gitupd.config.sealed import unsealed
from gitupd.core.names import ALL, SERIAL_PLACE, fold
from gitupd.core.snapshot import Snippet
from gitupd.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gitupd.config.structure import Names
    from gitupd.config.templates import CheckedTemplate
    from gitupd.core.secrets.sealed import Opener

FOLDER = "snippets/"
ENDING = ".txt"
TEMPLATE = ".j2"
LARGEST_TEMPLATES = 2**20
"""How large all templates may be together, in bytes: to parse one takes far longer than to read a snippet."""
_NOTES = (".", "README")
"""How files begin that are about snippets: they are none, unless a phase is called so."""


def read_snippets(
    files: Mapping[str, bytes],
    names: Names,
    problems: list[Problem],
    opener: Opener | None = None,
    sealed: list[Problem] | None = None,
) -> tuple[Snippet, ...]:
    """Return the snippets among *files* whose names are well-formed.

    Whatever is wrong with a name is a problem, and so is a template that can't be used; that one is empty. What is
    encrypted is opened by *opener*, None where there is no key; what keeps it from that goes to *sealed*.
    """
    allowed = _Names(names)
    snippets: dict[tuple[str, str, str], Snippet] = {}
    room = LARGEST_TEMPLATES
    for path, content in files.items():
        if not path.startswith(FOLDER) or allowed.is_note(path.removeprefix(FOLDER)):
            continue
        snippet = _named(path, content, problems)
        if snippet is None:
            continue
        problems += allowed.check(snippet, problem_count=len(problems))
        key = (snippet.phase, snippet.device_class, snippet.place)
        if key in snippets:
            problems.append(Problem(path, 0, 0, _twin(snippet, snippets[key]), "keep one of the two"))
        if path.endswith(SEALED):
            plain, seal = unsealed(path, content, opener, problems if sealed is None else sealed)
            snippet = replace(snippet, content=plain, seal=seal)
        if path.removesuffix(SEALED).endswith(TEMPLATE) and not (snippet.seal and snippet.seal.fault):
            room -= len(snippet.content)
            snippet = _parsed(snippet, problems, room)
        snippets[key] = snippet
    return tuple(snippets.values())


def _twin(snippet: Snippet, other: Snippet) -> str:
    """Return what two files have in common that are called the same."""
    if fold(snippet.path) == fold(other.path):
        return f"differs from {other.path} only in case"
    return f"is for the same devices as {other.path}"


def _parsed(snippet: Snippet, problems: list[Problem], room: int) -> Snippet:
    """Return *snippet* with the template that is in it, for which there is so much *room*."""
    from gitupd.config.templates import read_template  # noqa: PLC0415 - Jinja is for configurations with templates

    if room < 0:
        message = f"the templates are more than {LARGEST_TEMPLATES >> 20} MiB in all"
        template: CheckedTemplate | Problem = Problem(snippet.path, 0, 0, message, "write snippets without variables")
    else:
        template = read_template(snippet.path, snippet.content, secret=snippet.seal is not None)
    if isinstance(template, Problem):
        problems.append(template)
        return replace(snippet, content=b"")
    return replace(snippet, template=template)


def _named(path: str, content: bytes, problems: list[Problem]) -> Snippet | None:
    name = path.removeprefix(FOLDER)
    file = name.removesuffix(SEALED).removesuffix(TEMPLATE)
    stem = file.removesuffix(ENDING)
    first, last = stem.find("-"), stem.rfind("-")
    if "/" in name or stem == file or first in (last, 0) or last == first + 1 or last == len(stem) - 1:
        hint = "write phase-class-environment.txt, such as update-phone-default.txt"
        problems.append(Problem(path, 0, 0, "not the name of a snippet", hint))
        return None
    return Snippet(path, fold(stem[:first]), fold(stem[first + 1 : last]), fold(stem[last + 1 :]), content)


class _Names:
    """The folded names that parts of a snippet's name may be."""

    def __init__(self, names: Names) -> None:
        # The keys are what exists, in the order in which it is suggested: sorted once, as there may be many of both.
        self._phases = _in_order(names.phases)
        self._classes = _in_order(None if names.classes is None else (*names.classes, *names.models))
        self._places = _in_order(names.environments)

    def is_note(self, name: str) -> bool:
        """Whether the file called *name* is about snippets, and none itself."""
        named = fold(name.partition("-")[0])
        return name.startswith(_NOTES) and (self._phases is None or named not in self._phases)

    def check(self, snippet: Snippet, *, problem_count: int) -> Iterable[Problem]:
        """Yield what in the snippet's name doesn't exist; *problem_count* is how many problems there are already."""
        unknown: list[tuple[str, str, Collection[str]]] = []
        if self._phases is not None and snippet.phase not in self._phases:
            unknown.append(("phase", snippet.phase, self._phases))
        if self._classes is not None and snippet.device_class not in self._classes:
            unknown.append(("class or model", snippet.device_class, self._classes))
        place_exists = self._places is None or snippet.place in self._places or SERIAL_PLACE.fullmatch(snippet.place)
        if self._places is not None and not place_exists:
            unknown.append(("environment", snippet.place, self._places))
        for what, name, existing in unknown:
            hint = suggestion(name, existing, told=problem_count)
            yield Problem(snippet.path, 0, 0, f"unknown {what} {name!r}", hint)


def _in_order(names: Iterable[str] | None) -> Collection[str] | None:
    return None if names is None else dict.fromkeys(sorted({ALL, *map(fold, names)}))
