"""What people may enter, what roles allow, and how long guessers wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.audit import Event, Kind, deed
from gitupd.core.guessing import (
    FREE_FOR_ADDRESS,
    FREE_FOR_NAME,
    FREE_FOR_PAIR,
    Failures,
    Guesses,
    is_familiar,
    neighbourhood,
)
from gitupd.core.people import Role, lower_role, parse_days, parse_name, parse_password, parse_role, parse_title
from gitupd.errors import InvalidEntry

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_every_deed_has_words_of_its_own() -> None:
    words = {kind: deed(kind) for kind in Kind}
    assert not [kind for kind, said in words.items() if said == kind]
    assert len(set(words.values())) == len(Kind)
    assert deed("login-refused") == "failed to log in"
    assert deed("of a later version") == "of a later version"


def test_roles_are_a_ladder() -> None:
    ladder = [Role.VIEWER, Role.AUDITOR, Role.OPERATOR, Role.ADMINISTRATOR]
    assert [[role.allows(needed) for needed in ladder] for role in ladder] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
    assert lower_role(Role.OPERATOR, Role.AUDITOR) is lower_role(Role.AUDITOR, Role.OPERATOR) is Role.AUDITOR


@pytest.mark.parametrize("name", ["a", "Ada", "ada.lovelace@example.org", "x" * 64, "_svc-1", " ada ", "ada\n"])
def test_names(name: str) -> None:
    assert parse_name(name) == name.strip().lower()


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 65, "a b", "a/b", "..", ".", "-x", "@", "a\nb", "ä", "K" + "\u212a", "a\0", "<b>"]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InvalidEntry, match="a name starts with a letter or digit"):
        parse_name(name)


@pytest.mark.parametrize("password", ["x" * 10, "x" * 1024, "ten blanks", "żółć-żółć-", "\0" * 10])
def test_passwords(password: str) -> None:
    assert parse_password(password) == password


@pytest.mark.parametrize(
    ("password", "fault"), [("", "10 to 1024"), ("x" * 9, "10 to"), ("x" * 1025, "1024"), ("x" * 9 + "\udcff", "UTF-8")]
)
def test_what_is_no_password(password: str, fault: str) -> None:
    with pytest.raises(InvalidEntry, match=fault) as caught:
        parse_password(password)
    assert "xxx" not in str(caught.value)


def test_roles_titles_and_days() -> None:
    assert parse_role(" Operator ") is Role.OPERATOR
    with pytest.raises(InvalidEntry, match="no role 'root'; choose viewer, auditor, operator, administrator"):
        parse_role("root")
    assert parse_title("  nightly\r\n export ") == "nightly export"
    for title in ("", " \n", "x" * 101):
        with pytest.raises(InvalidEntry, match="needs a title"):
            parse_title(title)
    assert [parse_days(text) for text in ("", " ", "1", "3650")] == [None, None, 1, 3650]
    for text in ("0", "3651", "99999", "-1", "1.5", "x", "\uff11"):
        with pytest.raises(InvalidEntry, match="no number of days"):
            parse_days(text)


# Pauses


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (11, 900), (10**6, 900)]
)
def test_a_pause_doubles_up_to_a_quarter_of_an_hour(count: int, seconds: int) -> None:
    assert Failures(count, NOON).pause(5, NOON) == timedelta(seconds=seconds)


def test_a_pause_runs_out() -> None:
    failures = Failures(6, NOON)
    assert failures.pause(5, after(59)) == timedelta(seconds=1)
    assert failures.pause(5, after(60)) == failures.pause(5, after(61)) == timedelta()
    assert Failures(6, None).pause(5, NOON) == timedelta()


def test_who_is_slowed_down() -> None:
    few = Failures(FREE_FOR_PAIR, NOON)
    assert Guesses(pair=few).pause(NOON, familiar=True) == timedelta(seconds=30)
    assert Guesses(address=few, name=few).pause(NOON, familiar=False) == timedelta()
    many = Failures(FREE_FOR_ADDRESS, NOON)
    assert Guesses(address=many).pause(NOON, familiar=True) == timedelta(seconds=30)
    assert Guesses(name=many).pause(NOON, familiar=False) == timedelta()


def test_nobody_is_locked_out_where_they_are_familiar() -> None:
    attacked = Guesses(name=Failures(FREE_FOR_NAME + 20, NOON))
    assert attacked.pause(NOON, familiar=False) == timedelta(minutes=15)
    assert attacked.pause(NOON, familiar=True) == timedelta()


def test_neighbourhoods() -> None:
    assert neighbourhood("10.0.0.1") == neighbourhood("::ffff:10.0.0.1") == "10.0.0.1"
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8:0:0:ffff::2") == "2001:db8::/64"
    assert neighbourhood("2001:db8:0:1::1") != neighbourhood("2001:db8::1")
    assert (neighbourhood(None), neighbourhood("socket")) == ("", "socket")
    assert is_familiar("2001:db8::1", {"10.0.0.1", "2001:db8::2"})
    assert not is_familiar("10.0.0.2", {"10.0.0.1", None})


# Events


def test_events_fit_into_one_line() -> None:
    event = Event(NOON, "ada\r\n", "login", "a\0b\u202ec\u2028d\udcff", "x" * 5000, "1.2.3.4\x1b[2J" + "9" * 100).safe()
    assert (event.who, event.subject) == ("ada  ", "a b c d ")
    assert (len(event.detail), event.detail[-2:]) == (2000, "x…")
    assert event.address is not None
    assert len(event.address) == 64
    assert event.address.startswith("1.2.3.4 [2J")
    assert event.safe() == event
    assert Event(NOON, "grüße 中", "login").safe() == Event(NOON, "grüße 中", "login")
