"""What two servers are asked to be compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitupd.core.caller import Request, parse_serial
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.policy import Environment, Policy
from gitupd.core.proof.questions import (
    ANOTHER_CHECK,
    first_contact,
    identity_of_device,
    named_environments,
    questions,
)

SERIAL = parse_serial("00-90-33-30-00-af")
POLICY = replace(
    Policy(),
    phases=("staging", "update"),
    environments={
        "default": Environment("default"),
        "berlin": Environment("berlin", ("intranet",)),
        "paris": Environment("paris", ("intranet", "louvre")),
        "intranet": Environment("intranet"),
        "louvre": Environment("louvre"),
    },
)
FIRST_ONLY = replace(POLICY, full_expansion=False)
IDENTITY = {"type": "IP222", "sn": "00-90-33-30-00-af", "hwid": "IP222-30-00-af", "ip": "10.0.0.9", "env": "berlin"}


def test_each_phase_is_asked_with_and_without_check_and_the_device_s_own_last() -> None:
    asked = list(questions(IDENTITY, "update", POLICY))
    assert [question.title for question in asked] == [
        "phase staging",
        "phase update without CHECK",
        "phase update with another CHECK",
        "phase update with the right CHECK",
    ]
    assert [question.arguments["phase"] for question in asked] == ["staging", "update", "update", "update"]
    assert [question.arguments["polling"] for question in asked] == ["5", "5", "0", "0"]
    assert [question.arguments.get("CHECK") for question in asked] == [None, None, ANOTHER_CHECK, None]
    assert asked[-1].needs_check
    assert asked[-1].with_check("abc").arguments["CHECK"] == "abc"
    assert all({**question.arguments, **IDENTITY} == question.arguments for question in asked)
    assert list(questions(IDENTITY, "staging", POLICY))[-1].title == "phase staging"
    assert list(questions(IDENTITY, "gone", POLICY))[-1].title == "phase update with the right CHECK"


def test_without_fast_polling_no_address_mentions_it_before_the_end() -> None:
    policy = replace(POLICY, delivery=replace(POLICY.delivery, fast_poll=None))
    asked = list(questions(IDENTITY, None, policy))
    assert ["polling" in question.arguments for question in asked] == [False, False, True, True]


def test_a_first_contact_says_environments_only() -> None:
    assert first_contact(IDENTITY).arguments == {"env": "berlin"}
    assert first_contact({"type": "IP222"}).arguments == {}


def test_a_device_says_what_it_said_last() -> None:
    said = {**IDENTITY, "phase": "update", "polling": "0", "CHECK": "abc", "site": "x", "code": "secret"}
    device = Device(SERIAL, request=Request(said, Endpoint("http", "h", 80)))
    assert identity_of_device(device, POLICY) == {**IDENTITY, "site": "x"}


def test_a_device_that_has_yet_to_call_says_what_is_remembered() -> None:
    device = Device(
        SERIAL,
        model="IP222",
        hardware_id="IP222-30-00-af",
        own_address="10.0.0.9",
        environments=("berlin", "intranet"),
        firmware="137212",
    )
    assert identity_of_device(device, POLICY) == {**IDENTITY, "PROT": "137212"}
    bare = identity_of_device(Device(SERIAL), POLICY)
    assert bare == {"type": "", "sn": "00-90-33-30-00-af", "hwid": "", "ip": ""}


@pytest.mark.parametrize("policy", [POLICY, FIRST_ONLY], ids=["full", "first-only"])
@pytest.mark.parametrize(
    "names", [("default",), ("berlin",), ("paris",), ("berlin", "paris"), ("paris", "default"), ("intranet", "berlin")]
)
def test_environments_that_were_named_are_found_again(policy: Policy, names: tuple[str, ...]) -> None:
    listed = policy.expanded(names)
    found = named_environments(listed, policy)
    assert policy.expanded(found) == listed
    assert len(found) <= len(names)


def test_environments_of_which_none_is_known_stay() -> None:
    assert named_environments(("gone", "intranet"), POLICY) == ("gone", "intranet")
    assert named_environments((), POLICY) == ()
    assert named_environments(("berlin", "louvre", "intranet", "default"), POLICY) == (
        "berlin",
        "louvre",
        "intranet",
        "default",
    )
