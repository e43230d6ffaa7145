"""Texts in lines: parts of them, or whole words."""

from __future__ import annotations

import pytest

from gitupd.core.backups.text_in_line import TextInLine


@pytest.mark.parametrize(
    ("text", "line", "is_whole"),
    [
        ("10.1.0.1", "config change A /addr 10.1.0.1 /b", True),
        ("10.1.0.1", "config change A /addr 10.1.0.1", True),
        ("10.1.0.1", "config change A /addr 10.1.0.1,10.1.0.2", True),
        ("10.1.0.1", "config change A /url http%3A%2F%2F10.1.0.1%3A8080", True),
        ("10.1.0.1", "config change A /addr 10.1.0.10", False),
        ("10.1.0.1", "config change A /addr 110.1.0.1", False),
        ("10.1.0.1", "config change A /addr 10.1.0.10 /other 10.1.0.1", True),
        ("/pw", "config change A /pw x", True),
        ("/pw", "config change A /pwd x", False),
        ("PHONE", "config change phone/SIG /a", True),
        ("a_b", "x a_b_", False),
        ("*", "config change A /a *", True),
    ],
)
def test_whole_words_are_no_parts_of_others(text: str, line: str, is_whole: bool) -> None:  # noqa: FBT001 - a case
    assert TextInLine(text).is_in(line)
    assert TextInLine(text, whole=True).is_in(line) == is_whole


def test_only_letters_of_ascii_are_the_same_in_both_cases() -> None:
    assert TextInLine("gATE").is_in("config change A /GatE 1")
    assert not TextInLine("straße").is_in("STRASSE")
    assert not TextInLine("ä").is_in("Ä")
