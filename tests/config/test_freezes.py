"""Freezes of ``policies/deploy.yaml``."""

from __future__ import annotations

from datetime import datetime

import pytest

from gitupd.config.loader import build
from gitupd.core.deployments.freezing import FreezeRule


def _read(text: str) -> tuple[tuple[FreezeRule, ...], list[str]]:
    snapshot, problems = build({"policies/deploy.yaml": text.encode()})
    told = [str(each).removeprefix("policies/deploy.yaml:") for each in problems if each.path == "policies/deploy.yaml"]
    return snapshot.policy.deploy.freeze, told


def test_they_are_read_as_they_are_written() -> None:
    text = """freeze:
  - {days: [sat, sun]}
  - {days: [fri], hours: [12, 13]}
  - {from: 2026-12-18, until: 2027-01-06, reason: "holidays: nobody is here"}
  - {from: 2026-12-18 16:00, until: "2026-12-18T17:30"}
"""
    assert _read(text) == (
        (
            FreezeRule(frozenset({5, 6})),
            FreezeRule(frozenset({4}), frozenset({12, 13})),
            FreezeRule(start=datetime(2026, 12, 18), end=datetime(2027, 1, 7), reason="holidays: nobody is here"),
            FreezeRule(start=datetime(2026, 12, 18, 16), end=datetime(2026, 12, 18, 17, 30)),
        ),
        [],
    )
    assert _read("mode: manual") == ((), [])


_DAY = "write a day as 2026-12-18, or a minute as 2026-12-18 16:00"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{from: 2026-02-30}", f"1:17: there is no day or time '2026-02-30'; {_DAY}"),
        ("{until: 9999-12-31}", f"1:18: there is no day or time '9999-12-31'; {_DAY}"),
        ("{until: 2026-12-18 25:00}", f"1:18: there is no day or time '2026-12-18 25:00'; {_DAY}"),
        (
            "{from: 2026-12-18, until: 2026-12-17}",
            "1:36: this freeze ends before it begins; put the earlier one into from",
        ),
        (
            "{reason: because}",
            (
                "1:10: this freeze has no time, so that it would never end; "
                "add days, hours, from or until; for good: mode: manual"
            ),
        ),
    ],
)
def test_what_can_not_be_is_told(text: str, problem: str) -> None:
    assert _read(f"freeze: [{text}]")[1] == [problem]


@pytest.mark.parametrize(
    "text", ["{}", "{days: [saturday]}", "{hours: [24]}", "{from: tomorrow}", "{until: 3}", "{days: []}"]
)
def test_the_schema_refuses_the_rest(text: str) -> None:
    assert len(_read(f"freeze: [{text}]")[1]) == 1
