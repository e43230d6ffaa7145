"""Work in the background: it goes on whatever happens, and says once what is wrong."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
import structlog
from support.waiting import until

from gitupd.errors import SiteError
from gitupd.service.background import Recurring, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    Logged = list[MutableMapping[str, object]]


@pytest.fixture
def logged() -> Iterator[Logged]:
    with structlog.testing.capture_logs() as lines:
        yield lines


class Work:
    """Counts how often it is done, fails as it is told, and has so much more to do."""

    def __init__(self) -> None:
        self.count, self.more = 0, 0
        self.failure: Exception | None = None
        self.done = threading.Condition()

    def __call__(self) -> bool:
        with self.done:
            self.count += 1
            self.done.notify_all()
            if self.failure is not None:
                raise self.failure
            self.more -= 1
            return self.more > 0

    def until(self, count: int) -> None:
        with self.done:
            assert self.done.wait_for(lambda: self.count >= count, 10)


def recurring(work: Work, every: float = 600, **more: object) -> Recurring:
    return Recurring("test", every, work, Trouble("work failed"), **more)  # type: ignore[arg-type] # options of each test


def test_work_is_done_at_the_start_and_then_every_so_often() -> None:
    work = Work()
    running = recurring(work, 0.01)
    running.start()
    work.until(3)
    running.stop()
    count = work.count
    time.sleep(0.05)
    assert work.count == count, "not after the end"


def test_a_nudge_has_it_done_at_once() -> None:
    work = Work()
    running = recurring(work)
    running.start()
    work.until(1)
    running.nudge()
    work.until(2)
    running.stop()


def test_what_has_more_to_do_is_not_kept_waiting() -> None:
    work = Work()
    work.more = 5
    running = recurring(work)
    running.start()
    work.until(5)
    running.stop()
    assert work.count == 5


def test_all_that_is_left_is_done_at_the_end_if_it_is_to_be() -> None:
    work = Work()
    running = recurring(work, at_end=True)
    running.start()
    work.until(1)
    work.more = 4
    running.stop()
    assert work.count == 1 + 4


@pytest.mark.parametrize(("at_end", "count"), [(True, 1), (False, 0)])
def test_what_never_started_can_be_stopped(at_end: bool, count: int) -> None:  # noqa: FBT001 - one of two cases
    work = Work()
    recurring(work, at_end=at_end).stop()
    assert work.count == count


@pytest.mark.parametrize("failure", [SiteError("no room left"), ZeroDivisionError("of ours")])
def test_a_failure_is_logged_once_and_ends_nothing(failure: Exception, logged: Logged) -> None:
    work = Work()
    work.failure = failure
    running = recurring(work, 0.01)
    running.start()
    work.until(4)
    ours = not isinstance(failure, SiteError)
    assert running.trouble.text == ("work failed; the log says why" if ours else "no room left")
    assert [(line["event"], line["log_level"]) for line in logged] == [("work failed", "error")]
    assert ("exc_info" in logged[0]) is ours
    work.failure = None
    until(lambda: running.trouble.text is None)
    running.stop()


def test_another_failure_is_logged_and_so_is_the_same_once_it_was_over(logged: Logged) -> None:
    trouble = Trouble("can't be written", what="numbers")
    assert trouble.note(SiteError("full")) == trouble.note(SiteError("full")) == "full"
    assert trouble.note(ValueError(1)) == trouble.note(ValueError(2)) == "numbers can't be written; the log says why"
    trouble.over()
    assert trouble.text is None
    trouble.note(ValueError(2))
    assert len(logged) == 4
    assert {line["what"] for line in logged} == {"numbers"}


def test_pauses_after_failures_are_those_that_were_asked_for() -> None:
    pauses: list[int] = []
    work = Work()
    work.failure = SiteError("away")

    def retry(failures: int) -> float:
        pauses.append(failures)
        return 0.01 if failures < 3 else 600

    running = recurring(work, 0.01, retry=retry)
    running.start()
    work.until(3)
    until(lambda: len(pauses) == 3)
    work.failure = None
    running.nudge()
    work.until(4)
    work.failure = SiteError("away")
    until(lambda: len(pauses) >= 4)
    running.stop()
    assert pauses[:4] == [1, 2, 3, 1], "they are counted anew"


def test_a_rest_after_a_failure_ends_when_what_failed_is_cured() -> None:
    work, cured = Work(), threading.Event()
    work.failure = SiteError("full")
    running = recurring(work, 0.01, retry=lambda _: 1e6, cured=cured.is_set)
    running.start()
    until(lambda: running.trouble.text == "full")
    count = work.count
    cured.set()
    work.until(count + 1)
    running.stop()
    assert count == 1, "and not before"


def test_the_end_waits_for_so_long_only(logged: Logged) -> None:
    never = threading.Event()
    running = Recurring("slow", 1, lambda: never.wait(60), Trouble("failed"), patience=0.05)
    running.start()
    running.stop()
    never.set()
    assert [(line["event"], line["name"]) for line in logged] == [
        ("work in the background did not end in time", "slow"),
    ]
