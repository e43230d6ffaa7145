"""All that an answer depends on, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.backups.restore import Pending
from gitupd.core.device import Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.core.firmware import Builds
from gitupd.core.identity import NOT_BY_HTTP, NOT_SHOWN, PRESUMED, Certificate, Identity, Shown
from gitupd.core.policy import Everyone, InClass, InEnvironment
from gitupd.core.situation import Basis, Computed
from gitupd.core.snapshot import KnownDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.situation import Situation

    Make = Callable[..., Situation]

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
FILES = {
    "phases.yaml": "phases: {staging: {order: 1}, rollout: {order: 2}, update: {order: 3}}",
    "environments.yaml": "environments: {default: {}, berlin: {implies: [intranet]}, intranet: {}}",
    "devices.yaml": "devices: {00-90-33-30-00-af: {environments: [berlin], name: Boss}}",
    "snippets/update-all-all.txt": "x\n",
    "snippets/update-phone-intranet.txt": "y\n",
    "snippets/all-ip222-00_90_33_30_00_b0.txt": "z\n",
    "snippets/staging-all-all.txt": "s\n",
}
PHONE = "type=IP222&sn=00-90-33-30-00-b0&hwid=h&ip=i"
KNOWN = "type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=i"


@pytest.mark.parametrize(
    ("query", "phase", "before", "following", "unknown"),
    [
        ("", "staging", None, "rollout", False),
        ("phase=", "staging", None, "rollout", False),
        ("phase=staging", "staging", None, "rollout", False),
        ("phase=rollout", "rollout", "staging", "update", False),
        ("phase=update", "update", "rollout", None, False),
        ("phase=Update", "staging", None, "rollout", True),
    ],
)
def test_a_device_is_in_the_phase_it_names_or_starts_over(
    situation: Make, query: str, phase: str, before: str | None, following: str | None, *, unknown: bool
) -> None:
    asked = situation(FILES, query)
    assert (asked.phase, asked.phase_before, asked.next_phase) == (phase, before, following)
    assert asked.phase_is_unknown is unknown


@pytest.mark.parametrize(
    ("query", "asked", "unknown", "environments"),
    [
        (PHONE, ["default"], [], ["default"]),
        (f"{PHONE}&env=berlin,paris", ["berlin", "paris"], ["paris"], ["berlin", "intranet"]),
        (f"{PHONE}&env=paris", ["paris"], ["paris"], ["default"]),
        (f"{KNOWN}&env=default", ["berlin"], [], ["berlin", "intranet"]),
    ],
)
def test_a_device_is_in_the_environments_of_the_configuration_else_of_its_url(
    situation: Make, query: str, asked: list[str], unknown: list[str], environments: list[str]
) -> None:
    made = situation(FILES, query)
    assert list(made.asked_environments) == asked
    assert list(made.unknown_environments) == unknown
    assert list(made.environments) == environments


def test_a_device_is_known_by_its_serial_number(situation: Make) -> None:
    assert situation(FILES, KNOWN).known == KnownDevice("Boss", ("berlin",))
    assert situation(FILES, PHONE).known == situation(FILES, "type=IP222").known == KnownDevice()


def test_snippets_are_those_of_its_phase_classes_and_places(situation: Make) -> None:
    asked = situation(FILES, f"{PHONE}&env=berlin&phase=update")
    assert [snippet.content for snippet in asked.snippets] == [b"z\n", b"x\n", b"y\n"]
    assert [snippet.content for snippet in situation(FILES, "type=x&phase=staging").snippets] == [b"s\n"]


def test_the_first_run_of_the_last_phase_gets_the_snippets_of_that(situation: Make) -> None:
    files = FILES | {"policies/delivery.yaml": "window: {hours: [1]}\nfirst_run_ignores_window: true"}
    asked = situation(files, "type=x&phase=_first_update")
    assert asked.next_phase == "update"
    assert [snippet.content for snippet in asked.snippets] == [b"x\n"]


def test_computed_lines_may_stand_for_all_snippets(situation: Make) -> None:
    asked = situation(FILES, f"{PHONE}&phase=update")
    assert replace(asked, computed=Computed(("a",))).snippets == asked.snippets != ()
    assert replace(asked, computed=Computed(("a",), standard=False)).snippets == ()


def test_a_condition_is_met_by_class_model_or_environment(situation: Make) -> None:
    asked = situation(FILES, f"{PHONE}&env=berlin")
    met = (Everyone(), InClass("phone"), InClass("ip222"), InEnvironment("berlin"), InEnvironment("intranet"))
    assert [condition for condition in met if not asked.meets(condition)] == []
    unmet = (InClass("gw"), InEnvironment("default"))
    assert [condition for condition in unmet if asked.meets(condition)] == []


def test_what_is_recognised_is_as_much_as_is_worth_remembering(situation: Make) -> None:
    recognised = situation(FILES, KNOWN).recognised
    assert recognised == Recognised(("berlin", "intranet"), (), recognised.classes, "Boss", Admittance.KNOWN)
    assert recognised.classes[-1] == "ip222"
    odd = ",".join(f"{number:02}{'x' * 60}" for number in range(20))
    unknown = situation(FILES, f"{PHONE}&env={odd}").recognised.unknown_environments
    assert unknown == tuple(f"{number:02}{'x' * 58}…" for number in range(10))


def test_a_basis_knows_what_each_device_has_yet_to_fetch(situation: Make) -> None:
    asked, nameless = situation(FILES, PHONE), situation(FILES, "type=IP222")
    pending = Pending(7, "token")
    basis = Basis(asked.snapshot, Builds("1", "2"), {"0090333000b0": pending, "0090333000af": Pending(8, "other")})
    assert basis.situation(asked.caller, asked.now) == replace(asked, builds=Builds("1", "2"), restore=pending)
    assert basis.situation(nameless.caller, asked.now).restore is None


def test_a_basis_judges_by_what_is_said_and_what_people_decided(situation: Make) -> None:
    files = {**FILES, "policies/admission.yaml": "unknown: refuse\naccept: [{type: ip232}]"}
    asked, other, nameless = (
        situation(files, PHONE),
        situation(files, PHONE.replace("222", "232")),
        situation(files, ""),
    )
    basis = Basis(asked.snapshot, decisions={})
    assert basis.verdict(asked.caller, None, trusted=False) is Admittance.REFUSED
    assert basis.verdict(other.caller, None, trusted=False) is Admittance.BY_RULE
    assert basis.verdict(nameless.caller, None, trusted=False) is Admittance.QUARANTINED  # it may be a known one
    serial = asked.caller.serial
    assert serial is not None
    accepted = Basis(asked.snapshot, decisions={serial.digits: Decision.ACCEPTED})
    assert accepted.verdict(asked.caller, None, trusted=False) is Admittance.ACCEPTED
    assert Basis(asked.snapshot).verdict(asked.caller, None, trusted=False) is Admittance.KNOWN
    judged = accepted.situation(asked.caller, asked.now, admission=Admittance.ACCEPTED)
    assert judged.recognised.admission is Admittance.ACCEPTED


def test_a_certificate_counts_by_https_alone(situation: Make) -> None:
    phone = "type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1"
    own = Certificate("IP222-30-00-af", "CA", NOON, NOON, "ab", "cd")
    shown = Shown(own, ((own,),))
    demanding = {"policies/transport.yaml": "client_certificate: required", "snippets/all-all-all.txt": "x"}
    secure = Endpoint("https", "upd.example", 443)
    plain, trusted = situation(demanding, phone, shown=shown), situation(demanding, phone, secure, shown=shown)
    assert plain.identity == NOT_BY_HTTP
    assert plain.refusal == f"a client certificate is required; {NOT_BY_HTTP.reason}"
    assert trusted.identity.is_trusted
    assert trusted.refusal is None
    assert situation(demanding, phone, secure).identity == NOT_SHOWN
    assert situation(demanding, phone, presumed=PRESUMED).refusal is None
    basis = Basis(trusted.snapshot)
    assert basis.identity(trusted.caller, NOON) == trusted.identity
    assert basis.situation(trusted.caller, NOON, presumed=NOT_SHOWN).identity == NOT_SHOWN


def test_devices_have_one_key_unless_something_is_meant_for_one_or_tells_them_apart(situation: Make) -> None:
    def key(query: str, basis: Basis | None = None, identity: Identity = NOT_SHOWN) -> object:
        asked = situation(FILES, query)
        return (basis or Basis(asked.snapshot)).key(asked.caller, identity)

    others = [
        f"type={model}&sn=00-90-33-30-00-c{number}&hwid=h{number}&ip=i" for number, model in enumerate(["IP1"] * 2)
    ]
    assert key(others[0]) == key(others[1])
    assert key(f"{others[0]}&CHECK=a") != key(f"{others[0]}&CHECK=b")
    assert key(f"{others[0]}&CHECKdate=a") == key(f"{others[0]}&CHECKdate=b")
    assert key(others[0]) != key(others[0], identity=PRESUMED)
    for named in (PHONE, KNOWN):  # by a snippet, and by devices.yaml
        assert key(named) != key(named.replace("hwid=h", "hwid=other"))
    restored = Basis(situation(FILES, others[0]).snapshot, restores={"0090333000c0": Pending(1, "token")})
    assert key(others[0], restored) != key(others[0])
    assert key(others[1], restored) == key(others[1])
    assert Basis(situation(FILES, "").snapshot).key(situation(FILES, "").caller, NOT_SHOWN)[0] == ()
