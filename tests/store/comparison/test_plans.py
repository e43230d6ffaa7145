"""Plans that are kept, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.store.comparison.plans import PlanRow, PlanTable

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
ONE, OTHER = CommitId("a" * 40), CommitId("b" * 40)
MARK = "c" * 64


def test_a_wish_is_there_until_it_is_seen_to(database: Database) -> None:
    table = PlanTable(database)
    assert table.row(ONE, OTHER) is None
    table.wish(ONE, OTHER, NOON)
    table.wish(ONE, OTHER, LATER)
    assert table.wishes() == [PlanRow(ONE, OTHER, LATER)]
    table.progress(ONE, OTHER, LATER, 5, 10)
    assert table.wishes() == [PlanRow(ONE, OTHER, LATER, LATER, 5, 10)]
    table.keep(ONE, OTHER, mark=MARK, facts={"numbers": 1}, body=b"body", now=LATER)
    assert table.wishes() == []
    row = PlanRow(ONE, OTHER, LATER, None, 0, 0, LATER, LATER, MARK, {"numbers": 1})
    assert table.row(ONE, OTHER) == row
    assert table.rows(5) == [row]
    assert table.body(ONE, OTHER) == b"body"
    assert table.body(OTHER, ONE) is None


def test_what_is_kept_may_be_wanted_again_and_be_true_still(database: Database) -> None:
    table = PlanTable(database)
    table.keep(ONE, OTHER, mark=MARK, facts={}, body=b"x", now=NOON)
    table.wish(ONE, OTHER, LATER)
    assert [wish.mark for wish in table.wishes()] == [MARK]
    table.still_true(ONE, OTHER, LATER)
    row = table.row(ONE, OTHER)
    assert row is not None
    assert (row.made, row.checked, table.wishes()) == (NOON, LATER, [])


def test_what_can_t_be_made_leaves_nothing_of_what_was(database: Database) -> None:
    table = PlanTable(database)
    table.keep(ONE, OTHER, mark=MARK, facts={}, body=b"x", now=NOON)
    table.fail(ONE, OTHER, "", "no such commit", LATER)
    row = table.row(ONE, OTHER)
    assert row is not None
    assert (row.error, row.facts, table.body(ONE, OTHER), table.wishes()) == ("no such commit", None, None, [])


def test_those_nobody_asked_for_lately_make_room(database: Database) -> None:
    table = PlanTable(database)
    for number in range(105):
        at = NOON + timedelta(seconds=number)
        table.keep(ONE, CommitId(f"{number:040x}"), mark=MARK, facts={}, body=b"x", now=at)
    assert table.size() == (100, 100)
    assert table.row(ONE, CommitId(f"{4:040x}")) is None
    assert table.row(ONE, CommitId(f"{5:040x}")) is not None


def test_those_that_were_never_made_make_room_too(database: Database) -> None:
    table = PlanTable(database)
    for number in range(105):
        at, head = NOON + timedelta(seconds=number), CommitId(f"{number:040x}")
        table.wish(ONE, head, at)
        if number % 2:
            table.fail(ONE, head, "", "it has errors", at)
    assert table.size() == (100, 0)
    assert table.row(ONE, CommitId(f"{4:040x}")) is None
    assert table.row(ONE, CommitId(f"{104:040x}")) is not None


def test_large_ones_make_room_sooner(database: Database) -> None:
    table = PlanTable(database)
    for number in range(3):
        at, body = NOON + timedelta(seconds=number), b"x" * (30 * 2**20)
        table.keep(ONE, CommitId(f"{number:040x}"), mark=MARK, facts={}, body=body, now=at)
    assert table.size() == (2, 60 * 2**20)
