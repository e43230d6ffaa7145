"""Events of the audit: their words, and that each is one line."""

from __future__ import annotations

from datetime import UTC, datetime

from gitupd.core.caller import Serial
from gitupd.core.people.audit import Event, Kind, Topic, deed, tallies, topic_of

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def test_every_deed_has_words_of_its_own() -> None:
    words = {kind: deed(kind) for kind in Kind}
    assert not [kind for kind, said in words.items() if said == kind]
    assert len(set(words.values())) == len(Kind)
    assert deed("login-refused") == "failed to log in"
    assert deed("of a later version") == "of a later version"


def test_events_fit_into_one_line() -> None:
    event = Event(NOON, "ada\r\n", "login", "a\0b\u202ec\u2028d\udcff", "x" * 5000, "1.2.3.4\x1b[2J" + "9" * 100).safe()
    assert (event.who, event.subject) == ("ada  ", "a b c d ")
    assert (len(event.detail), event.detail[-2:]) == (2000, "x…")
    assert event.address is not None
    assert len(event.address) == 64
    assert event.address.startswith("1.2.3.4 [2J")
    assert event.safe() == event
    assert Event(NOON, "grüße 中", "login").safe() == Event(NOON, "grüße 中", "login")


def test_an_event_names_one_device_and_counts_several() -> None:
    serials = [Serial(f"0090330000{number:02x}") for number in range(200)]
    event = Event(NOON, "ada", "touch", detail="seen now")
    assert event.about(serials[:1]) == Event(NOON, "ada", "touch", "00-90-33-00-00-00", "seen now")
    two = event.about(serials[:2])
    assert (two.subject, two.detail) == ("2 devices", "00-90-33-00-00-00, 00-90-33-00-00-01")
    many = event.about(serials)
    assert (many.subject, many.detail[-2:]) == ("200 devices", " …")
    assert many.detail.startswith(two.detail)


def test_whatever_is_no_log_in_and_no_look_is_a_change() -> None:
    assert {kind for kind in Kind if topic_of(kind) is Topic.LOG_INS} == {"login", "login-refused", "logout"}
    assert {kind for kind in Kind if topic_of(kind) is Topic.LOOKS} == {
        "backup-view",
        "export",
        "requests-view",
        "secrets-show",
    }
    assert topic_of("of a later version") is Topic.CHANGES


def test_entries_are_counted_in_words() -> None:
    counts = {"logout": 9, "login": 1, "login-refused": 3, "deploy": 2, "rollback": 1, "push": 2, "user-add": 1, "x": 1}
    told = tallies({**counts, "backup-view": 1, "export": 1})
    assert [each.words for each in told] == [
        "2 deployments",
        "1 rollback",
        "2 pushes",
        "2 other changes",
        "3 refused log-ins",
        "1 log-in",
        "2 looks",
    ]
    assert [each.kind or each.topic for each in told] == [
        *("deploy", "rollback", "push", None, "login-refused", "login", "looks"),
    ]
    assert [(each.words, each.topic) for each in tallies({"user-add": 1, "freeze": 0})] == [("1 change", "changes")]
    assert tallies({"logout": 5}) == tallies({}) == ()
