"""By which rules requests are signed without a person."""

from __future__ import annotations

import ipaddress

import pytest

from gitupd.core.certificates.approval import ApprovalRule
from gitupd.core.policy import Rate

HERE, ANYWHERE = ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::/0")


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
