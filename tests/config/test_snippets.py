"""Snippets by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]


def test_snippets_that_differ_only_in_case(told: Told) -> None:
    files = {"snippets/All-phone-all.txt": b"", "snippets/all-PHONE-all.txt": b""}
    assert told(files) == [
        "snippets/all-PHONE-all.txt: differs from snippets/All-phone-all.txt only in case; keep one of the two"
    ]
