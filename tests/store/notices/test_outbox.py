"""The outbox of notices, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.notices.notice import Channel, Notice, NoticeKind
from gitupd.store.notices import outbox
from gitupd.store.notices.outbox import Outbox

if TYPE_CHECKING:
    import pytest

    from gitupd.store.database import Database

NOW = datetime(2024, 5, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def post(cause: str, channel: Channel = Channel.MAIL) -> tuple[str, Channel, Notice, int]:
    return "operators", channel, Notice(NoticeKind.MISSING, cause, f"text of {cause}\0", "/devices"), 60


def test_nobody_is_told_twice_of_one_cause_by_one_way(database: Database) -> None:
    box = Outbox(database)
    assert box.post([post("a"), post("b"), post("a")], NOW, {"deployment": "7"}) == 2
    assert box.post([post("a"), post("a", Channel.CHAT), post("x" * 1000)], NOW, {"deployment": "8"}) == 2
    assert box.post([post("x" * 1000)], NOW) == 0
    assert box.marks() == {"deployment": "8"}
    first, *_ = box.due(NOW)
    assert (first.notice.text, first.at_most, first.tries) == ("text of a ", 60, 0)
    box.close(box.due(NOW), NOW)
    assert box.due(NOW + 99 * MINUTE) == []
    assert box.post([post("a")], NOW) == 0, "not afterwards, either"
    box.tidy(NOW + MINUTE)
    assert box.latest() == []


def test_what_is_put_off_comes_later(database: Database) -> None:
    box = Outbox(database)
    box.post([post("a"), post("b")], NOW)
    one, other = box.due(NOW)
    assert box.counts() == (2, 0)
    box.put_off([one], NOW + MINUTE, "nobody there")
    assert box.due(NOW) == [other]
    assert box.counts() == (2, 1)
    assert [each.tries for each in box.due(NOW + MINUTE)] == [1, 0]
    box.close([one], NOW + MINUTE)
    assert box.last_sent("operators", Channel.MAIL, NoticeKind.MISSING) == NOW + MINUTE
    assert box.last_sent("operators", Channel.CHAT, NoticeKind.MISSING) is None
    box.close([other], NOW, "given up")
    assert [(each.error, each.sent) for each in box.latest()] == [("given up", None), ("", NOW + MINUTE)]
    assert [each.waiting.number for each in box.latest(1, other.number)] == [one.number]


def test_there_is_room_for_so_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    assert Outbox(database).post([post(f"{number}") for number in range(9)], NOW) == 3
    assert len(Outbox(database).due(NOW)) == 3
