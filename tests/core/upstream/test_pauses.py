"""How long nobody asks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.upstream.pauses import LEAST_BETWEEN, pause, wait_for_news


def test_sites_do_not_ask_all_at_once() -> None:
    assert [round(pause(300, 0, chance)) for chance in (0, 0.5, 1)] == [240, 300, 360]


def test_what_fails_is_asked_more_and_more_seldom_up_to_a_bound() -> None:
    pauses = [pause(300, failures, 0.5) for failures in (1, 2, 3, 9, 10_000)]
    assert pauses == [5, 10, 20, 900, 900]
    assert pause(3600, 10_000, 0.5) == 3600, "no more often than without a failure"


@given(st.floats(5, 604_800), st.integers(0, 10**9), st.floats(0, 1))
def test_no_pause_is_nothing_and_none_is_for_ever(every: float, failures: int, chance: float) -> None:
    assert 4 <= pause(every, failures, chance) <= max(every, 900) * 1.201


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_news_is_looked_at_soon_but_not_again_and_again(since: float, until: float) -> None:
    wait = wait_for_news(since, until)
    assert 0 <= wait <= LEAST_BETWEEN
    assert wait == 0 or since + wait >= min(LEAST_BETWEEN, since + until) - 1e-9
