"""Words that depend on a number, or on where they stand."""

from __future__ import annotations

import pytest

from gitupd.core.words import capital, counted, duration


@pytest.mark.parametrize(
    ("number", "many", "text"),
    [(0, None, "0 devices"), (1, None, "1 device"), (1250, None, "1,250 devices"), (2, "phones", "2 phones")],
)
def test_a_number_with_its_noun(number: int, many: str | None, text: str) -> None:
    assert counted(number, "device", many) == text


@pytest.mark.parametrize(("text", "changed"), [("two words", "Two words"), ("IP222", "IP222"), ("", ""), ("ä", "Ä")])
def test_a_capital_at_the_beginning(text: str, changed: str) -> None:
    assert capital(text) == changed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "at once"), (0.04, "at once"), (2.51, "2.5 s"), (45.4, "45 s"), (59.7, "1 min"), (3599.0, "1 h"),
        (12_000.0, "3 h 20 min"), (172_799.0, "2 days"), (864_000.0, "10 days"),
    ],
)  # fmt: skip
def test_how_long_something_takes(seconds: float, text: str) -> None:
    assert duration(seconds) == text
