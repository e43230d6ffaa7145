"""Events of the audit: their words, and that each is one line."""

from __future__ import annotations

from datetime import UTC, datetime

from gitupd.core.caller import Serial
from gitupd.core.people.audit import Event, Kind, deed

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
