"""The audit, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gitupd.core.people.audit import AuditEntry, AuditFilter, Event, Kind, Topic
from gitupd.store.audit import Audit, append_several

if TYPE_CHECKING:
    from gitupd.store.database import Database


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def test_the_audit_is_read_newest_first_page_by_page(database: Database) -> None:
    audit = Audit(database)
    for number in range(5):
        audit.add(NOON + timedelta(seconds=number), "ada", Kind.LOGIN, f"s{number}", address="1.2.3.4")
    entries = audit.entries(2)
    assert [each.subject for each in entries] == ["s4", "s3"]
    assert entries[0] == AuditEntry(entries[0].id, NOON + timedelta(seconds=4), "ada", "1.2.3.4", "login", "s4", "")
    assert [each.subject for each in audit.entries(9, entries[1].id)] == ["s2", "s1", "s0"]


def test_the_audit_is_searched(database: Database) -> None:
    audit = Audit(database)
    audit.add(NOON, "ada", Kind.DEPLOY, "abc", "100% sure_", address=None)
    audit.add(NOON, "Bob", Kind.LOGIN, "Bob", "", address="10.0.0.1")

    def found(**wanted: str) -> list[str]:
        return [each.who for each in audit.entries(9, **wanted)]  # type: ignore[arg-type] # each is a text

    assert found() == ["Bob", "ada"]
    assert (found(who="ada"), found(who="ad"), found(kind="login"), found(subject="abc")) == (
        ["ada"],
        [],
        ["Bob"],
        ["ada"],
    )
    assert (found(text="SURE"), found(text="bo"), found(text="b")) == (["ada"], ["Bob"], ["Bob", "ada"])
    # What has a meaning in a pattern of SQL has none here, and no text breaks the database.
    assert (found(text="%"), found(text="e_"), found(text="_b"), found(text="\0"), found(who="\udcff")) == (
        ["ada"],
        ["ada"],
        [],
        ["ada"],
        [],
    )
    assert found(kind="login", who="ada") == []


def test_entries_are_bounded_and_printable(database: Database) -> None:
    Audit(database).add(NOON, "a\nb" * 99, Kind.LOGIN, "\0\u202e" + "x" * 999, "y\r\nz\udcff" * 999, address="\x1b")
    entry = Audit(database).entries(1)[0]
    assert (len(entry.who), len(entry.subject), len(entry.detail), entry.address) == (100, 200, 2000, " ")
    assert all(text.isprintable() for text in (entry.who, entry.subject, entry.detail))


def test_where_somebody_was_and_what_was_recorded(database: Database) -> None:
    audit = Audit(database)
    audit.add(NOON, "ada", Kind.LOGIN, address="1.1.1.1")
    audit.add(NOON, "ada", Kind.LOGIN, address="1.1.1.1")
    audit.add(NOON, "ada", Kind.LOGOUT, detail="x", address="2.2.2.2")
    audit.add(NOON, "ada", Kind.LOGOUT, detail="x")
    assert audit.addresses("ada", Kind.LOGIN, NOON) == {"1.1.1.1"}
    assert audit.addresses("ada", Kind.LOGIN, LATER) == audit.addresses("bob", Kind.LOGIN, NOON) == set()
    assert audit.has(Kind.LOGOUT, "2.2.2.2", NOON, "x")
    assert audit.has(Kind.LOGOUT, None, NOON, "x")
    assert not audit.has(Kind.LOGOUT, "1.1.1.1", NOON, "x")
    assert not audit.has(Kind.LOGOUT, "2.2.2.2", NOON, "y")
    assert not audit.has(Kind.LOGOUT, "2.2.2.2", LATER, "x")


def test_entries_are_found_by_what_they_are_about_and_when(database: Database) -> None:
    audit = Audit(database)
    kinds = ("login", "deploy", "backup-view", "of a later version", "login-refused", "export", "deploy")
    for number, kind in enumerate(kinds):
        audit.add(NOON + timedelta(minutes=number), "ada", kind, str(number))  # type: ignore[arg-type] # one is of later

    def found(**asked: Any) -> str:
        entries = audit.found(AuditFilter(**asked), 9)
        assert audit.count(AuditFilter(**asked), 9) == len(entries)
        assert [each for some in audit.each(AuditFilter(**asked)) for each in some] == entries
        return "".join(each.subject for each in entries)

    assert found() == "6543210"
    assert (found(topic=Topic.CHANGES), found(topic=Topic.LOG_INS), found(topic=Topic.LOOKS)) == ("631", "40", "52")
    assert found(since=LATER) == "654321"
    assert found(until=LATER) == "0"
    assert found(since=LATER, until=LATER + timedelta(minutes=4), topic=Topic.CHANGES) == "31"
    assert found(since=LATER, until=NOON) == ""
    assert found(topic=Topic.CHANGES, kind="deploy", who="ada", text="6") == "6"
    assert audit.count(AuditFilter(), 3) == 3
    assert audit.counts(LATER) == {
        "deploy": 2,
        "backup-view": 1,
        "of a later version": 1,
        "login-refused": 1,
        "export": 1,
    }
    assert audit.counts(NOON + timedelta(days=1)) == {}


def test_all_entries_are_read_some_at_a_time(database: Database) -> None:
    audit = Audit(database)
    with database.connection() as connection:
        append_several(connection, [Event(NOON, "ada", "login", str(number)) for number in range(1_001)])
    parts = list(audit.each(AuditFilter()))
    assert [len(some) for some in parts] == [500, 500, 1]
    assert [int(each.subject) for some in parts for each in some] == list(range(1_000, -1, -1))
