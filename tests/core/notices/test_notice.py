"""Notices, the rules that say whom to tell, and messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gitupd.core.notices.notice import (
    GIVEN_UP_AFTER,
    LONGEST_TEXT,
    Channel,
    Notice,
    NoticeKind,
    NoticeRule,
    PendingNotice,
    for_chat,
    message,
    one_line,
    pause,
    recipients,
)

NOW = datetime(2024, 5, 6, tzinfo=UTC)


def waiting(number: int, text: str = "ada deployed x", path: str = "/commits/x") -> PendingNotice:
    notice = Notice(NoticeKind.DEPLOYED, f"deployment {number}", text, path)
    return PendingNotice(number, "operators", Channel.MAIL, notice, NOW + timedelta(seconds=number))


def test_each_kind_has_words() -> None:
    assert len({kind.words for kind in NoticeKind}) == len(NoticeKind)


def test_rules_say_who_is_told() -> None:
    both = frozenset({NoticeKind.DEPLOYED, NoticeKind.BRAKED})
    rules = [
        NoticeRule(both, "operators", 3600),
        NoticeRule(frozenset({NoticeKind.BRAKED}), "operators", 60),
        NoticeRule(frozenset({NoticeKind.BRAKED}), "boss"),
    ]
    assert recipients(rules, NoticeKind.BRAKED) == {"operators": 60, "boss": 0}
    assert recipients(rules, NoticeKind.DEPLOYED) == {"operators": 3600}
    assert recipients(rules, NoticeKind.MISSING) == {}


def test_one_notice_is_a_message_with_its_link() -> None:
    made = message([waiting(7)])
    assert (made.title, made.lines, made.path) == ("gitupd: deployed", ("ada deployed x",), "/commits/x")
    assert made.line == "gitupd: deployed: ada deployed x"
    assert made.id == message([waiting(7)]).id
    assert made.at == NOW + timedelta(seconds=7)


def test_many_notices_are_one_message() -> None:
    made = message([waiting(number, f"{number}") for number in range(1, 31)])
    assert len(made.lines) == 21
    assert made.lines[-1] == "and 10 more notices"
    assert made.path == ""
    assert made.id != message([waiting(1)]).id


def test_pauses_grow_until_it_is_given_up() -> None:
    pauses = [pause(tries) for tries in range(1, GIVEN_UP_AFTER)]
    assert pauses[:3] == [10, 30, 60]
    assert pauses == sorted(pauses, key=lambda each: each or 0)
    assert 86400 < sum(each or 0 for each in pauses) < 2 * 86400
    assert pause(GIVEN_UP_AFTER) is None


def test_what_devices_say_becomes_one_line_and_mentions_nobody() -> None:
    assert one_line("a\r\nBcc: x\x1b[2J \u202e b") == "a Bcc: x [2J b"
    assert len(one_line("x" * 10_000)) == LONGEST_TEXT
    assert for_chat("<!channel> @here <http://x|y> `rm`") == "(!channel) @\u200bhere (http://x|y) 'rm'"
