"""What processes count, and what of it stays."""

from __future__ import annotations

import time

from support.waiting import until

from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.counters import KEEPER, Counters, Counting


def test_counting_survives_what_can_not_be_counted() -> None:
    counters = Counters()
    counting = Counting(counters.take(0), lambda: 0)
    counting.start()
    counting.add(Handled(RequestKind.PAGE), 99_900, 0, 0.1)
    until(lambda: not counting._answered, "not looked at")
    counting.add(Handled(RequestKind.PAGE), 200, 0, 0.1)
    until(lambda: counters.total(("requests", "page", "2xx")) == 1, "the thread has ended")
    counting.stop()


def test_processes_that_ended_are_not_told_of() -> None:
    counters = Counters(2)
    old, keeper = counters.take(0), counters.take(KEEPER)
    keeper.begin()
    assert counters.last_beat(KEEPER) is None
    for sheet in (old, keeper):
        sheet.begin()
        sheet.beat()
    old.add(("requests", "page", "2xx"), 5)
    new = counters.take(0)
    assert new is not old
    new.begin()
    new.beat()
    new.set(("started",), old[("started",)] + 1)
    assert counters.living(time.monotonic()) == {0: new, KEEPER: keeper}
    new.end()
    keeper.end()
    assert counters.living(time.monotonic()) == {0: old}
    assert counters.living(time.monotonic() + 60) == {}
    keeper.beat()
    assert counters.take(KEEPER)[("beat",)] == 0
    assert counters.last_beat(KEEPER) == keeper[("beat",)]
    assert counters.total(("requests", "page", "2xx")) == 5
