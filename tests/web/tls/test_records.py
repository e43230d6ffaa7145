"""Records are counted when they have come in full, however the network cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.web.tls.records import LARGEST_RECORD, Records, TooLarge


def record(size: int) -> bytes:
    return b"\x17\x03\x03" + size.to_bytes(2) + b"x" * size


@given(st.lists(st.integers(0, 300), max_size=20), st.lists(st.integers(0, 40), max_size=200))
def test_the_count_is_that_of_the_records(sizes: list[int], cuts: list[int]) -> None:
    whole, counter, counted = b"".join(map(record, sizes)), Records(), 0
    for cut in cuts:
        counted += counter.feed(whole[:cut])
        whole = whole[cut:]
    assert counted + counter.feed(whole) == len(sizes)
    assert counter.feed(record(7)) == 1


def test_none_is_counted_before_its_end() -> None:
    counter = Records()
    assert [counter.feed(bytes([byte])) for byte in record(3)] == [0] * 7 + [1]


@pytest.mark.parametrize("cut", [2, 5, 6])
def test_what_no_version_allows_is_refused_at_its_head(cut: int) -> None:
    large, counter = record(LARGEST_RECORD + 1)[:10], Records()
    with pytest.raises(TooLarge):  # noqa: PT012 - by which part is up to the cut
        counter.feed(large[:cut])
        counter.feed(large[cut:])
