"""Times as people write them: where they begin, and when they are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gitupd.core.moments import beginning, ending
from gitupd.errors import InvalidEntry

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 6, 22, 30, tzinfo=UTC)  # in Berlin, the 7th has begun


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2026-05-01", "2026-04-30 22:00", "2026-05-01 22:00"),
        (" 2026-05-01 ", "2026-04-30 22:00", "2026-05-01 22:00"),
        ("2026-02", "2026-01-31 23:00", "2026-02-28 23:00"),
        ("2026-12", "2026-11-30 23:00", "2026-12-31 23:00"),
        ("2026-03-29", "2026-03-28 23:00", "2026-03-29 22:00"),  # a day of 23 hours
        ("today", "2026-05-06 22:00", "2026-05-07 22:00"),
        ("Yesterday", "2026-05-05 22:00", "2026-05-06 22:00"),
        ("2026-05-01 14:30", "2026-05-01 12:30", "2026-05-01 12:31"),
        ("2026-05-01T14:30", "2026-05-01 12:30", "2026-05-01 12:31"),
        ("2026-05-01T14:30:05", "2026-05-01 12:30:05", "2026-05-01 12:30:06"),
        ("2026-05-01T14:30Z", "2026-05-01 14:30", "2026-05-01 14:31"),
        ("2026-05-01 14:30:00 +05:00", "2026-05-01 09:30", "2026-05-01 09:30:01"),
        ("2026-05-01 14:30:00-0500", "2026-05-01 19:30", "2026-05-01 19:30:01"),
        ("2026-05-01T14:30:00.25Z", "2026-05-01 14:30:00.250000", "2026-05-01 14:30:00.250001"),
    ],
)
def test_what_a_text_names(text: str, begins: str, ends: str) -> None:
    assert beginning(text, BERLIN, NOW) == utc(begins)
    assert ending(text, BERLIN, NOW) == utc(ends)
    assert {beginning(text, BERLIN, NOW).tzinfo, ending(text, BERLIN, NOW).tzinfo} == {UTC}


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("30s", timedelta(seconds=30)),
    ],
)
def test_how_long_ago(text: str, ago: timedelta) -> None:
    assert beginning(text, BERLIN, NOW) == ending(text, BERLIN, NOW) == NOW - ago


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "7", "7y", "-7d", "2026", "2026-13", "2026-02-30", "0000-01-01", "9999-12-31", "0001-01-01"),
        *("2026-05-01 25:00", "2026-05-01T14", "2026-05-01 14:30 CEST", "999999w", "2026-05-0१", "x" * 5000),
    ],
)
def test_what_is_no_time_is_told_with_how_to_write_one(text: str) -> None:
    for read in (beginning, ending):
        with pytest.raises(InvalidEntry) as caught:
            read(text, BERLIN, NOW)
        assert "is no time; write a day, 2026-05-07, a time, '2026-05-07 00:30', a month, 2026-05," in str(caught.value)
        assert len(str(caught.value)) < 250
