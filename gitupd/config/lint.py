"""What is allowed in snippets but hardly meant."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.core.names import ALL, fold
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.snapshot import Snapshot, Snippet

_OWN_BUSINESS = re.compile(rb"(config +(write|activate)|i?resetn?)\b", re.IGNORECASE)
_CONFIG = re.compile(rb"config +(?:add|change|rem) ", re.IGNORECASE)
_SUSPECT = re.compile(
    rb"config |vars create |i?resetn?\b|UP1 +check|\{\{|\\[ \t]*\r?$|[^\t\n\r\x20-\x7e]|\r(?!\n|\Z)"
    rb"|^[ \t]*(?:;|//|--|<|\w+ +(?:add|change|rem|create) )|<{7}|={7}|>{7}|\|{7}|@@ -|diff --git",
    re.IGNORECASE | re.MULTILINE,
)
_OTHER_COMMENT = re.compile(rb"(?:;|//|--|<!--)")
_MISSPELT = re.compile(rb"(?!config |vars |mod )(\w+) +(?:add|change|rem|create) ", re.IGNORECASE)
_COMMAND_WORDS = ("config", "vars")
_CONFLICT = re.compile(rb"(?:<{7}|={7}|>{7}|\|{7})(?: |\Z)")
_PATCH = re.compile(rb"@@ -\d|diff --git ")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNSEEN = ("Zs", "Zl", "Zp", "Cf")
"""Categories of characters that look like a blank, or like nothing at all."""

_TYPOGRAPHIC = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    "\u2026": "...",
}
"""What programs for letters write instead of what was typed."""
_COMMENT_BEHIND = re.compile(rb"\s#(?:\s|\Z)")
_TOKEN = re.compile(rb"\S+")
_CHECK = re.compile(rb"mod +cmd +UP1 +check\b", re.IGNORECASE)
_LONGEST_LINE = 8_000
_LONG_LINE = re.compile(rb"^[^\n]{%d}" % (_LONGEST_LINE + 1), re.MULTILINE)
"""Bytes; how many a device takes is not known. A certificate, the longest that they are sent, takes half of it."""

_CHECK_OUT = "have it checked out as what it stands for"
_NO_COMMANDS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS, not the file itself", _CHECK_OUT),
    (b"/annex/objects/", "a pointer of git-annex, not the file itself", _CHECK_OUT),
    (b"\0GITCRYPT\0", "encrypted by git-crypt, and sent as it is", "take it out of git-crypt"),
    (b"-----BEGIN ", "encrypted, signed or a key, and sent as it is", "write the commands themselves"),
    (b"<!DOCTYPE", "a web page", "save what it shows"),
    (b"<html", "a web page", "save what it shows"),
    (b"<?xml", "XML", "write commands"),
    (b"\xff\xfe", "UTF-16, which devices do not read", "save the file as UTF-8"),
    (b"\xfe\xff", "UTF-16, which devices do not read", "save the file as UTF-8"),
)
"""How files begin that hold no commands, what they are, and what to do."""
_MOST_PER_SNIPPET = 20
_MOST_BYTES = 32 * 2**20
_LONGEST_EXCERPT = 80


def lint_snippets(snippets: Iterable[Snippet]) -> Iterator[Problem]:
    """Yield warnings on the contents of *snippets*, a few of each at the most, as far as it doesn't take too long."""
    left = _MOST_BYTES
    for snippet in snippets:
        if snippet.seal is not None:
            continue  # warnings quote what is wrong
        left -= len(snippet.content)
        if left < 0:
            message = f"not looked through for mistakes, as the snippets are more than {_MOST_BYTES >> 20} MiB in all"
            yield _warning(snippet, 0, 0, message)
            return
        looked_at = snippet if snippet.template is None else replace(snippet, content=without_braces(snippet.content))
        problems = list(islice(_lint(looked_at), _MOST_PER_SNIPPET + 1))
        yield from problems[:_MOST_PER_SNIPPET]
        if len(problems) > _MOST_PER_SNIPPET:
            hint = f"only the first {_MOST_PER_SNIPPET} are told"
            yield _warning(snippet, 0, 0, f"more than {_MOST_PER_SNIPPET} warnings", hint)


def without_braces(content: bytes) -> bytes:
    """Return a template as it reads with a word for each value, and without all else that is in braces."""
    parts: list[bytes] = []
    done = 0
    while (start := content.find(b"{", done)) >= 0:
        closing, word = _BRACES.get(content[start : start + 2], (b"", b"{"))
        end = content.find(closing, start + 1) if closing else start + 1
        if end < 0:
            break
        parts += [content[done:start], word, b"\n" * content.count(b"\n", start, end)]
        done = end + len(closing)
    return b"".join((*parts, content[done:]))


