"""What of a configuration a set of polls has reached."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import parse_caller
from gitupd.core.imagined import SOMEWHERE, ImaginedDevice
from gitupd.core.plan import plan
from gitupd.core.policy import (
    Deploy,
    DeviceClass,
    Environment,
    Everyone,
    Firmware,
    InClass,
    InEnvironment,
    Policy,
    Query,
)
from gitupd.core.situation import Basis
from gitupd.core.snapshot import CommitId, Snapshot, Snippet
from gitupd.core.testing.coverage import PartKind, Reachable, Reached, parts_of, reached_by

NOW = datetime(2024, 5, 6, tzinfo=UTC)
ENVIRONMENTS = {
    name: Environment(name, implies)
    for name, implies in {"default": (), "berlin": ("office",), "office": ("net",), "net": ()}.items()
}
CLASSES = (
    DeviceClass("phone", frozenset({"ip222"}), "phone"),
    DeviceClass("gw", frozenset({"ip6000"}), "gateway"),
    DeviceClass("idle", frozenset({"ip1"}), "idle"),
    DeviceClass("fxs", frozenset({"ip29-2"}), "fxs"),
)
POLICY = Policy(
    phases=("staging", "update"),
    environments=ENVIRONMENTS,
    classes=CLASSES,
    firmware=Firmware(applies=(InClass("fxs"), InEnvironment("berlin"))),
    queries=(Query("x", "x", "y", (Everyone(),)),),
    deploy=Deploy(),
)
SNIPPETS = tuple(
    Snippet(f"snippets/{phase}-{name}-{place}.txt", phase, name, place, b"config x\n")
    for phase, name, place in [
        ("all", "all", "all"),
        ("update", "phone", "office"),
        ("update", "gateway", "all"),
        ("all", "ip222", "all"),
    ]
)
SNAPSHOT = Snapshot(CommitId("0" * 40), POLICY, SNIPPETS)


def reached(
    model: str = "IP222",
    environments: str | None = None,
    phase: str | None = None,
    serial: str = "00-90-33-00-00-01",
    admission: Admittance = Admittance.KNOWN,
) -> set[Reachable]:
    device = ImaginedDevice(model, serial, environments, phase)
    caller = device.caller(POLICY.transport, SOMEWHERE)
    situation = Basis(SNAPSHOT).situation(caller, NOW, admission=admission)
    return set(reached_by(situation, tuple(plan(situation))))


def names(parts: set[Reachable], kind: PartKind) -> set[str]:
    return {part.name for part in parts if part.kind is kind}


def test_parts_are_what_makes_a_difference() -> None:
    parts = parts_of(SNAPSHOT, ["a:1 if"])
    assert [part.name for part in parts if part.kind is PartKind.CLASS] == ["phone", "gateway", "fxs", "ip222"]
    assert [part.name for part in parts if part.kind is PartKind.IMPLIED] == ["berlin → office", "office → net"]
    assert [part.name for part in parts if part.kind is PartKind.PHASE] == ["staging", "update"]
    assert Reachable(PartKind.BRANCH, "a:1 if") in parts
    assert Reachable(PartKind.SNIPPET, SNIPPETS[0].path) in parts
    assert len([part for part in parts if part.kind is PartKind.ENVIRONMENT]) == 4


def test_a_poll_reaches_what_it_gets_and_is_in() -> None:
    parts = reached(environments="berlin", phase="update")
    assert names(parts, PartKind.SNIPPET) == {SNIPPETS[0].path, SNIPPETS[1].path, SNIPPETS[3].path}
    assert names(parts, PartKind.CLASS) == {"phone", "ip222"}
    assert names(parts, PartKind.ENVIRONMENT) == {"berlin", "office"}
    assert names(parts, PartKind.IMPLIED) == {"berlin → office"}, "what is implied implies nothing further"
    assert names(parts, PartKind.PHASE) == {"update"}


def test_a_class_is_reached_by_its_name_and_by_that_of_its_snippets() -> None:
    assert names(reached("IP6000", phase="update"), PartKind.CLASS) == {"gw", "gateway", "ip6000"}


@pytest.mark.parametrize("admission", [Admittance.QUARANTINED, Admittance.REFUSED])
def test_who_is_not_let_in_reaches_nothing(admission: Admittance) -> None:
    assert reached(phase="update", admission=admission) == set()


def test_who_does_not_say_who_it_is_reaches_nothing() -> None:
    situation = Basis(SNAPSHOT).situation(parse_caller({"type": "IP222"}, SOMEWHERE), NOW)
    assert list(reached_by(situation, tuple(plan(situation)))) == []


def test_of_a_hundred_parts_all_are_reached_or_fewer() -> None:
    parts = tuple(Reachable(PartKind.SNIPPET, f"{number}") for number in range(200))
    assert Reached(parts, frozenset(parts)).percent == 100
    almost = Reached(parts, frozenset(parts[:-1]) | {Reachable(PartKind.CLASS, "elsewhere")})
    assert (almost.count, almost.percent) == (199, 99)
    assert almost.by_kind == {PartKind.SNIPPET: (200, ("199",))}
    assert Reached((), frozenset()).percent == 100
