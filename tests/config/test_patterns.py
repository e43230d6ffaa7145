from __future__ import annotations

import re
import time

import pytest
from support.pace import slowness

from gitupd.config.patterns import UnfitPatternError, compiled

LONGEST = 32_768
NASTY = [
    "^config .*user.*id.*=.*;",
    ".*.*.*.*.*.*x",
    "(a+)+$",
    "(?:a|aa)*b",
    "(.*)(.*)(.*)(.*)(.*)\\d",
    "[a-z]*[a-z]*[a-z]*[a-z]*;",
    "(?i)(?:x?){99}x{99}y",
]
TEXTS = ["a" * LONGEST, "config " + "userid=" * (LONGEST // 7), "x" * LONGEST, " /" * (LONGEST // 2), "ü" * LONGEST]


@pytest.mark.parametrize("pattern", NASTY)
def test_no_pattern_takes_a_power_of_the_length_of_a_line(pattern: str) -> None:
    started = time.process_time()
    for text in TEXTS:
        compiled(pattern).search(text)
    assert time.process_time() - started < 3 * slowness()


@pytest.mark.parametrize(
    "pattern", ["(?<=a)b", "(?<!a)b", "(?=b)", "(?!b)", "(?>a)b", r"(a)\1", "(?P<n>a)(?P=n)", "a++", "(x"]
)
def test_what_can_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(UnfitPatternError):
        compiled(pattern)


def test_of_a_long_expression_no_more_than_its_beginning_is_repeated() -> None:
    with pytest.raises(UnfitPatternError, match=r"is no regular expression: missing \): \(x{50,200}…$"):
        compiled(f"({'x' * 900}")


@pytest.mark.parametrize("pattern", ["a{,9}", "a{1001}", "a{99999}", "a{1,99999}", "a{99999,}", "(?:a{50}){50}"])
def test_what_would_repeat_otherwise_than_it_looks_is_refused(pattern: str) -> None:
    with pytest.raises(UnfitPatternError):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(?:a?){1000}x", "(?i)" + "[a-\U0001f600]" * 190])
def test_what_is_large_once_its_repetitions_are_written_out_is_refused(pattern: str) -> None:
    with pytest.raises(UnfitPatternError, match="is too large"):
        compiled(pattern)


@pytest.mark.parametrize("text", ["abc abc", "\u00fcabc abc", "\udcffabc \udcfcabc", "\U0001f600abc\u3000abc"])
def test_places_are_those_of_letters_whatever_stands_before(text: str) -> None:
    pattern, same = compiled("a(b)c"), re.compile("a(b)c")
    for start in range(len(text)):
        ours, theirs = pattern.search(text, start), same.search(text, start)
        assert (ours and (ours.span(), ours.span(1), ours.start(1), ours.end())) == (
            theirs and (theirs.span(), theirs.span(1), theirs.start(1), theirs.end())
        )


def test_the_start_of_a_text_is_none_further_in() -> None:
    assert compiled("^b").search("ab", 1) is None
    assert compiled(r"(?:^|\s)b").search("a b", 1) is not None


def test_letter_case_is_left_out_where_that_is_asked_for() -> None:
    assert compiled("MTLS/", re.IGNORECASE).sub("", "https://h/mtls/x") == "https://h/x"
    assert compiled("(b)(c)").sub(r"\2\1", "abcd") == "acbd"
    assert compiled("MTLS/").search("mtls/") is None


@pytest.mark.parametrize("replacement", [r"\2", r"\g<other>", "\\"])
def test_a_replacement_that_is_none_is_noticed_before_it_is_used(replacement: str) -> None:
    compiled("a(?P<name>b)").check(r"\1\g<name>")
    with pytest.raises((re.error, IndexError)):
        compiled("a(?P<name>b)").check(replacement)