_BRACES = {b"{{": (b"}}", b"x"), b"{%": (b"%}", b""), b"{#": (b"#}", b"")}


def _lint(snippet: Snippet) -> Iterator[Problem]:
    for beginning, message, hint in _NO_COMMANDS:
        if snippet.content.startswith(beginning):
            yield _warning(snippet, 1, 1, message, hint)
            return
    if _is_utf16(snippet.content):
        yield _warning(snippet, 1, 1, "UTF-16, which devices do not read", "save the file as UTF-8")
        return
    if snippet.content.startswith(b"\xef\xbb\xbf"):
        message = "a byte order mark, which makes the first line unknown to devices"
        hint = "remove it; that changes the CHECK serial, so devices run their scripts once more"
        yield _warning(snippet, 1, 1, message, hint)
    for number, line in _suspect_lines(snippet.content):
        yield from _lint_line(snippet, number, line)
    yield from _lint_long_lines(snippet)


def _is_utf16(content: bytes) -> bool:
    """Whether *content* is text with a zero byte beside each letter, as some editors save it."""
    beginning = content[:200]
    return len(beginning) > 3 and min(len(beginning[::2].strip(b"\0")), len(beginning[1::2].strip(b"\0"))) == 0  # noqa: PLR2004 - two letters


def _suspect_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines worth a look with their numbers, without a list of all the others in memory."""
    start, number = 0, 1
    while match := _SUSPECT.search(content, start):
        number += content.count(b"\n", start, match.start())
        start = (content.rfind(b"\n", start, match.start()) + 1) or start
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        yield number, content[start:end].removesuffix(b"\r")
        start, number = end + 1, number + 1


def _lint_long_lines(snippet: Snippet) -> Iterator[Problem]:
    number, start = 1, 0
    for match in _LONG_LINE.finditer(snippet.content):
        number, start = number + snippet.content.count(b"\n", start, match.start()), match.start()
        if not match[0].lstrip().startswith(b"#"):
            message = f"more than {_LONGEST_LINE:,} bytes in one line, and nobody knows whether devices take that"
            yield _warning(snippet, number, 1, message, "write several commands")


def _lint_line(snippet: Snippet, number: int, line: bytes) -> Iterator[Problem]:
    column = len(line) - len(line.lstrip()) + 1
    command = line.strip()
    if not command.startswith(b"#"):
        if _OWN_BUSINESS.match(command):
            hint = "remove it: gitupd sends it behind all snippets"
            yield _warning(snippet, number, column, f"{_excerpt(command)} inside a snippet", hint)
        elif _CHECK.match(command):
            message = "'mod cmd UP1 check' inside a snippet, so that devices leave out what they should execute"
            yield _warning(snippet, number, column, message, "remove it: gitupd sends one, with a serial of its own")
        else:
            yield from _lint_words(snippet, number, line, command)
    yield from _lint_leftovers(snippet, number, line)
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        yield _warning(snippet, number, error.start + 1, "not UTF-8", "save the file as UTF-8")
    else:
        if not text.isascii() and not text.lstrip().startswith("#"):
            yield from _lint_unseen(snippet, number, text)
            yield from _lint_typographic(snippet, number, text)
    if b"\r" in line:
        hint = "devices take it for the end of a line; end lines with LF or CR LF"
        yield _warning(snippet, number, line.index(b"\r") + 1, "a carriage return inside a line", hint)
    elif b"\0" in line:
        yield _warning(snippet, number, line.index(b"\0") + 1, "a zero byte", "remove it")


def _lint_words(snippet: Snippet, number: int, line: bytes, command: bytes) -> Iterator[Problem]:
    """Yield what is odd about the words of a *command*: one warning, for what follows is mostly because of it."""
    start = len(line) - len(line.lstrip()) + 1
    misspelt = _MISSPELT.match(command)
    close = get_close_matches(misspelt[1].decode(errors="replace").lower(), _COMMAND_WORDS, 1) if misspelt else []
    if _OTHER_COMMENT.match(command):
        yield _warning(snippet, number, start, "no comment for devices", "begin comments with #")
    elif misspelt and close:
        yield _warning(
            snippet, number, start, f"unknown command {_excerpt(misspelt[1])}", f"did you mean {close[0]!r}?"
        )
    elif command.endswith(b"\\"):
        message = "devices do not go on with a command in the next line"
        yield _warning(snippet, number, len(line.rstrip()), message, "write it in one line")
    elif b"{{" in command:
        message = "{{ }} is filled in by nobody here"
        yield _warning(
            snippet,
            number,
            line.index(b"{{") + 1,
            message,
            "call it .txt.j2 to make it a template, or write what is to be sent",
        )
    elif (comment := _COMMENT_BEHIND.search(line)) is not None:
        message = "a comment behind a command, which belongs to it for devices"
        yield _warning(snippet, number, comment.start() + 2, message, "write it in a line of its own")
    elif (stray := _stray_word(line)) is not None:
        at, word = stray
        hint = "write a blank inside a value as + or %20"
        yield _warning(snippet, number, at + 1, f"{_excerpt(word)} is cut off from its value by a blank", hint)


def _lint_leftovers(snippet: Snippet, number: int, line: bytes) -> Iterator[Problem]:
    if _CONFLICT.match(line):
        yield _warning(snippet, number, 1, "a mark of a merge with conflicts", "decide which lines count")
    elif _PATCH.match(line):
        yield _warning(snippet, number, 1, "a line of a patch", "apply it, and remove what git or diff wrote around it")
    elif control := _CONTROL.search(line):
        name = (
            "Ctrl-Z, the end of a file in DOS"
            if control[0] == b"\x1a"
            else f"the control character {control[0][0]:#04x}"
        )
        yield _warning(snippet, number, control.start() + 1, name, "remove it")


def _lint_unseen(snippet: Snippet, number: int, text: str) -> Iterator[Problem]:
    marks = ((at, mark) for at, mark in enumerate(text) if mark > "\x7f" and unicodedata.category(mark) in _UNSEEN)
    for at, mark in marks:
        if (number, at, mark) == (1, 0, "\ufeff"):
            continue
        name = unicodedata.name(mark, "a character that is not seen").lower()
        message = f"{name} (U+{ord(mark):04X}), which belongs to the word for devices"
        yield _warning(snippet, number, len(text[:at].encode()) + 1, message, "write a blank, or remove it")
        return


def _lint_typographic(snippet: Snippet, number: int, text: str) -> Iterator[Problem]:
    for at, mark in enumerate(text):
        if (plain := _TYPOGRAPHIC.get(mark)) is not None:
            name = unicodedata.name(mark).lower()
            message = f"{name} (U+{ord(mark):04X}), as word processors write it"
            yield _warning(snippet, number, len(text[:at].encode()) + 1, message, f"write {plain}")
            return


def _stray_word(line: bytes) -> tuple[int, bytes] | None:
    """Return the first word that can only be the rest of a value, and where: behind a value instead of an option."""
    words = [(match.start(), match[0]) for match in _TOKEN.finditer(line)]
    beginning = b" ".join(word for _, word in words[:3]).lower()
    if beginning.startswith(b"vars create "):
        return words[5] if len(words) > 5 else None  # noqa: PLR2004 - vars create PATH FLAGS VALUE
    if not _CONFIG.match(beginning + b" "):
        return None
    options = [at for at, (_, word) in enumerate(words) if word.startswith(b"/")]
    for at, (_, word) in enumerate(words):
        if options and at > options[0] + 1 and not word.startswith(b"/") and not words[at - 1][1].startswith(b"/"):
            return words[at]
    return None


def unreachable(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a warning for each snippet that no device can ever get."""
    classes = snapshot.policy.classes
    by_name = {fold(device_class.name): device_class for device_class in classes}
    used = {fold(device_class.snippets) for device_class in classes if device_class.models}
    models = {model for device_class in classes for model in device_class.models}
    for snippet in snapshot.snippets:
        name = snippet.device_class
        if name != ALL and name in by_name and name not in used and name not in models:
            why = f"class {by_name[name].name!r} has no models, or uses other snippets"
            yield _warning(
                snippet, 0, 0, f"no device can ever get this: {why}", "add models to the class, or remove the file"
            )


def _excerpt(text: bytes) -> str:
    excerpt = repr(text[:_LONGEST_EXCERPT].decode(errors="replace"))
    return excerpt if len(text) <= _LONGEST_EXCERPT else f"{excerpt}…"


def _warning(snippet: Snippet, line: int, column: int, message: str, hint: str = "") -> Problem:
    return Problem(snippet.path, line, column, message, hint, Severity.WARNING)
