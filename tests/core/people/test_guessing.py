"""How long who guesses passwords waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.people.guessing import (
    FREE_FOR_ADDRESS,
    FREE_FOR_NAME,
    FREE_FOR_PAIR,
    Failures,
    Guesses,
    is_familiar,
    neighbourhood,
)

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (11, 900), (10**6, 900)]
)
def test_a_pause_doubles_up_to_a_quarter_of_an_hour(count: int, seconds: int) -> None:
    assert Failures(count, NOON).pause(5, NOON) == timedelta(seconds=seconds)


def test_a_pause_runs_out() -> None:
    failures = Failures(6, NOON)
    assert failures.pause(5, after(59)) == timedelta(seconds=1)
    assert failures.pause(5, after(60)) == failures.pause(5, after(61)) == timedelta()
    assert Failures(6, None).pause(5, NOON) == timedelta()


def test_who_is_slowed_down() -> None:
    few = Failures(FREE_FOR_PAIR, NOON)
    assert Guesses(pair=few).pause(NOON, familiar=True) == timedelta(seconds=30)
    assert Guesses(address=few, name=few).pause(NOON, familiar=False) == timedelta()
    many = Failures(FREE_FOR_ADDRESS, NOON)
    assert Guesses(address=many).pause(NOON, familiar=True) == timedelta(seconds=30)
    assert Guesses(name=many).pause(NOON, familiar=False) == timedelta()


def test_nobody_is_locked_out_where_they_are_familiar() -> None:
    attacked = Guesses(name=Failures(FREE_FOR_NAME + 20, NOON))
    assert attacked.pause(NOON, familiar=False) == timedelta(minutes=15)
    assert attacked.pause(NOON, familiar=True) == timedelta()


def test_neighbourhoods() -> None:
    assert neighbourhood("10.0.0.1") == neighbourhood("::ffff:10.0.0.1") == "10.0.0.1"
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8:0:0:ffff::2") == "2001:db8::/64"
    assert neighbourhood("2001:db8:0:1::1") != neighbourhood("2001:db8::1")
    assert (neighbourhood(None), neighbourhood("socket")) == ("", "socket")
    assert is_familiar("2001:db8::1", {"10.0.0.1", "2001:db8::2"})
    assert not is_familiar("10.0.0.2", {"10.0.0.1", None})
