"""One-time codes, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.admission.codes import Code
from gitupd.core.caller import Serial
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import SiteError
from gitupd.store import codes as module
from gitupd.store.admissions import Admissions
from gitupd.store.audit import Audit
from gitupd.store.codes import Codes

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
PHONE, OTHER = Serial("0090333000af"), Serial("0090333000b0")
MADE = Event(NOON, "vera", Kind.CODE_ADD)


def _code(days: int = 1) -> Code:
    return Code(0, "phones", "vera", NOON, NOON + timedelta(days=days))


def _event(hours: float = 0) -> Event:
    return Event(NOON + timedelta(hours=hours), "", Kind.CODE_USE, address="10.0.0.1")


@pytest.fixture
def codes(database: Database) -> Codes:
    opened = Codes(database, Admissions(database))
    opened.add({"one": _code(), "two": _code()}, MADE)
    return opened


def test_a_code_accepts_one_device_however_often_that_shows_it(codes: Codes, database: Database) -> None:
    assert codes.redeem("one", PHONE, _event())
    assert codes.redeem("one", PHONE, _event(48))  # an answer was lost, or the device asks twice
    assert not codes.redeem("one", OTHER, _event())
    assert Admissions(database).standing().keys() == {PHONE}
    used = next(code for code in codes.listed() if code.serial == PHONE)
    assert (used.used, used.state(NOON)) == (NOON, "used")
    entry = Audit(database).entries(1)[0]
    assert (entry.who, entry.subject, entry.detail) == (f"code {used.id}", str(PHONE), "phones, made by vera")
    assert entry.address == "10.0.0.1"


def test_what_is_no_open_code_accepts_nobody(codes: Codes, database: Database) -> None:
    assert not codes.redeem("three", PHONE, _event())
    assert not codes.redeem("one", PHONE, _event(24))
    assert codes.revoke([code.id for code in codes.listed()], Event(NOON, "vera", Kind.CODE_REVOKE)) == 2
    assert not codes.redeem("two", PHONE, _event())
    assert codes.revoke([1, 2], Event(NOON, "vera", Kind.CODE_REVOKE)) == 0
    assert Admissions(database).standing() == {}


def test_who_was_refused_or_withdrawn_does_not_come_back_by_a_code(codes: Codes, database: Database) -> None:
    decisions = Admissions(database)
    decisions.decide([PHONE], Decision.REFUSED, Admittance.REFUSED, Event(NOON, "vera", Kind.DEVICE_REFUSE))
    assert not codes.redeem("one", PHONE, _event())
    assert codes.redeem("one", OTHER, _event())
    decisions.decide([OTHER], Decision.WITHDRAWN, Admittance.SERVED, Event(NOON, "vera", Kind.DEVICE_WITHDRAW))
    assert not codes.redeem("one", OTHER, _event())


def test_of_many_who_show_a_code_at_once_one_gets_it(codes: Codes, database: Database) -> None:
    accepted = []
    serials = [Serial(f"{number:012x}") for number in range(8)]
    threads = [
        Thread(target=lambda each=each: codes.redeem("one", each, _event()) and accepted.append(each))
        for each in serials
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 1
    assert list(Admissions(database).standing()) == accepted


def test_there_are_never_too_many_open_codes(codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)
    with pytest.raises(SiteError, match="revoke some first"):
        codes.add({"three": _code(), "four": _code()}, MADE)
    codes.revoke([1], Event(NOON, "vera", Kind.CODE_REVOKE))
    assert [code.title for code in codes.add({"three": _code(), "four": _code()}, MADE)] == ["phones", "phones"]


def test_old_codes_are_forgotten(codes: Codes) -> None:
    codes.redeem("one", PHONE, _event())
    codes.drop(NOON + timedelta(hours=1))
    assert [code.used for code in codes.listed()] == [None]
    codes.drop(NOON + timedelta(days=2))
    assert codes.listed() == []
