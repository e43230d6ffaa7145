"""What of an uploaded configuration counts, when two are the same, and which can't be true."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.backups.change import (
    Delta,
    Volatile,
    changed_lines,
    counting,
    fault_in,
    fingerprint,
    is_doubtful,
    lines_of,
)

VOLATILE = Volatile([re.compile("^vars create UPDATE/"), re.compile("^config change UP1 /")])


def found(content: bytes) -> str:
    return fingerprint(counting(lines_of(content), VOLATILE))


@pytest.mark.parametrize(
    "other",
    [
        b"config a\nconfig b\n",
        b"config a\rconfig b",
        b"config a\r\n\r\n   \r\nconfig b\r\n",
        b"config a\r\nvars create UPDATE/CHECK p 1\r\nconfig b\r\nconfig change UP1 /url x\r\n",
    ],
)
def test_versions_that_are_the_same(other: bytes) -> None:
    assert found(b"config a\r\nconfig b\r\n") == found(other)


@pytest.mark.parametrize(
    "other",
    [
        b"config b\r\nconfig a\r\n",
        b"config a\r\nconfig b \r\n",
        b"config aconfig b\r\n",
        b"config a\r\n vars create UPDATE/CHECK p 1\r\nconfig b\r\n",
        b"config a\r\nconfig b\r\nconfig b\r\n",
    ],
)
def test_versions_that_differ(other: bytes) -> None:
    assert found(b"config a\r\nconfig b\r\n") != found(other)


def test_a_change_at_the_end_of_a_long_version_counts() -> None:
    lines = [b"config change MODULE /line %d" % number for number in range(25_000)]
    assert found(b"\n".join(lines)) != found(b"\n".join([*lines[:-1], b"config change MODULE /line other"]))


def test_a_very_long_line_counts_whatever_the_patterns_say() -> None:
    assert b"vars create UPDATE/X p " + b"x" * 8_000 in VOLATILE
    assert b"vars create UPDATE/X p " + b"x" * 9_000 not in VOLATILE


@given(st.binary(max_size=300))
def test_lines_in_parts_are_the_same_lines(content: bytes) -> None:
    parts = re.findall(rb"[^\n]*\n|[^\n]+$", content)
    assert list(lines_of(parts)) == list(lines_of(content))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty"),
        (b" \r\n\t\r\n", "empty"),
        (b"config\x00a", "no text"),
        (b"\x89PNG\r\n\x1a\n", "no text"),
        (b"  <html>", "web page"),
        (b"\xef\xbb\xbf<?xml?>", "web page"),
        (b'{"a": 1}', "web page"),
        ("config change CMD0 /name M\xfcller\r\n".encode("latin-1"), None),
        (b"config evil ../scripts", None),
    ],
)
def test_what_can_be_no_configuration(content: bytes, fault: str | None) -> None:
    said = fault_in(content)
    assert said is None if fault is None else fault in str(said)


@pytest.mark.parametrize(
    ("length", "last", "doubtful"),
    [
        (10, None, False),
        (10, 4096, False),
        (2048, 4097, True),
        (2049, 4098, False),
        (0, 9000, True),
        (9000, 100, False),
    ],
)
def test_what_is_implausibly_short(length: int, last: int | None, *, doubtful: bool) -> None:
    assert is_doubtful(length, last) is doubtful


def test_how_much_changed() -> None:
    before, after = [b"a", b"b", b"b", b"c"], [b"c", b"b", b"a", b"d", b"e"]
    assert Delta.of(changed_lines(before, after)) == Delta(added=2, removed=1)
    assert Delta.of(changed_lines(before, after)).changed == 2
    assert Delta.of(changed_lines((), after)).changed == Delta.of(changed_lines(after, ())).changed == 5
    assert changed_lines(before, before) == {}


def test_a_pattern_may_leave_letter_case_open() -> None:
    assert b"AB" in Volatile([re.compile("^ab", re.IGNORECASE)])


LINES = st.sampled_from(
    [
        b"",
        b" ",
        b"\t\x0b",
        b"config a",
        b"vars create UPDATE/CHECK p 1",
        b" vars create UPDATE/",
        b"config change UP1 /x",
    ]
)


@pytest.mark.parametrize("patterns", [["^vars create UPDATE/", "^config change UP1 /"], ["UPDATE", "^config"], []])
@given(lines=st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n", b"\r", b""]))))
def test_the_quick_way_to_a_fingerprint_leads_to_the_same(
    patterns: list[str], lines: list[tuple[bytes, bytes]]
) -> None:
    volatile = Volatile([re.compile(pattern) for pattern in patterns])
    content = b"".join(line + end for line, end in lines)
    assert volatile.fingerprint(content) == fingerprint(counting(lines_of(content), volatile))


@pytest.mark.parametrize("pattern", ["^a*b", "^ab?c", "^ab{2}", "^a|b", "(?i)^AB", "^a(b)", "^ab$", "b", r"^a\w"])
@given(line=st.text("aAbBc ", max_size=5))
def test_a_line_is_volatile_if_the_pattern_is_found_in_it(pattern: str, line: str) -> None:
    volatile = bool(line.strip()) and re.search(pattern, line) is not None
    assert (line.encode() in Volatile([re.compile(pattern)])) == volatile


def test_what_is_remembered_of_lines_does_not_grow_without_end() -> None:
    volatile = Volatile([re.compile("^vars create UPDATE/")])
    lines = [b"config change MODULE /line %d" % number for number in range(60_000)]
    assert list(volatile.counting([*lines, b"vars create UPDATE/CHECK p 1", b""])) == lines
    assert len(volatile._counts) <= 50_000
    assert b"vars create UPDATE/CHECK p 1" in volatile
