from __future__ import annotations

import pytest

from gitupd.core.searches.saved import LONGEST_NAME, ListView, parse_search_name, search_key
from gitupd.errors import InvalidEntry


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Berlin, missing", "Berlin, missing"),
        ("  two \t\n blanks ", "two blanks"),
        ("a\0b\u202ec", "a b c"),
        ("x" * LONGEST_NAME, "x" * LONGEST_NAME),
        ("Größe", "Größe"),
    ],
)
def test_names_are_one_line(text: str, name: str) -> None:
    assert parse_search_name(text) == name


@pytest.mark.parametrize("text", ["", " ", "\0", "x" * (LONGEST_NAME + 1)])
def test_names_that_are_none(text: str) -> None:
    with pytest.raises(InvalidEntry, match="a saved search needs a name of 1 to 60 characters, such as"):
        parse_search_name(text)


def test_names_are_compared_without_letter_case() -> None:
    assert search_key("Berlin") == search_key("BERLIN") != search_key("Bonn")


def test_an_address_says_only_what_is_not_usual() -> None:
    assert ListView().address == {}
    view = ListView("missing", "sn,name", "name", descending=True)
    assert view.address == {"q": "missing", "sort": "name", "desc": "1", "columns": "sn,name"}


def test_a_view_is_told_in_one_line() -> None:
    assert str(ListView()) == "all devices"
    assert str(ListView("env:berlin missing", descending=True)) == "env:berlin missing, sorted by serial (descending)"
    assert str(ListView("", "sn,name", "name")) == "all devices, sorted by name, columns sn,name"
