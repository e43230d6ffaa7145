"""Who is let in: the configuration first, then people, then rules, then the policy for all others."""

from __future__ import annotations

import ipaddress
import re

import pytest

from gitupd.core.admission.admittance import OUTSIDE, UNKNOWN, Admittance, Appearance, Decision, admit
from gitupd.core.policy import Accept, Admission

OFFICE = ipaddress.ip_network("10.1.0.0/16")
PHONE = Appearance("IP222", "IP222-30-00-af", "10.1.2.3")


def _verdict(*rules: Accept, appearance: Appearance = PHONE) -> Admittance:
    return admit(Admission("quarantine", rules), appearance, known=False, decision=None)


@pytest.mark.parametrize(
    ("unknown", "verdict"),
    [("serve", Admittance.SERVED), ("quarantine", Admittance.QUARANTINED), ("refuse", Admittance.REFUSED)],
)
def test_the_policy_decides_on_whom_nobody_knows(unknown: str, verdict: Admittance) -> None:
    policy = Admission(unknown)  # type: ignore[arg-type] # the schema allows nothing else
    assert admit(policy, PHONE, known=False, decision=None) is verdict
    assert admit(policy, PHONE, known=False, decision=Decision.WITHDRAWN) is verdict
    assert verdict.is_unknown


def test_the_configuration_comes_before_a_person_and_a_person_before_any_rule() -> None:
    policy = Admission("refuse", (Accept(network=OFFICE),))
    for decision in (None, *Decision):
        assert admit(policy, PHONE, known=True, decision=decision) is Admittance.KNOWN
    assert admit(policy, PHONE, known=False, decision=Decision.REFUSED) is Admittance.REFUSED
    assert admit(policy, PHONE, known=False, decision=Decision.ACCEPTED) is Admittance.ACCEPTED
    assert admit(policy, PHONE, known=False, decision=None) is Admittance.BY_RULE


def test_who_is_let_in_is_no_stranger_but_for_the_policy() -> None:
    assert [verdict for verdict in Admittance if not verdict.is_let_in] == list(OUTSIDE)
    assert [verdict for verdict in Admittance if verdict.is_unknown] == list(UNKNOWN)


@pytest.mark.parametrize(
    ("rule", "appearance", "accepted"),
    [
        (Accept(network=OFFICE), PHONE, True),
        (Accept(network=OFFICE), Appearance(address="10.2.0.1"), False),
        (Accept(network=OFFICE), Appearance(address="::ffff:10.1.2.3"), True),
        (Accept(network=OFFICE), Appearance(address="2001:db8::1"), False),
        (Accept(network=ipaddress.ip_network("fe80::/10")), Appearance(address="fe80::1%eth0"), True),
        (Accept(network=OFFICE), Appearance(address="unix:"), False),
        (Accept(network=OFFICE), Appearance(), False),
        (Accept(model="ip222"), PHONE, True),
        (Accept(model="ip222"), Appearance("IP232"), False),
        (Accept(model="ip222"), Appearance(), False),
        (Accept(hardware_id=re.compile("^IP222-")), PHONE, True),
        (Accept(hardware_id=re.compile("^IP232-")), PHONE, False),
        (Accept(hardware_id=re.compile("^IP222-")), Appearance(), False),
        (Accept(certificate=True), PHONE, False),
        (Accept(certificate=True), Appearance(trusted=True), True),
    ],
)
def test_a_rule_holds_for_what_a_request_says(rule: Accept, appearance: Appearance, accepted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert (_verdict(rule, appearance=appearance) is Admittance.BY_RULE) is accepted


def test_all_that_a_rule_asks_must_hold_and_any_rule_is_enough() -> None:
    both = Accept(network=OFFICE, model="ip232")
    assert _verdict(both) is Admittance.QUARANTINED
    assert _verdict(both, Accept(network=OFFICE, model="ip222", hardware_id=re.compile("af$"))) is Admittance.BY_RULE
