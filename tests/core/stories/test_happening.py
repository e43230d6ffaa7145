"""What happened to a device, in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitupd.core.people.audit import Kind
from gitupd.core.snapshot import CommitId
from gitupd.core.stories.change import Change, ChangeKind
from gitupd.core.stories.happening import Happening, StoryTopic, deed_on_it, kinds_of, told, topic_of

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
A = CommitId("a" * 40)


@pytest.mark.parametrize(
    ("kind", "was", "now", "text"),
    [
        (ChangeKind.SENT, None, "1", "Was sent 1 snippet of"),
        (ChangeKind.SENT, None, "12", "Was sent 12 snippets of"),
        (ChangeKind.CONFIRMED, None, None, "Confirmed that it executed"),
        (ChangeKind.NAME, None, "Lobby", "Is called Lobby"),
        (ChangeKind.NAME, "Desk 1", "Lobby", "Is called Lobby, before Desk 1"),
        (ChangeKind.ENVIRONMENTS, "berlin intranet", "munich lab", "Moved to munich, lab from berlin, intranet"),
        (ChangeKind.PHASE, "staging", "update", "Came into phase update from staging"),
        (ChangeKind.ADDRESS, "10.0.0.7", "10.0.1.7", "Called from 10.0.1.7, before from 10.0.0.7"),
        (ChangeKind.HARDWARE, "IP222-1", "IP222-2", "Called as IP222-2, before as IP222-1"),
        (ChangeKind.TYPE, "IP222", "IP232", "Is now of type IP232, before IP222"),
        (ChangeKind.KEY, None, "1" * 64, "Showed a certificate"),
        (ChangeKind.KEY, "2" * 64, "1" * 64, "Showed a certificate with another key than before"),
        (ChangeKind.FIRMWARE, "134250", "137213", "Runs firmware 137213, before 134250"),
        (ChangeKind.BOOTCODE, None, "137213", "Runs boot code 137213"),
        (ChangeKind.FIRMWARE_WANTED, "134250", "137213", "Was told to load firmware 137213"),
        (ChangeKind.BOOTCODE_WANTED, None, "137213", "Was told to load boot code 137213"),
        (ChangeKind.WARNED, None, "an answer was not kept", "An answer was not kept"),
        (ChangeKind.DEED, Kind.DEVICE_TOUCH, "otto", "otto let it count as seen"),
        (ChangeKind.DEED, None, "otto", "otto "),
    ],
)
def test_each_change_is_a_sentence(kind: ChangeKind, was: str | None, now: str | None, text: str) -> None:
    assert told(Change(NOON, kind, was, now, A)) == Happening(NOON, topic_of(kind), text, A)


def test_every_kind_of_change_is_about_something() -> None:
    assert sorted(kind for topic in StoryTopic for kind in kinds_of(topic)) == sorted(ChangeKind)
    assert ChangeKind.PHASE in kinds_of(StoryTopic.PLACE)
    assert kinds_of(StoryTopic.ANSWER) == ()


def test_deeds_that_are_not_about_devices_alone_have_the_words_of_the_audit() -> None:
    assert deed_on_it(Kind.DEVICE_ACCEPT) == "accepted it"
    assert deed_on_it(Kind.CERTIFICATE_UPLOAD) == "handed in a certificate"
    assert deed_on_it("unheard-of") == "unheard-of"
