"""The backup history counted and listed by SQL; in SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import TYPE_CHECKING

import pytest
from support import fleets

from gitupd.core.backups.change import Delta, Fingerprint
from gitupd.core.backups.overdue import Deadline, Overdue, OverdueCounts
from gitupd.core.backups.version import BackupVersion, Counts, Extent
from gitupd.core.caller import Serial
from gitupd.core.people.audit import Event, Kind
from gitupd.core.policy import Policy
from gitupd.core.search import parse_search
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import Yardstick
from gitupd.store.backups.inbox import BackupInbox, Incoming, SeenAgain
from gitupd.store.backups.index import BackupIndex
from gitupd.store.backups.timeline import BackupTimeline
from gitupd.store.database import Database
from gitupd.store.deployments import Deployments
from gitupd.store.fleet import FleetTable
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
LIVE = CommitId("a" * 40)
YARDSTICK = Yardstick.of(Policy(), LIVE, NOW)
SERIALS = [fleets.device(number, LIVE, NOW).serial for number in range(8)]
FORGOTTEN = Serial("0090339999ff")


def version(number: int, serial: Serial, received: datetime) -> BackupVersion:
    commit = CommitId(f"{number:040x}")
    return BackupVersion(serial, received, commit, f"{number + 1000:040x}", Fingerprint("0"), 9, 3, Delta(3, 0), {})


# Six of eight devices, some of them twice, and one that was forgotten since; a day apart, around midnight UTC.
VERSIONS = [
    *(version(n, SERIALS[n], NOW - timedelta(days=10 - n)) for n in range(6)),
    *(version(6 + n, SERIALS[n], datetime(2024, 5, 5, 23, 59, 59, tzinfo=UTC)) for n in range(2)),
    version(8, SERIALS[0], datetime(2024, 5, 6, 1, 30, tzinfo=timezone(timedelta(hours=2)))),
    version(9, FORGOTTEN, datetime(2024, 5, 6, tzinfo=UTC)),
]


@pytest.fixture
def timeline(database_url: str) -> Iterator[BackupTimeline]:
    opened = Database(database_url)
    opened.migrate()
    Inventory(opened).save_sightings(fleets.device(number, LIVE, NOW) for number in range(8))
    BackupIndex(opened).add(VERSIONS)
    yield BackupTimeline(opened)
    opened.close()


def commits(found: list[BackupVersion]) -> list[int]:
    return [int(each.commit, 16) for each in found]


def test_a_version_is_named_by_the_beginning_of_its_commit_if_that_is_the_only_one(database_url: str) -> None:
    opened = Database(database_url)
    opened.migrate()
    index = BackupIndex(opened)
    versions = [
        replace(VERSIONS[n], commit=CommitId(name.ljust(40, "0"))) for n, name in enumerate(("ab12", "ab13", "f"))
    ]
    index.add(versions)
    assert index.version("ab12") == versions[0]
    assert index.version("ab13") == index.version(versions[1].commit) == versions[1]
    assert index.version("f000") == versions[2]
    assert index.version("ab1") is None, "there are two"
    assert index.version("ab14") is index.version("0000") is index.version("ffff") is None
    opened.close()


def test_counts(timeline: BackupTimeline) -> None:
    assert timeline.counts(datetime(2024, 5, 6, tzinfo=UTC)) == Counts(versions=10, devices=7, lately=1)
    assert timeline.counts(NOW - timedelta(days=100)).lately == 7


@pytest.mark.usefixtures("timeline")
def test_days_are_those_of_utc(database_url: str) -> None:
    database = Database(database_url)
    if database.dialect == "postgresql":  # which may be anywhere
        name = database_url.rpartition("/")[2]
        with database.connection() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET timezone TO 'Pacific/Auckland'")
        database.close()
        database = Database(database_url)
    days = dict(BackupTimeline(database).per_day(NOW - timedelta(days=7), UTC))
    database.close()
    counted = {f"{day}": count for day, count in days.items()}
    assert counted == {"2024-04-29": 1, "2024-04-30": 1, "2024-05-01": 1, "2024-05-05": 3, "2024-05-06": 1}


def test_versions_by_page_day_and_device(timeline: BackupTimeline) -> None:
    listed = timeline.versions(4)
    assert commits([each.version for each in listed]) == [9, 8, 7, 6]
    assert [each.name for each in listed] == [None, None, "Desk 1", None]
    older = timeline.versions(3, before=listed[-1].number)
    assert commits([each.version for each in older]) == [5, 4, 3]
    day = datetime(2024, 5, 5, tzinfo=UTC), datetime(2024, 5, 6, tzinfo=UTC)
    that_day = timeline.versions(9, between=day)
    assert commits([each.version for each in that_day]) == [7, 6, 8], "by time, which clocks may have turned back"
    rest = [timeline.versions(9, before=each.number, between=day) for each in that_day]
    assert [commits([each.version for each in some]) for some in rest] == [[6, 8], [8], []]
    desk = timeline.versions(9, of=(parse_search('name:"Desk 1"'), YARDSTICK))
    assert commits([each.version for each in desk]) == [7, 1]


def test_what_is_kept_of_each_device(timeline: BackupTimeline) -> None:
    kept = timeline.kept(3)
    assert [(each.latest.serial, int(each.latest.commit, 16), each.count, each.name) for each in kept] == [
        (SERIALS[0], 8, 3, None),
        (SERIALS[1], 7, 2, "Desk 1"),
        (SERIALS[2], 2, 1, None),
    ]
    assert [each.latest.serial for each in timeline.kept(9, after=SERIALS[4])] == [SERIALS[5], FORGOTTEN]
    found = timeline.kept(9, of=(parse_search("IP232"), YARDSTICK))
    assert [each.latest.serial for each in found] == [SERIALS[1]]


def test_there_may_be_more_devices_than_one_statement_asks_for(database_url: str) -> None:
    opened = Database(database_url)
    opened.migrate()
    many = [fleets.device(number, LIVE, NOW) for number in range(1_100)]
    Inventory(opened).save_sightings(many)
    BackupIndex(opened).add(version(number, device.serial, NOW) for number, device in enumerate(many))
    timeline = BackupTimeline(opened)
    numbers = [number for number, _, _ in timeline.blobs(2_000)]
    found = timeline.numbered(numbers)
    assert commits([found[number].version for number in numbers]) == list(range(1_099, -1, -1))
    named = {device.serial: device.given_name for device in many if device.given_name}
    assert timeline.names([device.serial for device in many]) == named
    opened.close()


def deadline(since: datetime, present_since: datetime | None = None) -> Deadline:
    return Deadline(NOW - since, since, present_since)


def test_devices_that_never_uploaded(timeline: BackupTimeline) -> None:
    week = deadline(NOW - timedelta(days=7))
    assert [(each.serial, each.name) for each in timeline.never(week, 9)] == [
        (SERIALS[6], None),
        (SERIALS[7], "Desk 7"),
    ]
    assert [each.serial for each in timeline.never(week, 9, after=SERIALS[6])] == [SERIALS[7]]


def test_what_searches_read(timeline: BackupTimeline) -> None:
    latest = [(serial, int(blob, 16) - 1000) for serial, blob in timeline.latest()]
    assert latest == [(FORGOTTEN, 9), (SERIALS[0], 8), (SERIALS[1], 7), *((SERIALS[n], n) for n in (5, 4, 3, 2))]
    assert timeline.latest([SERIALS[5], FORGOTTEN, SERIALS[7]]) == [timeline.latest()[0], timeline.latest()[3]]
    assert timeline.latest([]) == []
    first = timeline.blobs(2)
    assert [int(blob, 16) - 1000 for _, _, blob in first] == [9, 8]
    assert [int(blob, 16) - 1000 for _, _, blob in timeline.blobs(2, before=first[-1][0])] == [7, 6]
    numbers = [number for number, _, _ in timeline.blobs(100)]
    assert commits([timeline.numbered(numbers)[number].version for number in numbers]) == list(range(9, -1, -1))
    assert timeline.names([SERIALS[0], SERIALS[1], FORGOTTEN]) == {SERIALS[1]: "Desk 1"}


def test_the_extent_of_one_device_and_what_came_before(timeline: BackupTimeline) -> None:
    assert timeline.extent(SERIALS[1]) == Extent(2, VERSIONS[1].received, VERSIONS[7].received)
    assert timeline.extent(SERIALS[7]) == Extent(0, None, None)
    before = timeline.before(VERSIONS[8])
    assert before is not None
    assert int(before.commit, 16) == 6
    assert timeline.before(VERSIONS[0]) is None
    assert timeline.after(VERSIONS[8]) is None
    after = timeline.after(VERSIONS[0])
    assert after is not None
    assert int(after.commit, 16) == 6


def test_the_extent_of_one_device_between_two_times(timeline: BackupTimeline) -> None:
    first, last = VERSIONS[1].received, VERSIONS[7].received
    assert timeline.extent(SERIALS[1], (first, last)) == Extent(1, first, first)
    assert timeline.extent(SERIALS[1], (last, NOW)) == Extent(1, last, last)
    assert timeline.extent(SERIALS[1], (NOW, NOW)) == Extent(0, None, None)


def test_deployments_between_two_times(database_url: str) -> None:
    opened = Database(database_url)
    opened.migrate()
    deployments = Deployments(opened)
    times = [NOW + timedelta(days=day) for day in range(4)]
    for number, at in enumerate(times):
        deployments.add(CommitId(str(number % 2) * 40), Event(at, "tess", Kind.DEPLOY), kind="deploy")
    assert [each.at for each in deployments.between(times[1], times[3])] == [times[2], times[1]]
    assert [each.at for each in deployments.between(times[2], None)] == [times[3], times[2]]
    assert [each.at for each in deployments.between(None, times[1])] == [times[0]]
    assert [each.at for each in deployments.between(None, None, 1)] == [times[3]]
    found = [deployments.last_of(CommitId("0" * 40), at) for at in (times[0], times[1], times[3])]
    assert [each and each.at for each in found] == [times[0], times[0], times[2]]
    assert deployments.last_of(CommitId("1" * 40), times[0]) is None
    opened.close()


MAY_5 = deadline(datetime(2024, 5, 5, tzinfo=UTC))


def test_devices_that_have_not_uploaded_for_long(timeline: BackupTimeline) -> None:
    late = timeline.late(MAY_5, 9)
    assert [each.serial for each in late] == SERIALS[2:6], "neither the two with newer versions, nor the forgotten one"
    assert (late[1].name, late[1].uploaded) == ("Desk 3", VERSIONS[3].received)
    assert [each.serial for each in timeline.late(deadline(NOW), 2, after=SERIALS[0])] == SERIALS[1:3]
    assert timeline.count_overdue(MAY_5) == OverdueCounts(late=4, never=2)


def test_an_upload_of_the_same_counts(timeline: BackupTimeline, database_url: str) -> None:
    database = Database(database_url)
    inbox = BackupInbox(database)
    inbox.save([Incoming("1", SERIALS[3], NOW - timedelta(days=9), Fingerprint("0"), 9, {}, b"x")])
    inbox.save([SeenAgain(SERIALS[3], NOW)])
    late = [each.serial for each in timeline.late(MAY_5, 9)]
    assert late == [SERIALS[2], *SERIALS[4:6]]
    database.close()


def test_who_is_overdue_in_sql_is_so_in_the_core_to_the_microsecond(database_url: str) -> None:
    opened = Database(database_url)
    opened.migrate()
    edge, moment = NOW - timedelta(days=2), timedelta(microseconds=1)
    times = (None, edge - moment, edge, edge + moment)
    drawn = list(product(times[1:], times, times))  # called, uploaded into the history, uploaded and not there yet
    serials = [Serial(f"0090330000{number:02x}") for number in range(len(drawn))]
    inbox = BackupInbox(opened)
    for number, (called, kept, seen) in enumerate(drawn):
        device = replace(fleets.device(number, LIVE, NOW), serial=serials[number], last_seen=called)
        Inventory(opened).save_sightings([device])
        if kept is not None:
            BackupIndex(opened).add([version(number, serials[number], kept)])
        if seen is not None:
            inbox.save([Incoming(str(number), serials[number], seen, Fingerprint("0"), 9, {}, b"x")])
    timeline = BackupTimeline(opened)
    for present_since in (None, edge):
        limit = deadline(edge, present_since)
        wanted = [limit.verdict(called, seen or kept) for called, kept, seen in drawn]
        late, never = timeline.late(limit, 99), timeline.never(limit, 99)
        found = {device.serial: device.because for device in (*late, *never)}
        assert len(found) == len(late) + len(never), "none is in both lists"
        assert [found.get(serial) for serial in serials] == wanted
        counts = Counter(reason.value for reason in wanted if reason)
        assert timeline.count_overdue(limit) == OverdueCounts(**counts)
    yardstick = Yardstick(NOW, edge, LIVE, backups=True)
    for reason in Overdue:
        found = set(FleetTable(opened).serials(parse_search(f"backup:{reason}"), yardstick))
        assert found == {serial for serial, because in zip(serials, wanted, strict=True) if because is reason}
        assert not FleetTable(opened).serials(parse_search(f"backup:{reason}"), replace(yardstick, backups=False))
    opened.close()
