"""What a master device said, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.store.masters import MasterAnswer, Masters

if TYPE_CHECKING:
    from gitupd.store.database import Database


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def test_what_a_master_device_said(database: Database) -> None:
    answer = MasterAnswer("http://10.0.0.1/", "134250", "131286", NOON, NOON)
    Masters(database).save(answer)
    failed = replace(answer, asked_at=LATER, error="can't be reached")
    Masters(database).save(failed)
    never = MasterAnswer("http://10.0.0.2/", None, None, None, NOON, "x")
    Masters(database).save(never)
    assert Masters(database).answers() == {answer.url: failed, never.url: never}
