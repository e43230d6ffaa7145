"""Many small things written at once, each of them before it is answered."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Serial
from gitupd.core.device import Message
from gitupd.errors import SiteError
from gitupd.service.answers import UnusableAnswer, answered
from gitupd.service.deployments.live import Follower
from gitupd.service.group_commit import GroupCommit
from gitupd.service.query_answers import Uploads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
SERIAL = Serial("0090333000af")


class Disk:
    """Remembers batches; holds them up, or fails, as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open, self.busy = threading.Event(), threading.Event()
        self.open.set()
        self.failure: Exception | None = None

    def write(self, items: Sequence[int]) -> Sequence[int]:
        self.busy.set()
        assert self.open.wait(10)
        if self.failure is not None:
            raise self.failure
        self.batches.append(list(items))
        return [item * 10 for item in items]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def commit(disk: Disk) -> Iterator[GroupCommit[int, int]]:
    started = GroupCommit("numbers", disk.write)
    started.start()
    yield started
    disk.open.set()
    started.stop()


def test_what_comes_while_the_disk_is_busy_is_written_at_once_and_in_order(
    commit: GroupCommit[int, int], disk: Disk
) -> None:
    disk.open.clear()
    first = commit.put(0)
    assert disk.busy.wait(10)
    more = [commit.put(number) for number in range(1, 10)]
    assert not wait([first, *more], 0.05).done
    disk.open.set()
    assert not wait([first, *more], 10).not_done
    assert disk.batches == [[0], list(range(1, 10))]
    assert [future.result() for future in (first, *more)] == list(range(0, 100, 10)), "each hears of its own"


def test_a_failure_reaches_everybody_and_the_next_ones_are_written(commit: GroupCommit[int, int], disk: Disk) -> None:
    disk.failure = SiteError("no room left")
    with pytest.raises(SiteError, match="no room left"):
        commit.put(1).result(10)
    assert commit.trouble == "no room left"
    disk.failure = ZeroDivisionError()
    with pytest.raises(SiteError, match="numbers can't be written; the log says why"):
        commit.put(2).result(10)
    disk.failure = None
    commit.put(3).result(10)
    assert (disk.batches, commit.trouble) == ([[3]], None)


def test_who_gave_up_is_passed_over(commit: GroupCommit[int, int], disk: Disk) -> None:
    disk.open.clear()
    commit.put(0)
    assert disk.busy.wait(10)
    assert commit.put(1).cancel()
    last = commit.put(2)
    disk.open.set()
    last.result(10)
    assert disk.batches == [[0], [2]]


def test_the_end_waits_for_what_was_added(commit: GroupCommit[int, int], disk: Disk) -> None:
    disk.open.clear()
    added = [commit.put(number) for number in range(2_000)]
    threading.Timer(0.1, disk.open.set).start()
    commit.stop()
    assert all(each.done() for each in added)
    assert [number for batch in disk.batches for number in batch] == list(range(2_000))
    with pytest.raises(SiteError, match="no more numbers"):
        commit.put(0).result(10)


def test_no_more_wait_than_there_is_room_for(commit: GroupCommit[int, int], disk: Disk) -> None:
    disk.open.clear()
    added = [commit.put(number) for number in range(10_600)]
    refused = [each for each in added if each.done()]
    assert 1 <= len(refused) <= 600
    with pytest.raises(SiteError, match="no more numbers"):
        refused[0].result()


# Uploads of devices


@pytest.fixture
def uploads(sample: Sample) -> Iterator[Uploads]:
    follower = Follower(sample.site)
    follower.follow()
    started = Uploads(follower, sample.site.answers)
    started.start()
    yield started
    started.stop()


def test_an_answer_is_on_disk_when_its_future_is_done(sample: Sample, uploads: Uploads) -> None:
    uploads.keep(answered(SERIAL, "admin", b'<info name=" Desk "/>\r\n', NOON)).result(10)
    assert sample.site.answers.of(SERIAL) == (QueryAnswer("admin", NOON, '<info name=" Desk "/>'),)
    device = sample.site.inventory.device(SERIAL)
    assert device is not None
    assert (device.own_name, device.first_seen, device.last_seen) == ("Desk", NOON, NOON)


def test_only_the_query_admin_names_a_device() -> None:
    assert answered(SERIAL, "other", b'<info name="x"/>', NOON) == AnsweredQuery(
        SERIAL, QueryAnswer("other", NOON, '<info name="x"/>'), None
    )
    with pytest.raises(UnusableAnswer):
        answered(SERIAL, "admin", b"<", NOON)


def test_only_answers_to_queries_of_the_deployed_configuration_are_wanted(sample: Sample, uploads: Uploads) -> None:
    assert [uploads.unwanted(each) for each in ("admin", "certificates")] == [None, None]
    for query in ("Admin", "admin ", "mine", "", "admin\n"):
        assert uploads.unwanted(query) == "the configuration has no such query"
    assert Uploads(Follower(sample.site), sample.site.answers).unwanted("admin") == "nothing is deployed yet"


def test_messages_are_left_once_a_minute_and_not_without_end(sample: Sample, uploads: Uploads) -> None:
    for number in range(5):
        uploads.tell(SERIAL, "one", NOON + timedelta(seconds=number))
    uploads.tell(SERIAL, "two", NOON)
    for number in range(2_000):
        uploads.tell(Serial(f"{number:012x}"), "spam", NOON)
    uploads.tell(SERIAL, "one", NOON + timedelta(seconds=61))
    uploads.keep(answered(SERIAL, "admin", b"<info/>", NOON)).result(10)
    device = sample.site.inventory.device(SERIAL)
    assert device is not None
    assert device.messages == (
        Message(NOON, "one"),
        Message(NOON, "two"),
        Message(NOON + timedelta(seconds=61), "one"),
    )
    spam = [Serial(f"{number:012x}") for number in range(2_000)]
    sample.site.answers.save([AnsweredQuery(each, QueryAnswer("admin", NOON, "<info/>")) for each in spam])
    assert sum(bool(sample.site.inventory.device(each).messages) for each in spam) == 598
