"""What is compared is what the server would send: for any two configurations, and any devices."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitupd.config.loader import load
from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Request, Serial, parse_caller
from gitupd.core.comparison.consequences import ExecutedAgain, LetIn, Restarts, ShutOut
from gitupd.core.comparison.grouping import Footing, Skipped
from gitupd.core.comparison.numbers import numbers
from gitupd.core.deployments.reach import Reach
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.firmware import Builds
from gitupd.core.identity import NOT_SHOWN, PRESUMED
from gitupd.core.situation import Basis
from gitupd.core.snapshot import CommitId
from gitupd.service.comparison.comparing import Comparing
from gitupd.service.imagining import Imagining
from gitupd.service.poll import render
from gitupd.store.comparison.written import read, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitupd.core.comparison.difference import ScriptDifference
    from gitupd.core.comparison.grouping import FleetComparison
    from gitupd.core.snapshot import Snapshot

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BUILDS = Builds("137213", "131286")
MASTER = {"url": "http://127.0.0.1:9/CMD0/box_info.xml"}
ENVIRONMENTS = ("default", "berlin", "intranet")
MODELS = ("IP222", "IP232", "IP6010", "IP999")
NAMED = Serial("0090333000af")
LINES = ("config add A /b 1", "config add A /b 2", "vars create X/Y p 1", "# a comment", "", " config add A /b 1 ")

commands = st.lists(st.sampled_from(LINES), max_size=4).map("\n".join)
parts = st.tuples(
    st.sampled_from(["all", "staging", "update"]),
    st.sampled_from(["all", "phone", "gw", "ip222"]),
    st.sampled_from(["all", *ENVIRONMENTS, NAMED.place]),
)
TEMPLATES = (
    "a {{ device.serial }}\n",
    "b {{ room }}\n",
    "c {{ room | default('0') }}\nvars create X p 1\n",
    "d {{ desk }}\n",
)
templates = st.dictionaries(
    st.sampled_from(["snippets/update-ip232-all.txt.j2", "snippets/all-ip6010-berlin.txt.j2"]),
    st.sampled_from(TEMPLATES),
    max_size=2,
)
snippets = st.dictionaries(parts.map(lambda name: f"snippets/{'-'.join(name)}.txt"), commands, max_size=6)


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


window = st.fixed_dictionaries({"hours": st.just([22, 23])})
documents: dict[str, st.SearchStrategy[Any]] = {
    "phases": st.sampled_from([("staging", "update"), ("first", "staging", "update"), ("update", "staging")]).map(
        lambda names: {"phases": {name: {"order": at} for at, name in enumerate(names)}}
    ),
    "environments": st.tuples(st.sampled_from([[], ["intranet"]]), st.sampled_from([{}, {"room": "1"}])).map(
        lambda said: {
            "environments": {"default": {}, "berlin": {"implies": said[0], "variables": said[1]}, "intranet": {}}
        }
    ),
    "devices": st.sampled_from(
        [
            {"devices": {}},
            {"devices": {str(NAMED): {"environments": ["intranet"]}}},
            {"devices": {str(NAMED): {"variables": {"room": "7", "desk": "8"}}}},
        ]
    ),
    "policies/delivery": some(check=st.booleans(), interval=st.sampled_from([15, 30]), window=window),
    "policies/firmware": st.fixed_dictionaries(
        {"master": st.just(MASTER), "firmware": st.sampled_from(["none", "master", "134250"])}
    ),
    "policies/transport": some(
        https=st.sampled_from(["optional", "optional", "required"]),
        client_certificate=st.sampled_from(["optional", "required"]),
    ),
    "policies/admission": some(
        unknown=st.sampled_from(["serve", "quarantine", "refuse"]),
        accept=st.just([{"network": "10.1.0.0/16"}]),
    ),
    "policies/backup": st.fixed_dictionaries({"enabled": st.booleans()}),
}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Draw the files of two configurations that have most in common."""
    base = {name: draw(document) for name, document in documents.items()}
    texts = draw(snippets) | draw(templates)
    again = draw(st.sets(st.sampled_from(sorted(documents)), max_size=2))
    head = {**base, **{name: draw(documents[name]) for name in sorted(again)}}
    others = dict(texts)
    for path in draw(st.sets(st.sampled_from(sorted(texts)), max_size=2)) if texts else ():
        others[path] = draw(st.sampled_from(TEMPLATES) if path.endswith(".j2") else commands)
    others |= draw(snippets) | draw(templates) if draw(st.booleans()) else {}
    return files(base, texts), files(head, others)


def files(said: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, bytes]:
    return {
        **{f"{name}.yaml": json.dumps(document).encode() for name, document in said.items() if document},
        **{path: text.encode() for path, text in texts.items()},
    }


