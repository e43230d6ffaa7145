"""Roll-outs chosen and counted by SQL, held against the same in memory; in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import WAITING_FOR_PEOPLE, Rollout, Stage
from gitupd.core.device import Device
from gitupd.core.search import parse_search
from gitupd.core.standing import Yardstick
from gitupd.store.certificates.rollout_lists import Choice, RolloutLists
from gitupd.store.certificates.rollouts import RolloutRecord, Rollouts
from gitupd.store.database import Database
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
YARDSTICK = Yardstick(NOW, None, None)
ENDS = (None, NOW - DAY, NOW, NOW + 5 * DAY, NOW + 90 * DAY)


def record(number: int) -> RolloutRecord:
    stages = list(Stage)
    stage, serial = stages[number % len(stages)], Serial(f"0090330000{number:02x}")
    rollout = Rollout(b"request", NOW - number * DAY) if stage is Stage.SIGNING else Rollout()
    return RolloutRecord(serial, rollout, stage, NOW - number * DAY, "why", expires=ENDS[number % len(ENDS)])


RECORDS = [record(number) for number in range(96)]


@pytest.fixture
def lists(database_url: str) -> Iterator[RolloutLists]:
    opened = Database(database_url)
    opened.migrate()
    Rollouts(opened).adopt(RECORDS)
    named = [
        Device(each.serial, model="IP222", given_name="Desk", last_seen=NOW, first_seen=NOW) for each in RECORDS[:20]
    ]
    Inventory(opened).save_sightings(named)
    yield RolloutLists(opened)
    opened.close()


def is_chosen(each: RolloutRecord, choice: Choice) -> bool:
    end = each.expires
    return (
        (not choice.stages or each.stage in choice.stages)
        and (choice.since is None or (end is not None and end >= choice.since))
        and (choice.before is None or (end is not None and end < choice.before))
        and (not choice.search.terms or each in RECORDS[:20])
    )


CHOICES = [
    Choice(YARDSTICK),
    Choice(YARDSTICK, (Stage.SIGNING, Stage.FAILED)),
    Choice(YARDSTICK, since=NOW, before=NOW + 10 * DAY),
    Choice(YARDSTICK, before=NOW),
    Choice(YARDSTICK, since=NOW + 10 * DAY),
    Choice(YARDSTICK, tuple(Stage)[:5], search=parse_search("type:IP222")),
]


def test_choices_are_the_same_in_sql_and_in_memory(lists: RolloutLists) -> None:
    for choice in CHOICES:
        expected = {each.serial for each in RECORDS if is_chosen(each, choice)}
        assert expected
        found, total = lists.find(choice, 1000)
        assert total == len(found) == len(expected)
        assert {each.record.serial for each in found} == expected == set(lists.serials(choice))
        pages = [lists.find(choice, 7, offset)[0] for offset in range(0, total, 7)]
        assert [each for page in pages for each in page] == found
        assert list(lists.each(choice)) == sorted(found, key=lambda each: each.record.serial)


def test_all_of_many_are_read(lists: RolloutLists, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitupd.store.certificates.rollout_lists._AT_ONCE", 7)
    assert [each.record for each in lists.each(Choice(YARDSTICK))] == RECORDS


def test_those_that_wait_for_people_come_first_and_the_longest_of_them(lists: RolloutLists) -> None:
    found = [each.record for each in lists.find(Choice(YARDSTICK), 1000)[0]]
    assert found == sorted(RECORDS, key=lambda each: (each.stage not in WAITING_FOR_PEOPLE, each.stage_at, each.serial))
    ending = [each.record.expires for each in lists.find(CHOICES[2], 1000)[0]]
    assert ending == sorted(ending)


def test_names_come_along_where_they_are_known(lists: RolloutLists) -> None:
    found = {each.record.serial: (each.name, each.model) for each in lists.find(Choice(YARDSTICK), 1000)[0]}
    assert [found[each.serial] for each in RECORDS[18:22]] == [("Desk", "IP222")] * 2 + [(None, None)] * 2


def test_ends_are_counted(lists: RolloutLists) -> None:
    known = [each.expires for each in RECORDS if each.expires is not None]
    moments = [NOW, NOW + DAY, NOW + 1000 * DAY]
    assert lists.ends(moments) == [*(sum(end < moment for end in known) for moment in moments), len(known)]
    assert lists.next_end(NOW) == NOW
    assert lists.next_end(NOW + 100 * DAY) is None


def test_requests_that_wait(lists: RolloutLists) -> None:
    waiting = [each for each in RECORDS if each.stage is Stage.SIGNING]
    oldest_first = sorted(waiting, key=lambda each: each.stage_at)
    found = lists.requests(Choice(YARDSTICK, (Stage.SIGNING,)), 1000)
    assert found == [(each.serial, b"request") for each in oldest_first]
    assert lists.requests(Choice(YARDSTICK), 2) == found[:2]
    assert lists.oldest(Stage.SIGNING) == oldest_first[0].stage_at
