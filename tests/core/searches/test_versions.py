from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.searches.versions import VersionRange, version_range


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (">13.2", VersionRange("13.2", None, ends=False)),
        ("<13r3 sr1", VersionRange(None, "13r3 sr1", ends=False)),
        ("13.2..13.5", VersionRange("13.2", "13.5", ends=True)),
        ("13.2", None),
        (">", None),
        (">beta", None),
        ("13..", None),
        ("..13", None),
    ],
)
def test_what_is_a_range(text: str, wanted: VersionRange | None) -> None:
    assert version_range(text) == wanted


@pytest.mark.parametrize(
    "ordered",
    [
        ("13", "13 beta", "13.2", "13.2.1", "13.10"),
        ("13r2", "13r2 sr1", "13r2 sr2", "13r3", "14"),
        ("1.0-rc1", "1.0-rc2", "1.0.1"),
        ("007", "8", "9" * 5_000, "1" + "0" * 5_000),
    ],
)
def test_versions_have_an_order(ordered: tuple[str, ...]) -> None:
    for at, each in enumerate(ordered):
        for other_at, other in enumerate(ordered):
            assert VersionRange(each, None, ends=False).holds(other) == (at < other_at), (each, other)
            assert VersionRange(None, each.upper(), ends=False).holds(other) == (at > other_at), (each, other)


@pytest.mark.parametrize("value", ["", "beta", "-1", "٣.1", " 13.2", "\x00"])
def test_what_begins_with_no_number_is_in_no_range(value: str) -> None:
    assert not VersionRange("0", "999", ends=True).holds(value)


rows = st.lists(st.integers(0, 300), min_size=1, max_size=4)


@given(rows, rows, rows, st.booleans())
def test_rows_of_numbers_are_compared_as_such(low: list[int], high: list[int], value: list[int], ends: bool) -> None:  # noqa: FBT001 - drawn
    least, most, written = (".".join(map(str, each)) for each in (low, high, value))
    wanted = low <= value <= high if ends else low < value < high
    assert VersionRange(least, most, ends).holds(written) == wanted


@given(st.text(), st.text())
def test_whatever_is_answered_one_is_before_the_other_or_both_are_alike(one: str, other: str) -> None:
    one, other = f"1 {one}", f"1 {other}"
    before = VersionRange(None, other, ends=False).holds(one)
    after = VersionRange(other, None, ends=False).holds(one)
    same = VersionRange(other, other, ends=True).holds(one)
    assert [before, after, same].count(True) == 1