@st.composite
def devices(draw: st.DrawFn, base: Snapshot) -> list[Device]:
    """Draw devices, each with others that are like it but for one thing: who they are, and what they have executed."""
    fleet = []
    for number in range(draw(st.integers(1, 3))):
        said = {
            "polling": draw(st.sampled_from([None, "0", "5"])),
            "phase": draw(st.sampled_from(["update", "update", "update", None, "staging", "gone"])),
            "type": draw(st.sampled_from(MODELS)),
            "ip": draw(st.sampled_from(["10.0.0.7", None])),
            "env": draw(st.sampled_from([None, "berlin", "berlin,nowhere", "default,berlin"])),
            "PROT": draw(st.sampled_from([None, "134250", "137213"])),
        }
        scheme = draw(st.sampled_from(["http", "https"]))
        address = draw(st.sampled_from(["10.1.0.7", "192.0.2.1", None]))
        identity = draw(st.sampled_from([PRESUMED, NOT_SHOWN])) if scheme == "https" else None
        for other in range(4):
            serial = NAMED if (number, other) == (0, 3) else one(number, other)
            arguments = {**said, "sn": str(serial), "hwid": f"X-{serial.digits[-4:]}"}
            device = Device(
                serial,
                model=said["type"],
                address=address,
                request=Request(
                    {name: value for name, value in arguments.items() if value is not None},
                    Endpoint(scheme, "upd.example", {"http": 80, "https": 443}[scheme]),
                ),
                identity=identity,
            )
            fleet.append((device, device, executed(device, base), with_check(device, "0" * 32))[other])
    return fleet


def one(number: int, other: int) -> Serial:
    return Serial(f"00903300{number:02x}{other:02x}")


def executed(device: Device, snapshot: Snapshot) -> Device:
    """Return *device* as one that has executed what *snapshot* says."""
    stored = [line for line in body(snapshot, device, check=False).splitlines() if b" check ser " in line]
    if not stored or device.request is None:
        return device
    return with_check(device, stored[0].split()[-1].decode())


def with_check(device: Device, check: str) -> Device:
    assert device.request is not None
    return replace(device, request=replace(device.request, arguments={**device.request.arguments, "CHECK": check}))


def basis(snapshot: Snapshot, decisions: Mapping[str, Decision] | None = None) -> Basis:
    return Basis(snapshot, BUILDS, decisions={} if decisions is None else decisions)


def body(snapshot: Snapshot, device: Device, *, check: bool = True) -> bytes:
    """Return what the server sends to *device*, but for the line that names the commit: nothing is shared here."""
    assert device.request is not None
    request = device.request if check else device.request.without_check()
    caller = parse_caller(request.arguments, request.endpoint)
    side = basis(snapshot)
    verdict = side.verdict(caller, device.address, trusted=device.admission is Admittance.BY_RULE)
    situation = side.situation(caller, NOON, admission=verdict, presumed=device.identity)
    return render(situation).body.partition(b"\r\n")[2]


def compared(base: Snapshot, head: Snapshot, fleet: Sequence[Device], paths: Sequence[str]) -> FleetComparison:
    sides = (Imagining(basis(side), NOON) for side in (base, head))
    return Comparing(*sides, Reach(base, head, paths)).compare(fleet, is_active=is_active)


@given(st.data())
@settings(max_examples=150)
def test_exactly_those_devices_are_told_that_get_another_script_each_in_one_group(data: st.DataObject) -> None:
    before, after = data.draw(pairs())
    base, head = (load(said, CommitId(letter * 40)) for said, letter in ((before, "a"), (after, "b")))
    fleet = data.draw(devices(base))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    comparison = compared(base, head, fleet, paths)
    assert read(written(comparison)) == comparison, "what is kept is what was found"
    told = [member.serial for group in comparison.groups for member in group.members]
    differing = sorted(device.serial for device in fleet if scripts(base, device) != scripts(head, device))
    assert sorted(told) == differing
    assert [len(group.members) for group in comparison.groups] == sorted(
        (len(group.members) for group in comparison.groups), reverse=True
    )
    differences = [group.difference for group in comparison.groups]
    assert len(set(differences)) == len(differences)
    check_consequences(comparison, base, head, {device.serial: device for device in fleet})
    check_numbers(comparison, base, head, fleet, differing)


def check_numbers(
    comparison: FleetComparison, base: Snapshot, head: Snapshot, fleet: Sequence[Device], differing: Sequence[Serial]
) -> None:
    """Count once more what is counted: of all devices, and of the active ones alone."""
    for only_active in (False, True):
        some = [device for device in fleet if is_active(device) or not only_active]
        told = numbers(comparison, only_active=only_active)
        changed = {device.serial for device in some}.intersection(differing)
        assert (told.devices, told.changed) == (len(some), len(changed))
        restarting = [
            device
            for device in some
            if device.serial in changed and restarts(body(head, device)) and not restarts(body(base, device))
        ]
        assert told.restarting == len(restarting)
        phases = [set(side.policy.staged_phases) for side in (base, head)]
        named = Counter(device.request.arguments.get("phase") for device in some if device.request)
        gone = {name: count for name, count in named.items() if name in phases[0] - phases[1]}
        assert dict(told.phases_gone) == gone


