"""How devices stand, what is hidden of their scripts, and what happens to them next."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.actions import BootcodeRequested, Confirmed, Deliver, FirmwareRequested, InPhase
from gitupd.core.caller import Serial
from gitupd.core.concealing import hidden
from gitupd.core.device import Device
from gitupd.core.outlook import hours_in_words, outlook
from gitupd.core.policy import Delivery, Policy, Status, Window
from gitupd.core.snapshot import CommitId, Snippet
from gitupd.core.standing import State, Yardstick

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
LIVE, OLD = CommitId("a" * 40), CommitId("b" * 40)
DEVICE = Device(Serial("0090333000af"), last_seen=NOW - timedelta(days=7), confirmed=LIVE)
POLICY = Policy(phases=("staging", "update"))
SNIPPET = Deliver(Snippet("snippets/all-all-all.txt", "all", "all", "all", b"x\n"))


def test_a_device_is_missing_once_it_has_not_called_for_so_long() -> None:
    yardstick = Yardstick.of(Policy(), LIVE, NOW)
    assert yardstick.state(DEVICE) is State.CURRENT
    assert yardstick.state(replace(DEVICE, last_seen=NOW - timedelta(days=7, seconds=1))) is State.MISSING
    assert yardstick.state(replace(DEVICE, last_seen=None)) is State.MISSING
    never = Yardstick.of(Policy(status=Status(missing_after=0)), LIVE, NOW)
    assert never.state(replace(DEVICE, last_seen=NOW - timedelta(days=700))) is State.CURRENT


def test_a_device_waits_until_it_has_confirmed_the_deployed_commit() -> None:
    sent = replace(DEVICE, confirmed=OLD, sent=LIVE)
    assert Yardstick.of(Policy(), LIVE, NOW).state(sent) is State.WAITING
    assert Yardstick.of(Policy(), None, NOW).state(sent) is State.WAITING
    unchecked = Policy(delivery=Delivery(check=False))
    assert Yardstick.of(unchecked, LIVE, NOW).state(sent) is State.CURRENT, "nothing will ever be confirmed"


def test_what_is_odd_about_a_device() -> None:
    yardstick = Yardstick.of(Policy(), LIVE, NOW)
    odd = replace(
        DEVICE, unknown_environments=("nowhere",), hardware_id="IP222-1", previous_hardware_id="IP111-1",
        hardware_changed=NOW - timedelta(hours=23), address="10.0.0.7", previous_address="10.0.0.8",
        address_returned=NOW,
    )  # fmt: skip
    unknown, hardware, places = yardstick.warnings(odd)
    assert "nowhere" in unknown
    assert "IP222-1" in hardware
    assert "IP111-1" in hardware
    assert "10.0.0.7 and 10.0.0.8" in places
    later = replace(yardstick, now=NOW + timedelta(days=2))
    assert len(later.warnings(odd)) == 1


@pytest.mark.parametrize(
    ("pattern", "text", "shown"),
    [
        (r"(/pw) (\S+)", "config add X /pw secret /a b", "config add X /pw *** /a b"),
        (r"(/pw) (\S+)", "/pw one /pw two", "/pw *** /pw ***"),
        (r"secret", "a secret b", "a *** b"),
        (r"(a)|(b)", "a b", "a ***"),
        (r"(/pw) (\S+)", "nothing here", "nothing here"),
    ],
)
def test_secrets_are_hidden(pattern: str, text: str, shown: str) -> None:
    assert hidden(text, [re.compile(pattern)]) == shown


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ([InPhase("update", "staging"), Confirmed("x")], "It polls every 15 min. It has executed everything, so"),
        ([InPhase("update", "staging"), SNIPPET], "It polls every 15 min. Then it gets 1 snippet for phase update."),
        ([InPhase("update", "staging")], "Then it gets no snippets for phase update."),
        (
            [InPhase("staging", None), FirmwareRequested("137213"), BootcodeRequested("131286"), SNIPPET, SNIPPET],
            (
                "It polls every 5 s while phases remain. Then it loads firmware 137213 and boot code 131286, "
                "restarts when it is idle and gets 2 snippets for phase staging."
            ),
        ),
    ],
)
def test_what_happens_next(expected: list, said: str) -> None:
    assert said in outlook(POLICY, expected)


def test_what_happens_next_waits_for_the_time_window() -> None:
    windowed = replace(POLICY, delivery=Delivery(interval=1, window=Window(("22", "23", "0"), None)))
    assert outlook(windowed, [InPhase("update", "staging"), SNIPPET]).endswith("update, between 22:00 and 1:00.")
    assert "22:00" not in outlook(windowed, [InPhase("staging", None), SNIPPET])
    assert outlook(windowed, [InPhase("update", "staging")]).startswith("It polls every minute.")


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (None, ""),
        (("22", "23", "0", "1"), "between 22:00 and 2:00"),
        (("12", "1", "2"), "between 1:00 and 3:00 or between 12:00 and 13:00"),
        (tuple(map(str, range(24))), "at any hour"),
        ((), "never"),
    ],
)
def test_hours_in_words(hours: tuple[str, ...] | None, said: str) -> None:
    assert hours_in_words(Window(hours, None)) == said
