from __future__ import annotations

from datetime import date, timedelta

import pytest

from gitupd.core.searches.times import Seen, SeenOn, seen_on, seen_within

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("15m", Seen(None, HOUR / 4)),
        ("<1h", Seen(None, HOUR)),
        (">30d", Seen(30 * DAY, None)),
        ("1h-1d", Seen(HOUR, DAY)),
        ("1h..1d", Seen(HOUR, DAY)),
        (">1h..1d", None),
        ("soon", None),
    ],
)
def test_spans(text: str, wanted: Seen | None) -> None:
    assert seen_within(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-05-01", SeenOn(date(2026, 5, 1), date(2026, 5, 1))),
        ("2026-05-01..2026-05-07", SeenOn(date(2026, 5, 1), date(2026, 5, 7))),
        ("<2026-05-01", SeenOn(None, date(2026, 4, 30))),
        (">2026-05-01", SeenOn(date(2026, 5, 2), None)),
        ("2026-02-30", None),
        (">9999-12-31", None),
        ("<2026-05-01..2026-05-07", None),
        ("1h", None),
    ],
)
def test_days(text: str, wanted: SeenOn | None) -> None:
    assert seen_on(text) == wanted
