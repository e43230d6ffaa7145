"""What is allowed in snippets but hardly meant."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.core.names import ALL, fold
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.snapshot import Snapshot, Snippet

_OWN_BUSINESS = re.compile(rb"(config +(write|activate)|i?resetn?)\b", re.IGNORECASE)
_CONFIG = re.compile(rb"config +(?:add|change|rem) ", re.IGNORECASE)
_SUSPECT = re.compile(rb"config |vars create |i?resetn?\b|[^\t\n\r\x20-\x7e]|\r(?!\n|\Z)", re.IGNORECASE)
_MOST_PER_SNIPPET = 20
_MOST_BYTES = 32 * 2**20
_LONGEST_SHOWN = 80


def lint_snippets(snippets: Iterable[Snippet]) -> Iterator[Problem]:
    """Yield warnings on the contents of *snippets*, a few of each at the most, as far as it doesn't take too long."""
    left = _MOST_BYTES
    for snippet in snippets:
        left -= len(snippet.content)
        if left < 0:
            message = f"not looked through for mistakes, as the snippets are more than {_MOST_BYTES >> 20} MiB in all"
            yield _warning(snippet, 0, 0, message)
            return
        found = list(islice(_lint(snippet), _MOST_PER_SNIPPET + 1))
        yield from found[:_MOST_PER_SNIPPET]
        if len(found) > _MOST_PER_SNIPPET:
            hint = f"only the first {_MOST_PER_SNIPPET} are told"
            yield _warning(snippet, 0, 0, f"more than {_MOST_PER_SNIPPET} warnings", hint)


def _lint(snippet: Snippet) -> Iterator[Problem]:
    if snippet.content.startswith(b"\xef\xbb\xbf"):
        message = "a byte order mark, which makes the first line unknown to devices"
        hint = "remove it; that changes the CHECK serial, so devices run their scripts once more"
        yield _warning(snippet, 1, 1, message, hint)
    for number, line in _suspect_lines(snippet.content):
        yield from _lint_line(snippet, number, line)


def _suspect_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines worth a look with their numbers, without a list of all the others in memory."""
    start, number = 0, 1
    while found := _SUSPECT.search(content, start):
        number += content.count(b"\n", start, found.start())
        start = (content.rfind(b"\n", start, found.start()) + 1) or start
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        yield number, content[start:end].removesuffix(b"\r")
        start, number = end + 1, number + 1


def _lint_line(snippet: Snippet, number: int, line: bytes) -> Iterator[Problem]:
    column = len(line) - len(line.lstrip()) + 1
    command = line.strip()
    if not command.startswith(b"#"):
        if _OWN_BUSINESS.match(command):
            hint = "remove it: gitupd sends it behind all snippets"
            yield _warning(snippet, number, column, f"{_shown(command)} inside a snippet", hint)
        elif (stray := _stray_word(command)) is not None:
            hint = "write a blank inside a value as + or %20"
            yield _warning(
                snippet, number, line.find(stray) + 1, f"{_shown(stray)} is cut off from its value by a blank", hint
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


def _shown(text: bytes) -> str:
    shown = repr(text[:_LONGEST_SHOWN].decode(errors="replace"))
    return shown if len(text) <= _LONGEST_SHOWN else f"{shown}…"


def _warning(snippet: Snippet, line: int, column: int, message: str, hint: str = "") -> Problem:
    return Problem(snippet.path, line, column, message, hint, Severity.WARNING)
