from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pace import slowness

from gitupd.core.differing import Effort, Span, spans

LINES = st.lists(st.sampled_from("abcdefgh"), max_size=40)


@given(LINES, LINES)
def test_the_spans_cover_both_sides_in_order_and_same_ones_are_the_same(before: list[str], after: list[str]) -> None:
    at = other = 0
    last_same = None
    for span in spans(before, after):
        assert (span.start, span.other_start) == (at, other)
        at, other = span.end, span.other_end
        if span.same:
            assert before[span.start : span.end] == after[span.other_start : span.other_end] != []
        else:
            assert (span.start, span.other_start) != (span.end, span.other_end)
        assert last_same is not span.same or span.same, "differing stretches are one"
        last_same = span.same
    assert (at, other) == (len(before), len(after))


@given(LINES)
def test_the_same_is_one_span(lines: list[str]) -> None:
    assert list(spans(lines, lines)) == ([Span(0, len(lines), 0, len(lines), same=True)] if lines else [])


def test_a_changed_a_moved_and_a_new_line() -> None:
    before = [f"line {number}" for number in range(9)]
    after = [*before[:2], "new", *before[2:4], "changed", *before[5:7], before[8], before[7]]
    assert [
        (span.start, span.end, span.other_start, span.other_end) for span in spans(before, after) if not span.same
    ] == [
        (2, 2, 2, 3),
        (4, 5, 5, 6),
        (7, 8, 8, 8),
        (9, 9, 9, 10),
    ]


@pytest.mark.parametrize(
    ("before", "after", "common"),
    [("dd", "ad", 1), ("abb", "bbaa", 2), ("ccbb", "bcc", 2), ("bbc", "ab", 1), ("bcca", "cab", 2)],
)
def test_no_more_lines_differ_than_have_to(before: str, after: str, common: int) -> None:
    assert sum(span.end - span.start for span in spans(before, after) if span.same) == common


def test_lines_that_repeat_are_matched_as_far_as_they_go() -> None:
    differing = [span for span in spans(["x", "y"] * 50, ["y", "x"] * 50) if not span.same]
    assert sum(span.end - span.start for span in differing) == 1


def test_hostile_sequences_take_bounded_time() -> None:
    started = time.process_time()
    for one, other in (
        (["x", "y"] * 100_000, ["y", "x"] * 100_000),
        ([str(number) for number in range(200_000)], [str(number) for number in range(200_000)][::-1]),
        ([str(number % 1000) for number in range(200_000)], [str(number % 999) for number in range(200_000)]),
    ):
        assert list(spans(one, other))
    assert time.process_time() - started < 20 * slowness()


def twice_each(count: int, side: str) -> list[str]:
    """Lines that occur twice, of which one more occurs once wherever those behind it are taken away."""
    numbers = [0, *(each for number in range(1, count) for each in (number, number - 1))]
    return [line for place, number in enumerate(numbers) for line in (f"{side} {place}", f"V {number}")]


def test_lines_that_become_unique_one_after_the_other_take_bounded_time() -> None:
    one, other = twice_each(20_000, "A"), twice_each(20_000, "B")
    started = time.process_time()
    assert list(spans(one, other))
    assert time.process_time() - started < 5 * slowness()


def test_several_comparisons_may_share_what_they_may_cost() -> None:
    effort = Effort(10)
    matched = [[span for span in spans("dd", "ad", 100, effort) if span.same] for _ in range(3)]
    assert [len(each) for each in matched] == [1, 1, 1], "what begins or ends alike costs nothing"
    assert [sum(span.same for span in spans("xabby", "zbbaaw", 100, Effort(cells))) for cells in (100, 10)] == [1, 0]
