"""Durations as people write them."""

from __future__ import annotations

import pytest

from gitupd.config.duration import seconds

CENTURY = 36525 * 86400


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("90s", 90), ("1h30m", 5400), ("2w", 1209600), ("1d", 86400), ("0", 0), ("0s", 0), ("007m", 420)],
)
def test_the_seconds_of_a_duration(duration: str, expected: int) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize("duration", ["101" + "0" * 9 + "s", "5300w", "9" * 5000 + "d"])
def test_more_than_a_century_is_a_century(duration: str) -> None:
    assert seconds(duration) == CENTURY
