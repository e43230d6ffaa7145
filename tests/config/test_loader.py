"""Files become a snapshot, or all that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.config.loader import load
from gitupd.errors import InvalidConfiguration
from gitupd.resources import template_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]


def test_warnings_do_not_keep_a_configuration_from_being_loaded(told: Told) -> None:
    files = {"snippets/all-all-all.txt": b"config write\n"}
    assert len(told(files)) == 1
    assert len(load(files).snippets) == 1


def test_errors_do(told: Told) -> None:
    files = {"snippets/all-all-nowhere.txt": b"", "snippets/nowhere-all-all.txt": b""}
    with pytest.raises(InvalidConfiguration) as caught:
        load(files)
    assert str(caught.value).splitlines() == told(files)


def test_the_template_is_without_a_problem(told: Told) -> None:
    files = template_files()
    assert told(files) == []
    assert len(load(files).snippets) == 6


def test_computed_lines_are_parsed_when_they_are_examined_only(told: Told) -> None:
    assert told({"scripting.py": "class"}) == ["scripting.py:1:6: not Python: invalid syntax"]
    assert load({"scripting.py": b"class"}).scripting == b"class"
