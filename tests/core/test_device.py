"""What is remembered of a device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.actions import (
    BootcodeRequested,
    Compute,
    Confirmed,
    Deliver,
    Do,
    FirmwareRequested,
    InPhase,
    Say,
    Warn,
)
from gitupd.core.caller import Origin, Request, Serial, parse_caller
from gitupd.core.device import Device, Message, Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.core.snapshot import CommitId, Snippet

if TYPE_CHECKING:
    from gitupd.core.actions import Action


HERE = Endpoint("http", "upd.example", 80)
COMMIT = CommitId("ab" * 20)
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def _snippet(name: str, content: bytes = b"x\n") -> Snippet:
    phase, device_class, place = name.split("-")
    return Snippet(f"snippets/{name}.txt", phase, device_class, place, content)


def test_what_a_request_says_is_remembered_and_what_it_does_not_say_is_kept() -> None:
    told = {"type": "IP222", "hwid": "h", "ip": "i", "PROT": "1", "BOOT": "2", "CHECK": "3"}
    made_of_it = Recognised(("a",), ("b",), ("phone",), "Desk 12")
    origin = Origin("10.0.0.7", proxy="127.0.0.1")
    device = Device(Serial("0090333000af")).seen(parse_caller(told, HERE), made_of_it, origin, NOON)
    assert device == Device(
        Serial("0090333000af"), hardware_id="h", model="IP222", given_name="Desk 12", address="10.0.0.7",
        own_address="i", proxy="127.0.0.1", environments=("a",), unknown_environments=("b",), classes=("phone",),
        firmware="1", bootcode="2", check="3", first_seen=NOON, last_seen=NOON, request=Request(told, HERE),
    )  # fmt: skip
    little = {"PROT": "", "hwid": ""}
    again = device.seen(parse_caller(little, HERE), Recognised(("c",)), Origin(), LATER)
    assert again == replace(
        device, given_name=None, proxy=None, environments=("c",), unknown_environments=(), classes=(),
        last_seen=LATER, request=Request(little, HERE),
    )  # fmt: skip


def test_an_identity_that_changes_is_noticed() -> None:
    def seen(device: Device, hardware_id: str, address: str, at: datetime) -> Device:
        return device.seen(parse_caller({"hwid": hardware_id}, HERE), Recognised(), Origin(address), at)

    first = seen(Device(Serial("0090333000af")), "IP222-1", "10.0.0.7", NOON)
    assert (first.hardware_changed, first.address_changed) == (None, None)
    moved = seen(first, "IP222-1", "10.0.0.8", LATER)
    assert (moved.previous_address, moved.address_changed, moved.address_returned) == ("10.0.0.7", LATER, None)
    back = seen(moved, "IP111-1", "10.0.0.7", LATER)
    assert (back.previous_address, back.address_returned) == ("10.0.0.8", LATER)
    assert (back.previous_hardware_id, back.hardware_changed) == ("IP222-1", LATER)


def test_a_device_that_comes_in_the_next_phase_has_executed_what_sent_it_there() -> None:
    staged = Device(Serial("0090333000af")).after([InPhase("staging", None), Deliver(_snippet("a-b-c"))], COMMIT, NOON)
    assert (staged.sent, staged.confirmed) == (COMMIT, None)
    again = staged.after([InPhase("staging", None)], COMMIT, LATER)
    assert again.confirmed is None
    arrived = staged.after([InPhase("update", "staging")], CommitId("b" * 40), LATER)
    assert (arrived.confirmed, arrived.confirmed_at) == (COMMIT, LATER)


def test_the_first_time_that_a_commit_was_confirmed_is_kept() -> None:
    device = Device(Serial("0090333000af"))
    for minutes in range(3):
        device = device.after([InPhase("update", None), Confirmed("3")], COMMIT, NOON + timedelta(minutes=minutes))
    assert (device.confirmed, device.confirmed_at) == (COMMIT, NOON)
    other = device.after([InPhase("update", None), Confirmed("3")], CommitId("b" * 40), LATER)
    assert (other.confirmed, other.confirmed_at) == (CommitId("b" * 40), LATER)


def test_what_an_answer_does_to_a_device() -> None:
    device = Device(Serial("0090333000af"), settled=True, snippets=("snippets/old.txt",))
    actions: list[Action] = [
        InPhase("update", None),
        Say("x"),
        Do("y"),
        FirmwareRequested("1"),
        BootcodeRequested("2"),
        Deliver(_snippet("a-b-c")),
        Deliver(_snippet("d-e-f")),
        Compute("z"),
        Warn("careful"),
    ]
    after = device.after(actions, COMMIT, NOON)
    assert after == replace(
        device, phase="update", settled=False, firmware_wanted="1", firmware_requested=NOON, bootcode_wanted="2",
        bootcode_requested=NOON, sent=COMMIT, sent_at=NOON, snippets=("snippets/a-b-c.txt", "snippets/d-e-f.txt"),
        messages=(Message(NOON, "careful"),),
    )  # fmt: skip
    confirmed = after.after([InPhase("update", None), Confirmed("3")], COMMIT, NOON)
    assert confirmed == replace(after, settled=True, confirmed=COMMIT, confirmed_at=NOON)


@dataclass(frozen=True)
class Answer:
    """What a poll was answered with."""

    facts: tuple[Action, ...]
    commit: CommitId
    recognised: Recognised


def test_a_poll_is_a_request_and_its_answer_at_once() -> None:
    before = Device(Serial("0090333000af"), phase="staging", sent=COMMIT, address="10.0.0.8", firmware="0")
    caller = parse_caller({"type": "IP222", "PROT": "1", "phase": "update"}, HERE)
    origin, recognised = Origin("10.0.0.7"), Recognised(("a",), name="Desk 12")
    facts = (InPhase("update", "staging"), Deliver(_snippet("a-b-c")), Warn("careful"))
    other = CommitId("b" * 40)
    after = before.polled(caller, origin, Answer(facts, other, recognised), NOON)
    assert after == before.seen(caller, recognised, origin, NOON).after(facts, other, NOON)
    assert (after.sent_request, after.confirmed) == (Request(caller.arguments, HERE), COMMIT)


def test_a_device_is_called_as_the_configuration_says_else_as_it_says_itself() -> None:
    device = Device(Serial("0090333000af"))
    assert device.name is None
    assert replace(device, own_name="own").name == "own"
    assert replace(device, own_name="own", given_name="given").name == "given"


def test_a_device_has_confirmed_a_commit_only_if_it_was_sent_nothing_since() -> None:
    other = CommitId("b" * 40)
    device = Device(Serial("0090333000af"), confirmed=COMMIT, confirmed_at=NOON)
    assert device.has_confirmed(COMMIT)
    assert not device.has_confirmed(other)
    assert replace(device, sent=COMMIT, sent_at=NOON - timedelta(minutes=1)).has_confirmed(COMMIT)
    assert not replace(device, sent=other, sent_at=LATER).has_confirmed(COMMIT), "it may hold the other one by now"
    assert not replace(device, sent=COMMIT, sent_at=LATER).has_confirmed(COMMIT), "it was sent something else of it"
    at_once = replace(device, sent=COMMIT, sent_at=NOON)
    assert not at_once.has_confirmed(COMMIT), "the poll that tells of one phase is answered with the next"
    assert replace(at_once, settled=True).has_confirmed(COMMIT)


def test_what_is_confirmed_again_after_something_was_sent_is_confirmed_since_then() -> None:
    device = Device(Serial("0090333000af"), phase="update", sent=COMMIT, sent_at=NOON)
    device = device.after([InPhase("update", None), Confirmed("3")], COMMIT, NOON + timedelta(minutes=1))
    sent = device.after([InPhase("update", None), Deliver(_snippet("a-b-c"))], CommitId("b" * 40), LATER)
    back = sent.after([InPhase("update", None), Confirmed("3")], COMMIT, LATER + timedelta(minutes=1))
    assert (back.confirmed, back.confirmed_at) == (COMMIT, LATER + timedelta(minutes=1))
    assert back.has_confirmed(COMMIT)
