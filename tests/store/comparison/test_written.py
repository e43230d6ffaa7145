"""What is written down of a comparison is read again as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.caller import Serial
from gitupd.core.comparison import consequences
from gitupd.core.comparison.consequences import Restarts
from gitupd.core.comparison.difference import Hunk, ScriptDifference
from gitupd.core.comparison.grouping import FleetComparison, Footing, Gone, Group, Member, Skipped
from gitupd.core.snapshot import CommitId
from gitupd.store.comparison.written import read, written

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
lines = st.lists(texts, max_size=3).map(tuple)
hunks = st.builds(Hunk, lines, lines, st.none() | texts)
differences = st.builds(
    ScriptDifference,
    st.lists(hunks, max_size=3).map(tuple),
    st.lists(st.one_of(*map(st.from_type, get_args(consequences.Consequence))), max_size=3).map(tuple),
)
serials = st.integers(0, 2**48 - 1).map(lambda number: Serial(f"{number:012x}"))
numbers = st.integers(0, 100)
members = st.builds(
    Member, serials, st.none() | texts, texts, texts, texts, st.sampled_from(Footing), numbers, st.booleans()
)
groups = st.builds(Group, differences, st.lists(members, min_size=1, max_size=3).map(tuple))
gone = st.builds(Gone, st.sampled_from(["phase", "environment"]), texts, numbers, numbers)
comparisons = st.builds(
    FleetComparison,
    st.just(CommitId("a" * 40)),
    st.just(CommitId("b" * 40)),
    st.lists(groups, max_size=3).map(tuple),
    numbers,
    st.builds(Skipped, numbers, numbers),
    st.booleans(),
    lines,
    numbers,
    st.lists(gone, max_size=2).map(tuple),
)


@given(comparisons)
def test_what_is_written_is_read(comparison: FleetComparison) -> None:
    assert read(written(comparison)) == comparison


def large(count: int, lines: int) -> FleetComparison:
    """Return a comparison in which every device gets something of its own."""
    some = []
    for number in range(count):
        hunk = Hunk((), tuple(f"line {number} {hash((number, at))}" for at in range(lines)), "snippets/a.txt")
        member = Member(Serial(f"{number:012x}"), None, "IP222", "berlin", "update", Footing.EXECUTED)
        some.append(Group(ScriptDifference((hunk,), (Restarts("command"),)), (member,)))
    return FleetComparison(CommitId("a" * 40), CommitId("b" * 40), tuple(some), count)


def test_of_what_is_too_large_the_lines_of_the_last_groups_are_left_out() -> None:
    comparison = large(200, 20)
    body = written(comparison, 20_000)
    assert len(body) <= 20_000
    again = read(body)
    whole = sum(group.is_whole for group in again.groups)
    assert 0 < whole < 200
    assert again.groups[:whole] == comparison.groups[:whole]
    assert [group.members for group in again.groups] == [group.members for group in comparison.groups]
    assert {group.difference.consequences for group in again.groups} == {(Restarts("command"),)}


def test_of_thousands_of_groups_the_first_ones_have_lines() -> None:
    again = read(written(large(3_000, 1)))
    assert [sum(group.is_whole for group in again.groups), len(again.groups)] == [2_000, 3_000]
    again = read(written(large(3, 60_000), 10**9))
    assert [group.is_whole for group in again.groups] == [True, False, False]


def test_lines_that_compress_well_are_left_out_where_they_could_not_be_read_again() -> None:
    comparison = large(2, 1)
    hunk = Hunk((), ("x" * (11 * 2**20),), "snippets/a.txt")
    long = replace(comparison.groups[1], difference=ScriptDifference((hunk,), ()))
    again = read(written(replace(comparison, groups=(comparison.groups[0], long))))
    assert [group.is_whole for group in again.groups] == [True, False]


def test_what_is_too_large_in_spite_of_that_is_cut() -> None:
    comparison = large(3_000, 1)
    assert read(written(comparison, 5_000)) == replace(
        comparison,
        groups=(
            replace(comparison.groups[0], difference=ScriptDifference((), (Restarts("command"),)), is_whole=False),
        ),
    )