def is_active(device: Device) -> bool:
    return int(device.serial.digits, 16) % 2 == 0


def scripts(snapshot: Snapshot, device: Device) -> tuple[bytes, bytes]:
    return body(snapshot, device), body(snapshot, device, check=False)


def check_consequences(
    comparison: FleetComparison, base: Snapshot, head: Snapshot, fleet: Mapping[Serial, Device]
) -> None:
    """Look whether what is told follows from what is sent, by reading the scripts and nothing else."""
    for group in comparison.groups:
        kinds = {type(each) for each in group.difference.consequences}
        for member in group.members:
            old, new = (body(side, fleet[member.serial]) for side in (base, head))
            check_lines(group.difference, *(body(side, fleet[member.serial], check=False) for side in (base, head)))
            confirmed_before, confirmed_now = (b"# the device has executed this" in text for text in (old, new))
            again = confirmed_before and not confirmed_now and any(map(is_configuring, new.decode().split("\r\n")))
            assert (ExecutedAgain in kinds) == again
            assert (Restarts in kinds) == (restarts(new) and not restarts(old)), (old, new)
            shut = [b"# quarantined:" in text or b"# refused:" in text for text in (old, new)]
            assert (ShutOut in kinds, LetIn in kinds) == (shut == [False, True], shut == [True, False])
            assert (member.footing is Footing.OUTSIDE) == shut[0]


def check_lines(difference: ScriptDifference, old: bytes, new: bytes) -> None:
    """Look whether the lines that come and go are those that there are more of in one script than in the other."""
    lines = [Counter(line for line in text.decode().split("\r\n") if not is_passing(line)) for text in (old, new)]
    gone = Counter(line for hunk in difference.hunks for line in hunk.removed)
    come = Counter(line for hunk in difference.hunks for line in hunk.added)
    assert lines[0] - gone + come == lines[1]
    assert gone <= lines[0]


def is_configuring(line: str) -> bool:
    return line.strip().startswith(("config add A ", "vars create ", "a ", "b ", "c ", "d "))


def is_passing(line: str) -> bool:
    return line.startswith(("config add UP1 ", "config rem UP1 ", "mod cmd UP1 provision ", "mod cmd UP1 check ser "))


def restarts(script: bytes) -> bool:
    lines = [line.strip() for line in script.split(b"\r\n")]
    return any(line.startswith((b"vars create ", b"mod cmd UP0 prot ", b"mod cmd UP0 boot ")) for line in lines)


@pytest.mark.parametrize(
    ("path", "text", "shared"),
    [
        ("snippets/all-all-all.txt", "config add A /b {}", [["0", "1", "3"], ["2"]]),
        ("snippets/all-all-all.txt.j2", "config add A /b {} {{{{ device.phase }}}}", [["0", "1", "3"], ["2"]]),
        ("snippets/all-all-all.txt.j2", "config add A /b {} {{{{ device.serial }}}}", [["0"], ["1"], ["2"], ["3"]]),
    ],
)
def test_devices_that_stand_the_same_are_told_together_and_no_others(
    path: str, text: str, shared: list[list[str]]
) -> None:
    base, head = (load({path: text.format(number).encode()}, CommitId(number * 40)) for number in "12")
    fleet = []
    for number in range(4):
        serial = one(0, number)
        said = {"phase": "update", "polling": "0", "type": "IP222", "sn": str(serial), "hwid": "h", "ip": "10.0.0.7"}
        device = Device(serial, model="IP222", request=Request(said, Endpoint("http", "upd.example", 80)))
        fleet.append((device, device, executed(device, base), with_check(device, "0" * 32))[number])
    comparison = compared(base, head, fleet, [path])
    assert [[member.serial.digits[-1] for member in group.members] for group in comparison.groups] == shared
    again = [group for group in comparison.groups if ExecutedAgain() in group.difference.consequences]
    assert [member.footing for group in again for member in group.members] == [Footing.EXECUTED]


def test_a_device_that_says_what_none_says_is_left_out_and_counted() -> None:
    base = load({"snippets/all-all-all.txt": b"x"}, CommitId("a" * 40))
    odd = Device(NAMED, request=Request({"sn": "x"}, Endpoint("http", "upd.example", 80)))
    comparison = compared(base, base, [odd, Device(one(0, 0))], [])
    assert (comparison.total, comparison.skipped, comparison.groups) == (2, Skipped(silent=1, malformed=1), ())
