"""How devices stand, and what is odd about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.policy import Delivery, Policy, Status, Transport
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import State, Yardstick

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
LIVE, OLD = CommitId("a" * 40), CommitId("b" * 40)
DEVICE = Device(Serial("0090333000af"), last_seen=NOW - timedelta(days=7), confirmed=LIVE)


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


def test_another_key_is_a_warning_and_an_alarm_where_trust_is_required() -> None:
    lately = NOW - timedelta(hours=1)
    changed = replace(DEVICE, key="a" * 64, previous_key="b" * 64, key_changed=lately)
    cloned = replace(changed, key_returned=lately)
    moved = replace(
        DEVICE, hardware_id="h1", previous_hardware_id="h2", hardware_changed=lately, hardware_returned=lately
    )
    yardstick = Yardstick.of(Policy(), LIVE, NOW)
    demanding = Yardstick.of(Policy(transport=Transport(client_certificate="required")), LIVE, NOW)
    (key,), (clone,), (hardware,) = (yardstick.warnings(device) for device in (changed, cloned, moved))
    assert key.startswith(f"It shows a certificate with another key than before: {'a' * 16}, before that {'b' * 16}.")
    assert clone.endswith("Two devices use one identity: one of them is a clone.")
    assert hardware.endswith("Two devices use one serial number, by turns.")
    assert [yardstick.is_alarming(device) for device in (changed, cloned, moved)] == [False] * 3
    assert [demanding.is_alarming(device) for device in (DEVICE, changed, cloned, moved)] == [False, True, True, True]
    later = replace(demanding, now=NOW + timedelta(days=2))
    assert not later.is_alarming(cloned)
    assert later.warnings(cloned) == ()
