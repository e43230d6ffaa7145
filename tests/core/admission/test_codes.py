from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.admission.codes import LENGTH, LETTERS, Code, canonical, looks_like_code, written

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CODE = Code(1, "phones", "vera", NOON, NOON + timedelta(days=1))


def test_a_code_is_written_in_groups_and_read_in_any_letter_case() -> None:
    letters = (LETTERS * 2)[:LENGTH]
    code = written(letters)
    assert code == "2345-6789-abcd-efgh-jkmn"
    assert looks_like_code(code)
    assert looks_like_code(code.upper())
    assert canonical(code.upper()) == letters


@pytest.mark.parametrize("text", ["2345-6789-abcd-efgh-jkm", "2345-6789-abcd-efgh", "2o45-67892-abcd-efgh-jkmn"])
def test_a_code_with_a_slip_is_taken_for_one(text: str) -> None:
    assert looks_like_code(text)


@pytest.mark.parametrize(
    "text", ["", "1234", "a-b", "berlin-office", "2345 6789 abcd efgh", "2345-6789-ab\u00e4d-efgh"]
)
def test_what_else_is_called_so_is_not(text: str) -> None:
    assert not looks_like_code(text)


def test_a_code_is_good_once_until_it_expires_or_is_revoked() -> None:
    assert CODE.is_open(NOON)
    later = NOON + timedelta(days=1)
    states = {
        "open": CODE,
        "used": replace(CODE, used=NOON),
        "revoked": replace(CODE, revoked=NOON),
    }
    assert {name: code.state(NOON) for name, code in states.items()} == {name: name for name in states}
    assert [code.is_open(NOON) for code in states.values()] == [True, False, False]
    assert CODE.state(later) == "expired"
    assert not CODE.is_open(later)
