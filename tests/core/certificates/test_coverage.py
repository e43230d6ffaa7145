"""What of the names of a request gets into a certificate: what the policy has a device ask for, and nothing else."""

from __future__ import annotations

import pytest

from gitupd.core.certificates.coverage import AskedNames, covered
from gitupd.core.policy import Certificates

SERIAL = "0090333000af"
POLICY = Certificates(
    dn={"cn": "{sn}", "o": "Example Ltd", "c": "DE"},
    dns=("{name}.phones.example.com", "{rdns}", "{hwid}.old.example.com"),
    ip=("{realip}", "192.0.2.1"),
)
OWN = (("cn", SERIAL),)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{sn}", SERIAL),
        ("{sn}", SERIAL.upper()),
        ("", SERIAL),
        ("{sn}", "IP222-30-00-af"),
        ("{hwid}", "IP222s-30-00-af"),
        ("phone {sn}", f"phone {SERIAL}"),
        ("{name}", "reception"),
        ("{realip}", "10.0.0.1"),
        ("*", "*"),
    ],
)
def test_a_common_name_is_that_of_the_device_or_of_the_template(template: str, name: str) -> None:
    coverage = covered(AskedNames((("cn", name),)), Certificates(dn={"cn": template}), SERIAL, ())
    assert (coverage.fault, coverage.covered.parts) == (None, (("cn", name),))


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ((), "no common name"),
        ((("cn", "0090333000b0"),), "which the policy does not have it ask for"),
        ((("cn", "IP222-30-00-b0"),), "which the policy"),
        ((("cn", "www.example.com"),), "which the policy"),
        ((("cn", "*"),), "which the policy"),
        ((("cn", f"{SERIAL}\n"),), "which the policy"),
        ((("cn", SERIAL), ("cn", SERIAL)), "more than one common name"),
    ],
)
def test_any_other_common_name_is_a_fault(parts: tuple[tuple[str, str], ...], fault: str) -> None:
    assert fault in str(covered(AskedNames(parts), POLICY, SERIAL, ()).fault)


def test_parts_of_the_subject_are_those_of_the_policy() -> None:
    parts = (("c", "DE"), ("o", "Example Ltd"), ("ou", "Telephony"), ("2.5.4.5", "1"), *OWN)
    coverage = covered(AskedNames(parts), POLICY, SERIAL, ())
    assert coverage.covered.parts == (("c", "DE"), ("o", "Example Ltd"), *OWN)
    assert coverage.left_out == ("OU Telephony", "2.5.4.5 1")
    assert covered(AskedNames((("o", "Other"), *OWN)), POLICY, SERIAL, ()).left_out == ("O Other",)


@pytest.mark.parametrize(
    ("name", "is_covered"),
    [
        ("reception.phones.example.com", True),
        ("ip222-30-00-af.old.example.com", True),
        ("any.host.example.org", True),  # by the word for what DNS says
        ("ip222-30-00-b0.phones.example.com", False),
        ("0090333000b0.phones.example.com", False),
        ("*.phones.example.com", False),
        ("", False),
        ("a b.example.org", False),
    ],
)
def test_dns_names(name: str, is_covered: object) -> None:
    coverage = covered(AskedNames(OWN, (name,)), POLICY, SERIAL, ())
    assert coverage.covered.dns == ((name,) if is_covered else ())
    assert coverage.left_out == (() if is_covered else (f"DNS {name}",))


def test_without_templates_there_are_no_alternative_names() -> None:
    coverage = covered(AskedNames(OWN, ("a.example.com",), ("10.0.0.1",)), Certificates(), SERIAL, ("10.0.0.1",))
    assert (coverage.covered.dns, coverage.covered.addresses) == ((), ())
    assert coverage.left_out == ("DNS a.example.com", "IP 10.0.0.1")


def test_addresses_are_those_that_are_known_of_the_device_or_stand_in_the_policy() -> None:
    asked = AskedNames(OWN, (), ("10.0.0.1", "10.0.0.2", "192.0.2.1"))
    coverage = covered(asked, POLICY, SERIAL, {"10.0.0.1"})
    assert coverage.covered.addresses == ("10.0.0.1", "192.0.2.1")
    assert coverage.left_out == ("IP 10.0.0.2",)
