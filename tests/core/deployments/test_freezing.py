"""When deployments are frozen by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.deployments.freezing import FreezeRule, freezing, thaw

_BERLIN = ZoneInfo("Europe/Berlin")
_WEEKEND = FreezeRule(days=frozenset({5, 6}))
_NIGHT = FreezeRule(hours=frozenset({22, 23, 0, 1, 2, 3}))
_HOLIDAYS = FreezeRule(start=datetime(2026, 12, 18), end=datetime(2027, 1, 7), reason="holidays")


def _berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=_BERLIN, fold=fold).astimezone(UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("rule", "at", "holds"),
    [
        (_WEEKEND, (2026, 6, 5, 23, 59), False),
        (_WEEKEND, (2026, 6, 6, 0, 0), True),
        (_WEEKEND, (2026, 6, 7, 23, 59), True),
        (_WEEKEND, (2026, 6, 8, 0, 0), False),
        (_NIGHT, (2026, 6, 8, 21, 59), False),
        (_NIGHT, (2026, 6, 8, 22, 0), True),
        (_NIGHT, (2026, 6, 8, 4, 0), False),
        (_HOLIDAYS, (2026, 12, 17, 23, 59), False),
        (_HOLIDAYS, (2026, 12, 18, 0, 0), True),
        (_HOLIDAYS, (2027, 1, 6, 23, 59), True),
        (_HOLIDAYS, (2027, 1, 7, 0, 0), False),
        (FreezeRule(), (2027, 1, 7, 0, 0), True),
    ],
)
def test_it_holds_by_the_clock_of_the_zone(rule: FreezeRule, at: tuple[int, ...], *, holds: bool) -> None:
    assert rule.holds(_berlin(*at), _BERLIN) is holds


@pytest.mark.parametrize(
    ("rules", "at", "until"),
    [
        ((_WEEKEND,), (2026, 6, 6, 12), (2026, 6, 8)),
        ((_WEEKEND, _NIGHT), (2026, 6, 5, 22, 30), (2026, 6, 8, 4)),
        ((_HOLIDAYS,), (2026, 12, 24), (2027, 1, 7)),
        ((_WEEKEND,), (2026, 6, 5), (2026, 6, 5)),
        ((FreezeRule(start=datetime(2026, 1, 1)),), (2026, 6, 5), None),
        ((FreezeRule(days=frozenset(range(7))),), (2026, 6, 5), None),
    ],
)
def test_it_is_known_until_when(
    rules: tuple[FreezeRule, ...], at: tuple[int, ...], until: tuple[int, ...] | None
) -> None:
    assert thaw(rules, _berlin(*at), _BERLIN) == (None if until is None else _berlin(*until))


def test_an_hour_that_the_clock_shows_twice_is_frozen_twice_and_one_that_it_skips_never() -> None:
    two = FreezeRule(hours=frozenset({2}))
    autumn = datetime(2026, 10, 24, 22, tzinfo=UTC)
    night = [autumn + timedelta(minutes=minutes) for minutes in range(0, 360, 10)]
    frozen = [moment for moment in night if two.holds(moment, _BERLIN)]
    assert (len(frozen), thaw((two,), frozen[0], _BERLIN)) == (12, datetime(2026, 10, 25, 2, tzinfo=UTC))
    spring = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert not any(two.holds(spring + timedelta(minutes=n), _BERLIN) for n in range(0, 360, 10))
    ends = FreezeRule(start=datetime(2026, 10, 25, 2, 30), end=datetime(2026, 10, 25, 2, 30))
    assert ends.holds(_berlin(2026, 10, 25, 2, 45), _BERLIN)  # from the first half past two to the second one
    assert not ends.holds(_berlin(2026, 10, 25, 2, 30, fold=1), _BERLIN)


_RULES = st.builds(
    FreezeRule,
    days=st.frozensets(st.integers(0, 6), max_size=6),
    hours=st.frozensets(st.integers(0, 23), max_size=20),
    start=st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    end=st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
)
_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
_ZONES = st.sampled_from(("Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York", "UTC"))


@given(st.lists(_RULES, max_size=3), _MOMENTS, _ZONES)
def test_until_the_end_it_is_frozen_and_then_it_is_not(rules: list[FreezeRule], at: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    end = thaw(rules, at, zone)
    if end is not None:
        assert freezing(rules, end, zone) is None
        steps = int((end - at) / timedelta(minutes=15)) + 1
        assert all(freezing(rules, at + n * (end - at) / steps, zone) for n in range(steps) if end > at)


def test_it_is_said_in_words() -> None:
    rule = FreezeRule(frozenset({4}), frozenset({13, 12}), datetime(2026, 1, 1), datetime(2026, 2, 1))
    assert rule.words == "on Fri in the hours 12, 13 from 2026-01-01 00:00 until 2026-02-01 00:00"
    assert FreezeRule().words == ""
