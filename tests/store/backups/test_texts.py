"""Texts that are looked for in the latest backups, once however often a page asks; in SQLite and PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, event
from support import fleets

from gitupd.core.backups.crowds import crowd, numbers_in, unpacked_crowd
from gitupd.core.backups.text_in_line import TextInLine
from gitupd.core.search import parse_search
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import Yardstick
from gitupd.store.backups.texts import BackupTexts, ReadBackup
from gitupd.store.fleet import FleetTable
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.store.database import Database

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
LIVE = CommitId("a" * 40)
YARDSTICK = Yardstick(NOW, None, LIVE)
SERIALS = [fleets.device(number, LIVE, NOW).serial for number in range(6)]
COMMON = "config change PHONE /Gatekeeper 10.2.0.2"


def keep(texts: BackupTexts, *numbers: int, lines: frozenset[str]) -> None:
    texts.keep([ReadBackup(SERIALS[number], 1, "", lines) for number in numbers])


@pytest.fixture
def texts(database: Database) -> BackupTexts:
    """What four of six devices have uploaded: a line that all of them have, and one that is of each alone."""
    Inventory(database).save_sightings(fleets.device(number, LIVE, NOW) for number in range(len(SERIALS)))
    kept = BackupTexts(database)
    for number in range(4):
        keep(kept, number, lines=frozenset({COMMON, f"config change OWN /id {number}"}))
    return kept


@contextmanager
def looked_through() -> Iterator[list[str]]:
    """Give the block the statements that look through all lines."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "FROM text_lines" in statement and "folded" in statement:
            said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def found(database: Database, text: str) -> list[str]:
    return sorted(each.digits for each in FleetTable(database).serials(parse_search(text), YARDSTICK))


def digits(*numbers: int) -> list[str]:
    return [SERIALS[number].digits for number in numbers]


def test_members_of_a_crowd(texts: BackupTexts) -> None:
    members = texts.members()
    assert sorted(members.values()) == digits(0, 1, 2, 3)
    (line,) = texts.lines(TextInLine("gatekeeper"))
    assert texts.members(unpacked_crowd(line.holders)) == members
    some = texts.numbered([SERIALS[1], SERIALS[2], SERIALS[5]])
    assert sorted(some.values()) == digits(1, 2)
    assert texts.members(crowd(some)) == some
    assert texts.members(0) == texts.numbered([]) == {}


def test_all_lines_are_looked_through_once_for_one_text(database: Database, texts: BackupTexts) -> None:
    with looked_through() as scans:
        assert [line.text for line in texts.lines(TextInLine("/Gatekeeper"))] == [COMMON]
        assert found(database, 'text:"/gatekeeper"') == digits(0, 1, 2, 3)
        assert FleetTable(database).count(parse_search('text:"/gatekeeper" has:backup'), YARDSTICK) == 4
        assert [line.text for line in texts.lines(TextInLine("/gatekeeper"))] == [COMMON]
    assert len(scans) == 1
    with looked_through() as scans:
        assert found(database, 'text:"/gatekeep"') == digits(0, 1, 2, 3)
        assert found(database, 'word:"/gatekeep"') == []
        assert [line.text for line in texts.lines(TextInLine("/gatekeep", whole=True))] == []
    assert len(scans) == 2, "another text, and whole words of it, are looked for anew"


def test_what_is_remembered_is_not_told_once_it_is_otherwise(database: Database, texts: BackupTexts) -> None:
    wanted = TextInLine("own /id")
    assert len(texts.lines(wanted)) == 4
    keep(texts, 0, 4, lines=frozenset({"config change OWN /id 9"}))
    assert found(database, 'text:"own /id"') == digits(0, 1, 2, 3, 4)
    nine = next(line for line in texts.lines(wanted) if line.text.endswith("9"))
    assert (nine.devices, sorted(texts.members(unpacked_crowd(nine.holders)).values())) == (2, digits(0, 4))
    keep(texts, 4, lines=frozenset())
    assert [line.devices for line in texts.lines(wanted)] == [1, 1, 1, 1]
    assert found(database, 'text:"own /id"') == digits(0, 1, 2, 3)


def test_of_very_many_lines_only_who_has_them_is_remembered(
    database: Database, texts: BackupTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitupd.store.backups.texts._MOST_REMEMBERED", 3)
    wanted = TextInLine("own /id")
    with looked_through() as scans:
        lines = texts.lines(wanted)
        assert len(lines) == 4
        assert found(database, 'text:"own /id"') == digits(0, 1, 2, 3)
        assert len(scans) == 1
        assert set(texts.lines(wanted)) == set(lines)
    assert len(scans) == 2
    assert sorted(numbers_in(unpacked_crowd(texts.lines(TextInLine("gatekeeper"))[0].holders))) == sorted(
        texts.members()
    )
