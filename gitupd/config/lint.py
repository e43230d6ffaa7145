"""What is allowed in snippets but hardly meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitupd.core.names import ALL, fold
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.snapshot import Snapshot, Snippet

_OWN_BUSINESS = re.compile(rb"(config +(write|activate)|i?resetn?)\b", re.IGNORECASE)
_CONFIG = re.compile(rb"config +(?:add|change|rem) ", re.IGNORECASE)
_SUSPECT = re.compile(rb"config |vars create |i?resetn?\b|[^\x09\x20-\x7e]", re.IGNORECASE)
_MOST_PER_SNIPPET = 20


def lint_snippets(snippets: Iterable[Snippet]) -> Iterator[Problem]:
    """Yield warnings on the contents of *snippets*, a few of each at the most."""
    for snippet in snippets:
        found = list(_lint(snippet))
        yield from found[:_MOST_PER_SNIPPET]
        if len(found) > _MOST_PER_SNIPPET:
            yield _warning(snippet, 0, 0, f"{len(found) - _MOST_PER_SNIPPET} more warnings")


def _lint(snippet: Snippet) -> Iterator[Problem]:
    if snippet.content.startswith(b"\xef\xbb\xbf"):
        yield _warning(snippet, 1, 1, "a byte order mark, which makes the first line unknown to devices", "remove it")
    for number, line in enumerate(snippet.lines, 1):
        if _SUSPECT.search(line):
            yield from _lint_line(snippet, number, line)


def _lint_line(snippet: Snippet, number: int, line: bytes) -> Iterator[Problem]:
    column = len(line) - len(line.lstrip()) + 1
    command = line.strip()
    if not command.startswith(b"#"):
        if _OWN_BUSINESS.match(command):
            hint = "remove it: gitupd sends it behind all snippets"
            yield _warning(snippet, number, column, f"{command.decode(errors='replace')!r} inside a snippet", hint)
        elif (stray := _stray_word(command)) is not None:
            word = stray.decode(errors="replace")
            hint = "write a blank inside a value as + or %20"
            yield _warning(
                snippet, number, line.find(stray) + 1, f"{word!r} is cut off from its value by a blank", hint
            )
    try:
        line.decode()
    except UnicodeDecodeError as error:
        yield _warning(snippet, number, error.start + 1, "not UTF-8", "save the file as UTF-8")
    if b"\r" in line:
        hint = "devices take it for the end of a line; end lines with LF or CR LF"
        yield _warning(snippet, number, line.index(b"\r") + 1, "a carriage return inside a line", hint)
    elif b"\0" in line:
        yield _warning(snippet, number, line.index(b"\0") + 1, "a zero byte", "remove it")


def _stray_word(command: bytes) -> bytes | None:
    """Return the first word that can only be the rest of a value: one that follows a value instead of an option."""
    if command.startswith(b"vars create "):
        words = command.split()
        return words[5] if len(words) > 5 else None  # noqa: PLR2004 - vars create PATH FLAGS VALUE
    matched = _CONFIG.match(command)
    if not matched:
        return None
    words = command[matched.end() :].split()
    options = [at for at, word in enumerate(words) if word.startswith(b"/")]
    for at, word in enumerate(words):
        if options and at > options[0] + 1 and not word.startswith(b"/") and not words[at - 1].startswith(b"/"):
            return word
    return None


def unreachable(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a warning for each snippet that no device can ever get."""
    by_name = {fold(each.name): each for each in snapshot.policy.classes}
    used = {fold(each.snippets) for each in snapshot.policy.classes if each.models}
    models = {model for each in snapshot.policy.classes for model in each.models}
    for snippet in snapshot.snippets:
        name = snippet.device_class
        if name != ALL and name in by_name and name not in used and name not in models:
            why = f"class {by_name[name].name!r} has no models, or uses other snippets"
            yield _warning(
                snippet, 0, 0, f"no device can ever get this: {why}", "add models to the class, or remove the file"
            )


def _warning(snippet: Snippet, line: int, column: int, message: str, hint: str = "") -> Problem:
    return Problem(snippet.path, line, column, message, hint, Severity.WARNING)
