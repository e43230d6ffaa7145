"""By which rules requests are signed without a person."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.certificates.approval import Application, ApprovalRule, Covered, Uncovered, approve
from gitupd.core.policy import Rate

HERE, ANYWHERE = ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::/0")
NAMES = frozenset({"CN=0090333000af", "DNS=a.example"})
UNPROVED = "the device did not prove itself with its old certificate"
GOOD = Application(NAMES, NAMES, "10.1.2.3", identified=True, known=True, model="IP222", environments=frozenset({"b"}))


@pytest.mark.parametrize(
    ("rule", "is_wide"),
    [
        (ApprovalRule(), (True, True)),
        (ApprovalRule(at_most=Rate(1, 3600)), (True, True)),
        (ApprovalRule(network=ANYWHERE), (True, True)),
        (ApprovalRule(known=True, same_names=True, model="ip222", environment="a", network=ANYWHERE), (False, True)),
        (ApprovalRule(network=HERE), (False, False)),
        (ApprovalRule(identified=True), (False, False)),
    ],
)
def test_what_a_rule_does_not_ask_is_known(rule: ApprovalRule, is_wide: tuple[bool, bool]) -> None:
    assert (rule.covers_everybody, rule.is_forgeable) == is_wide


def test_a_rule_in_words_is_the_same_with_another_bound() -> None:
    rule = ApprovalRule(
        identified=True,
        network=HERE,
        known=True,
        same_names=True,
        model="ip222",
        environment="berlin",
        at_most=Rate(1000, 86400),
    )
    assert rule.conditions == (
        "identified by its old certificate, from 10.0.0.0/8, of a known device, for the same names, of type ip222, "
        "in berlin"
    )
    assert rule.bound == "at most 1,000 a day"
    assert (ApprovalRule().conditions, ApprovalRule().bound) == ("of any kind", "")
    assert ApprovalRule(at_most=Rate(5, 3600)).bound == "at most 5 an hour"


@pytest.mark.parametrize(
    ("rule", "application", "lack"),
    [
        (ApprovalRule(identified=True), {"identified": False}, UNPROVED),
        (ApprovalRule(network=HERE), {"address": "192.0.2.1"}, "it came from 192.0.2.1"),
        (ApprovalRule(network=HERE), {"address": ""}, "it came from nobody knows where"),
        (ApprovalRule(network=HERE), {"address": "somewhere"}, "it came from somewhere"),
        (ApprovalRule(network=HERE), {"address": "::a01:203"}, "it came from ::a01:203"),
        (ApprovalRule(known=True), {"known": False}, "nobody has accepted the device"),
        (ApprovalRule(same_names=True), {"names": NAMES | {"DNS=b"}}, "the name DNS=b is another one"),
        (ApprovalRule(same_names=True), {"names": frozenset()}, "it has no name"),
        (ApprovalRule(model="ip222"), {"model": "IP232"}, "the device is of type IP232"),
        (ApprovalRule(model="ip222"), {"model": ""}, "the device is of type that nobody knows"),
        (ApprovalRule(environment="b"), {"environments": frozenset("a")}, "the device is not in b"),
    ],
)  # fmt: skip
def test_each_condition_lets_through_what_meets_it_and_nothing_else(
    rule: ApprovalRule, application: dict[str, object], lack: str
) -> None:
    assert approve(GOOD, [rule], [0]) == Covered(0, f"rule 1 covers it: {rule.conditions}")
    failing = replace(GOOD, **application)  # type: ignore[arg-type] # any of the fields
    assert approve(failing, [rule], [0]) == Uncovered(f"no rule covers it (rule 1: {lack})")
    assert approve(failing, [rule, ApprovalRule(network=ANYWHERE, identified=True)], [0, 0]) != Covered(0, "")


def test_an_address_of_ipv4_is_the_same_in_the_form_of_ipv6() -> None:
    for address in ("::ffff:10.1.2.3", "10.1.2.3"):
        assert isinstance(approve(replace(GOOD, address=address), [ApprovalRule(network=HERE)], [0]), Covered)


def test_a_rule_approves_no_more_than_its_bound_and_leaves_the_rest_to_the_next() -> None:
    bound = ApprovalRule(identified=True, at_most=Rate(2, 86400))
    assert approve(GOOD, [bound], [1]) == Covered(0, "rule 1 covers it: identified by its old certificate")
    assert approve(GOOD, [bound], [2]) == Uncovered("no rule covers it (rule 1: it approves at most 2 a day, and has)")
    assert approve(GOOD, [bound, ApprovalRule(known=True)], [2, 0]) == Covered(1, "rule 2 covers it: of a known device")


def test_without_rules_and_with_many_the_reason_is_short() -> None:
    assert approve(GOOD, [], []) == Uncovered("it waits for a person, for there is no rule")
    verdict = approve(replace(GOOD, known=False), [ApprovalRule(known=True)] * 50, [0] * 50)
    assert verdict.reason.endswith("rule 4: nobody has accepted the device; and 46 further rules)")


RULES = st.builds(
    ApprovalRule,
    identified=st.booleans(),
    network=st.sampled_from([None, HERE, ANYWHERE, ipaddress.ip_network("2001:db8::/32")]),
    known=st.booleans(),
    same_names=st.booleans(),
    model=st.sampled_from([None, "ip222"]),
    environment=st.sampled_from([None, "b"]),
    at_most=st.sampled_from([None, Rate(2, 3600)]),
)
NAME_SETS = st.frozensets(st.sampled_from([*NAMES, "DNS=other", "O=Other"]))
APPLICATIONS = st.builds(
    Application,
    names=NAME_SETS,
    usual=NAME_SETS,
    address=st.sampled_from(["", "10.1.2.3", "::ffff:10.1.2.3", "11.0.0.1", "2001:db8::1", "fe80::1%eth0", "x"]),
    identified=st.booleans(),
    known=st.booleans(),
    model=st.sampled_from(["", "IP222", "ip222", "IP232"]),
    environments=st.frozensets(st.sampled_from("ab")),
)
FROM_HERE = {"10.1.2.3", "::ffff:10.1.2.3"}
WITHIN = {HERE: FROM_HERE, ANYWHERE: {"2001:db8::1", "fe80::1%eth0"}, None: None}


def covers(rule: ApprovalRule, application: Application, count: int) -> bool:
    """Say the same as the rules do in other words: no condition may fail, and there has to be one."""
    within = WITHIN.get(rule.network, {"2001:db8::1"})
    conditions = [
        (rule.identified, application.identified),
        (rule.network is not None, within is None or application.address in within),
        (rule.known, application.known),
        (rule.same_names, bool(application.names) and application.names <= application.usual),
        (rule.model is not None, application.model.lower() == "ip222"),
        (rule.environment is not None, "b" in application.environments),
    ]
    asked = [met for is_asked, met in conditions if is_asked]
    only_anywhere = len(asked) == 1 and rule.network is ANYWHERE
    return bool(asked) and not only_anywhere and all(asked) and (rule.at_most is None or count < 2)


@given(APPLICATIONS, st.lists(st.tuples(RULES, st.integers(0, 3)), max_size=4))
def test_nothing_is_approved_that_no_rule_covers_and_nothing_waits_that_one_does(
    application: Application, rules: list[tuple[ApprovalRule, int]]
) -> None:
    verdict = approve(application, [rule for rule, _ in rules], [count for _, count in rules])
    covering = [index for index, (rule, count) in enumerate(rules) if covers(rule, application, count)]
    if isinstance(verdict, Covered):
        assert verdict.index == covering[0]
    else:
        assert not covering
