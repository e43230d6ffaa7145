"""Environments, classes of devices, and phases."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gitupd.core.people.audit import Topic
from gitupd.core.policy import (
    AuditKeeping,
    Delivery,
    DeviceClass,
    Environment,
    Firmware,
    Master,
    Policy,
    Rewrite,
    Window,
)


@pytest.mark.parametrize(
    ("names", "full", "first_only"),
    [
        (["a"], "a x y", "a x y"),
        (["a", "b"], "a x y b y z", "a x y"),
        (["b", "a"], "b y z", "b y z"),
        (["c", "a"], "c a x y", "c x y"),
        (["c", "c"], "c", "c"),
        (["x", "a", "x"], "x a y", "x x y"),
    ],
)
def test_environments_are_expanded(names: list[str], full: str, first_only: str) -> None:
    implied = {"a": ("x", "y"), "b": ("y", "z"), "c": (), "x": (), "y": ("z",), "z": ()}
    policy = Policy(environments={name: Environment(name, implies) for name, implies in implied.items()})
    unique = list(dict.fromkeys(name for each in names for name in (each, *implied[each])))
    assert policy.expanded(names) == tuple(unique)
    assert set(full.split()) <= set(unique)
    assert replace(policy, full_expansion=False).expanded(names) == tuple(first_only.split())


def test_a_model_is_the_last_of_its_classes_unless_a_class_bears_its_name() -> None:
    phone = DeviceClass("phone", frozenset({"ip222", "ip232"}), "phone")
    own = DeviceClass("ip232", frozenset({"ip232", "ip241"}), "other")
    policy = Policy(classes=(own, phone))
    assert policy.classes_of("IP222") == (phone, DeviceClass("ip222", frozenset({"ip222"}), "ip222"))
    assert policy.classes_of("Ip232") == (own, phone)
    assert policy.classes_of("IP241") == (own, DeviceClass("ip241", frozenset({"ip241"}), "ip241"))
    assert policy.classes_of("ÏP") == (DeviceClass("Ïp", frozenset({"Ïp"}), "Ïp"),)


def test_the_first_run_stands_before_the_last_phase() -> None:
    delivery = Delivery(window=Window(("1",), None), first_run_ignores_window=True)
    policy = Policy(phases=("staging", "update"), delivery=delivery)
    assert policy.staged_phases == ("staging", "_first_update", "update")
    without_hours = replace(delivery, window=Window(None, 5))
    assert replace(policy, delivery=without_hours).staged_phases == policy.phases
    assert replace(policy, delivery=replace(delivery, window=None)).staged_phases == policy.phases


def test_a_rewrite_replaces_every_match() -> None:
    rewrite = Rewrite(re.compile(r"//([a-z]+)\.example"), r"//\1.test")
    assert rewrite("http://a.example/x?http://b.example") == "http://a.test/x?http://b.test"


@pytest.mark.parametrize(
    ("firmware", "bootcode", "asked"), [("master", "none", True), ("none", "master", True), ("none", "firmware", False)]
)
def test_the_master_is_asked_only_if_a_build_follows_it(firmware: str, bootcode: str, *, asked: bool) -> None:
    master = Master("http://10.0.0.1/")
    policy = Firmware(master=master, firmware=firmware, bootcode=bootcode)
    assert policy.followed == (master if asked else None)


@pytest.mark.parametrize(
    ("storage", "secret"),
    [
        ("fw/{build}/", False),
        ("https://files.example/{build}", False),
        ("https://cdn.example:8080/{model}/{filename}?t={filetype}&b={build}", False),
        ("fw/{build}?mail=a@b", False),
        ("fw/{build}?token=x", True),
        ("https://cdn.example/{filename}?b={build}&api_key=x", True),
        ("https://cdn.example/{filename}?Sig=x", True),
        ("http://u:p@f/", True),
    ],
)
def test_an_address_of_firmware_may_hold_a_secret(storage: str, *, secret: bool) -> None:
    assert Firmware(storage=storage).holds_secret is secret


def test_the_audit_keeps_each_topic_for_its_own_time() -> None:
    keeping = AuditKeeping(changes=3, log_ins=2, looks=1)
    assert [keeping.of(topic) for topic in (Topic.CHANGES, Topic.LOG_INS, Topic.LOOKS)] == [3, 2, 1]
    assert {AuditKeeping().of(topic) for topic in Topic} == {0}
