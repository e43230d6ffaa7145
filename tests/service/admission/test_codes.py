"""Codes as people make them and devices show them: guessing is slowed, and what is kept lets nobody in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.admission.codes import Redemption, looks_like_code
from gitupd.core.caller import Serial
from gitupd.core.people.person import Actor, Role
from gitupd.errors import InvalidEntry
from gitupd.service.admission.codes import Redeeming, make_codes, revoke_codes
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
VERA = Actor("vera", Role.OPERATOR, "10.0.0.9")
PHONE = Serial("0090333000af")
WRONG = "2222-3333-4444-5555-6666"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    created = Site.create(tmp_path / "site")
    yield created
    created.close()


def test_codes_are_shown_once_and_kept_hashed(site: Site) -> None:
    made = make_codes(site, VERA, NOON, count=3, days=2, title="reception")
    shown = [code for _, code in made]
    assert len(set(shown)) == 3
    assert all(map(looks_like_code, shown))
    assert {code.expires for code, _ in made} == {NOON + timedelta(days=2)}
    site.database.close()
    stored = b"".join(path.read_bytes() for path in site.path.glob("gitupd.db*"))
    assert b"reception" in stored
    for code in shown:
        assert code.encode() not in stored
        assert code.replace("-", "").encode() not in stored
    assert [(entry.kind, entry.who) for entry in site.audit.entries(9)] == [("code-add", "vera")]


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 1001}, {"days": 0}, {"days": 366}, {"title": "  "}])
def test_senseless_codes_are_not_made(site: Site, wrong: dict) -> None:
    with pytest.raises(InvalidEntry):
        make_codes(site, VERA, NOON, **wrong)


def test_a_device_is_accepted_by_a_code_in_any_spelling(site: Site) -> None:
    (_, code), _ = make_codes(site, VERA, NOON, count=2)
    redeeming = Redeeming(site)
    assert redeeming.redeem(code, None, "10.0.0.1", NOON) is Redemption.NAMELESS
    assert redeeming.redeem(code.upper(), PHONE, "10.0.0.1", NOON) is Redemption.ACCEPTED
    assert redeeming.redeem(code, PHONE, "10.0.0.2", NOON) is Redemption.ACCEPTED
    assert redeeming.redeem(code, Serial("0090333000b0"), "10.0.0.2", NOON) is Redemption.WRONG


def test_whoever_guesses_is_slowed_down_and_nobody_else(site: Site) -> None:
    (_, code), *_ = make_codes(site, VERA, NOON)
    redeeming = Redeeming(site)
    tries = [redeeming.redeem(WRONG, PHONE, "10.0.0.1", NOON) for _ in range(12)]
    assert tries == [Redemption.WRONG] * 10 + [Redemption.SLOWED] * 2
    assert redeeming.redeem(code, PHONE, "10.0.0.1", NOON) is Redemption.SLOWED
    assert redeeming.redeem(code, Serial("0090333000b0"), "10.0.0.2", NOON) is Redemption.ACCEPTED
    later = NOON + timedelta(minutes=16)
    assert redeeming.redeem(WRONG, PHONE, "10.0.0.1", later) is Redemption.WRONG
    assert redeeming.redeem(WRONG, PHONE, "10.0.0.1", later) is Redemption.WRONG


def test_what_is_remembered_of_guessing_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitupd.service.admission.codes._MOST_ADDRESSES", 5)
    redeeming = Redeeming(site)
    for number in range(9):
        redeeming.redeem(WRONG, PHONE, f"10.0.0.{number}", NOON)
    assert list(redeeming._failures) == [f"10.0.0.{number}" for number in range(4, 9)]


def test_revoked_codes_are_in_the_audit(site: Site) -> None:
    (code, shown), *_ = make_codes(site, VERA, NOON)
    assert revoke_codes(site, [code.id], VERA, NOON) == 1
    assert Redeeming(site).redeem(shown, PHONE, None, NOON) is Redemption.WRONG
    assert site.audit.entries(1)[0].kind == "code-revoke"
