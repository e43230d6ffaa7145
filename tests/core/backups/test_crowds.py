"""Crowds: nobody is lost in them, and they are small."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.backups.crowds import crowd, numbers_in, packed_crowd, united, unpacked_crowd


@given(st.sets(st.integers(0, 5_000)))
def test_who_is_in_is_found_again(numbers: set[int]) -> None:
    members = crowd(numbers)
    assert list(numbers_in(members)) == sorted(numbers)
    assert members.bit_count() == len(numbers)
    assert unpacked_crowd(packed_crowd(members)) == members


@given(st.lists(st.sets(st.integers(0, 300)), max_size=5))
def test_all_of_them_are_in_their_union(crowds: list[set[int]]) -> None:
    assert united(packed_crowd(crowd(each)) for each in crowds) == crowd(set[int]().union(*crowds))


def test_neither_one_of_many_nor_all_of_them_take_much_room() -> None:
    assert len(packed_crowd(crowd([50_000]))) == 5
    assert len(packed_crowd(crowd(range(50_000)))) == 6_251
