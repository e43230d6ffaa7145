"""What is allowed in snippets, but hardly meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]

_PATH = "snippets/all-all-all.txt"
_BEHIND = "remove it: gitupd sends it behind all snippets"
_BLANK = "write a blank inside a value as + or %20"

LINES: dict[bytes, str] = {
    b"config write": f"1:1: warning: 'config write' inside a snippet; {_BEHIND}",
    b"x\n  Config  ACTIVATE ": f"2:3: warning: 'Config  ACTIVATE' inside a snippet; {_BEHIND}",
    b"reset": f"1:1: warning: 'reset' inside a snippet; {_BEHIND}",
    b"resetn": f"1:1: warning: 'resetn' inside a snippet; {_BEHIND}",
    b"ireset": f"1:1: warning: 'ireset' inside a snippet; {_BEHIND}",
    b"iresetn": f"1:1: warning: 'iresetn' inside a snippet; {_BEHIND}",
    b"config add A /b x # why a": (
        "1:19: warning: a comment behind a command, which belongs to it for devices; write it in a line of its own"
    ),
    b"  // why": "1:3: warning: no comment for devices; begin comments with #",
    b"x\n; why": "2:1: warning: no comment for devices; begin comments with #",
    b"<!-- why -->": "1:1: warning: no comment for devices; begin comments with #",
    b" configg add A /b": "1:2: warning: unknown command 'configg'; did you mean 'config'?",
    b"Conifg change A /b": "1:1: warning: unknown command 'Conifg'; did you mean 'config'?",
    b"var create A p 1": "1:1: warning: unknown command 'var'; did you mean 'vars'?",
    b"config add A /b \\ \r\n /c": (
        "1:17: warning: devices do not go on with a command in the next line; write it in one line"
    ),
    b"config add A /b {{ gatekeeper }}": (
        "1:17: warning: {{ }} is filled in by nobody here; call it .txt.j2 to make it a template, "
        "or write what is to be sent"
    ),
    b"config  add  A /b a a": f"1:21: warning: 'a' is cut off from its value by a blank; {_BLANK}",
    b"mod cmd UP1 check ser 1": (
        "1:1: warning: 'mod cmd UP1 check' inside a snippet, so that devices leave out what they should execute; "
        "remove it: gitupd sends one, with a serial of its own"
    ),
    b"x\n  Mod  cmd UP1  CHECK iresetn 7": (
        "2:3: warning: 'mod cmd UP1 check' inside a snippet, so that devices leave out what they should execute; "
        "remove it: gitupd sends one, with a serial of its own"
    ),
    b"config add X /name a b /y z": f"1:22: warning: 'b' is cut off from its value by a blank; {_BLANK}",
    b"vars create A p The Boss": f"1:21: warning: 'Boss' is cut off from its value by a blank; {_BLANK}",
    b"# ok\n\nname=\xe9": "3:6: warning: not UTF-8; save the file as UTF-8",
    b"\xef\xbb\xbfconfig add X /y": (
        "1:1: warning: a byte order mark, which makes the first line unknown to devices; "
        "remove it; that changes the CHECK serial, so devices run their scripts once more"
    ),
    b"a\rb\n": (
        "1:2: warning: a carriage return inside a line; devices take it for the end of a line; "
        "end lines with LF or CR LF"
    ),
    b"a\0\n": "1:2: warning: a zero byte; remove it",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 48\n": (
        "1:1: warning: a pointer of Git LFS, not the file itself; have it checked out as what it stands for"
    ),
    b"/annex/objects/MD5E-s4--x.txt\n": (
        "1:1: warning: a pointer of git-annex, not the file itself; have it checked out as what it stands for"
    ),
    b"\0GITCRYPT\0\x01\x02\xff": ("1:1: warning: encrypted by git-crypt, and sent as it is; take it out of git-crypt"),
    "config add X".encode("utf-16"): "1:1: warning: UTF-16, which devices do not read; save the file as UTF-8",
    "config add X".encode("utf-16-le"): "1:1: warning: UTF-16, which devices do not read; save the file as UTF-8",
    "config add X".encode("utf-16-be"): "1:1: warning: UTF-16, which devices do not read; save the file as UTF-8",
    b"-----BEGIN PGP MESSAGE-----\n": (
        "1:1: warning: encrypted, signed or a key, and sent as it is; write the commands themselves"
    ),
    b"<!DOCTYPE html>\n": "1:1: warning: a web page; save what it shows",
    b"<?xml version='1.0'?>\n": "1:1: warning: XML; write commands",
    b"a\n@@ -1,2 +1,2 @@\n": "2:1: warning: a line of a patch; apply it, and remove what git or diff wrote around it",
    b"diff --git a/x b/x\n": ("1:1: warning: a line of a patch; apply it, and remove what git or diff wrote around it"),
    b"a\n<<<<<<< HEAD\n": "2:1: warning: a mark of a merge with conflicts; decide which lines count",
    b"=======\n": "1:1: warning: a mark of a merge with conflicts; decide which lines count",
    b">>>>>>> topic\r\n": "1:1: warning: a mark of a merge with conflicts; decide which lines count",
    b"||||||| base\n": "1:1: warning: a mark of a merge with conflicts; decide which lines count",
    b"config add N /a 1\x1a": "1:18: warning: Ctrl-Z, the end of a file in DOS; remove it",
    b"a\x1b[0m": "1:2: warning: the control character 0x1b; remove it",
    "config add N /a\u00a01".encode(): (
        "1:16: warning: no-break space (U+00A0), which belongs to the word for devices; write a blank, or remove it"
    ),
    "config add N /a \u201cx\u201d".encode(): (
        '1:17: warning: left double quotation mark (U+201C), as word processors write it; write "'
    ),
    "# x\nconfig add N \u2013a 1".encode(): ("2:14: warning: en dash (U+2013), as word processors write it; write -"),
    "config add N /a it\u2019s".encode(): (
        "1:19: warning: right single quotation mark (U+2019), as word processors write it; write '"
    ),
    "config add N /a x\u2026".encode(): (
        "1:18: warning: horizontal ellipsis (U+2026), as word processors write it; write ..."
    ),
    b"a\n\nb\nconfig add N /a " + b"x" * 8_000: (
        "4:1: warning: more than 8,000 bytes in one line, and nobody knows whether devices take that; "
        "write several commands"
    ),
    "x\u200by".encode(): (
        "1:2: warning: zero width space (U+200B), which belongs to the word for devices; write a blank, or remove it"
    ),
}

HARMLESS = (
    b"# config write, reset",
    b"config add X /y z /v",
    b"config change UP1 /url http%3A%2F%2Fx /poll 15",
    b"config rem X",
    b"vars create A/B/00001 pb 01",
    b"mod cmd X reset all",
    b"resetting",
    "# Grüße".encode(),
    "# \u201ca\u201d \u2013 b\u2026".encode(),
    b"# mod cmd UP1 check ser 1",
    b"mod cmd UP1 poll",
    b"mod cmd UP0 scfg http://h/u.php?hwid=#h&sn=#m ser nop",
    b"# a // b; c \\",
    b"# {{ nothing }}",
    b"something add x ",
    b"# " + b"x" * 9_000,
    b"vars create X509/REQUESTRESPONSE/00000 pb " + b"30" * 2_000,
    "config add X /name Grüße".encode(),
    "# a\u00a0b".encode(),
    b"# ======= a heading =======",
    b"config add X /y ========",
    b"a\r\nb\r\n",
    b"",
)


@pytest.mark.parametrize("content", LINES)
def test_warning(told: Told, content: bytes) -> None:
    assert told({_PATH: content}) == [f"{_PATH}:{LINES[content]}"]


@pytest.mark.parametrize("content", HARMLESS)
def test_no_warning(told: Told, content: bytes) -> None:
    assert told({_PATH: content}) == []


def test_a_snippet_of_warnings_gets_a_few(told: Told) -> None:
    found = told({_PATH: b"reset\n" * 1000})
    assert found[0] == f"{_PATH}: warning: more than 20 warnings; only the first 20 are told"
    assert len(found) == 21


_NOBODY = "add models to the class, or remove the file"


@pytest.mark.parametrize(
    ("classes", "why"),
    [
        ("classes: {empty: {}}", "class 'empty' has no models, or uses other snippets"),
        ("classes: {empty: {models: [x], snippets: phone}}", "class 'empty' has no models, or uses other snippets"),
        ("classes: {empty: {models: [x]}}", None),
        ("classes: {empty: {}, other: {models: [x], snippets: empty}}", None),
        ("classes: {empty: {}, other: {models: [Empty]}}", None),
    ],
)
def test_a_snippet_that_no_device_can_get(told: Told, classes: str, why: str | None) -> None:
    path = "snippets/all-empty-all.txt"
    expected = [f"{path}: warning: no device can ever get this: {why}; {_NOBODY}"] if why else []
    assert told({"classes.yaml": classes, path: b"x\n"}) == expected


def test_snippets_are_looked_through_as_far_as_it_takes_moderate_time(told: Told) -> None:
    harmless = b"# ok\n" * 700_000
    paths = [f"snippets/all-all-00903330000{number}.txt" for number in range(10)]
    files = {**dict.fromkeys(paths, harmless), "snippets/all-all-all.txt": b"reset\n"}
    hidden = "not looked through for mistakes, as the snippets are more than 32 MiB in all"
    assert told(files) == [f"{paths[-1]}: warning: {hidden}"]


def test_a_template_is_looked_through_as_it_reads_without_braces(told: Told) -> None:
    template = """\
{# config write
#}config add X /name {{ x | default('a b') }} b /y z
{% if x is defined %}
config add X /name {{ x | default('a b') }} /y z
{% endif %}
  reset
{ {{ x | default('u'
) }} { """
    assert told({f"{_PATH}.j2": template}) == [
        f"{_PATH}.j2:2:22: warning: 'b' is cut off from its value by a blank; {_BLANK}",
        f"{_PATH}.j2:6:3: warning: 'reset' inside a snippet; {_BEHIND}",
    ]


def test_a_brace_that_is_never_closed_is_text(told: Told) -> None:
    assert told({f"{_PATH}.j2": "{% raw %}{{ {% {% endraw %}\nreset\n{% raw %}{#{% endraw %}\nresetn"}) != []
