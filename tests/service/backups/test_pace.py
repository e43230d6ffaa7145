from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.policy import Rate
from gitupd.service.backups import pace as module
from gitupd.service.backups.pace import Pace

if TYPE_CHECKING:
    import pytest


def test_so_many_at_once_and_as_many_again_by_and_by() -> None:
    at = 0.0
    pace = Pace(lambda: at)
    rates = {"device": Rate(5, 60)}
    assert [pace.allows(rates) for _ in range(7)] == [True] * 5 + [False] * 2
    at = 12.5
    assert [pace.allows(rates) for _ in range(2)] == [True, False]
    at = 10_000.0
    assert [pace.allows(rates) for _ in range(7)] == [True] * 5 + [False] * 2


def test_what_one_rate_refuses_is_not_counted_for_the_other() -> None:
    pace = Pace(lambda: 0.0)
    for device in range(4):
        assert pace.allows({device: Rate(2, 60), "address": Rate(4, 60)})
    assert not pace.allows({0: Rate(2, 60), "address": Rate(4, 60)})
    assert pace.allows({0: Rate(2, 60), "elsewhere": Rate(4, 60)})
    assert pace.allows({0: None, "address": None})


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_KEYS", 10)
    pace = Pace(lambda: 0.0)
    for device in range(50):
        assert pace.allows({device: Rate(1, 60), "address": Rate(1000, 60)})
    assert len(pace._buckets) == 10
    assert not pace.allows({49: Rate(1, 60), "address": Rate(1000, 60)})
