"""A commit that changes much waits for a person's word, and says what it would change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.fleets import device, fill

from gitupd.core.admission.admittance import Admittance
from gitupd.core.deployments.objection import Doubtful, Gate
from gitupd.core.deployments.state import CommitState
from gitupd.core.people.audit import Event, Kind
from gitupd.service.comparison.kept import planned_now
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.gates import brake as gate
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.words import approve
from gitupd.service.keeper import Keeper

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sample

    from gitupd.core.deployments.objection import Objection
    from gitupd.core.snapshot import CommitId

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
AUTOMATIC = "mode: automatic\ngrace: 0s\n"
RULE = "policies/deploy.yaml"
EVERYBODY = "snippets/all-all-all.txt"
GATEWAYS = "snippets/update-gw-all.txt"
BASE = {
    RULE: AUTOMATIC,
    "phases.yaml": "phases: {staging: {order: 1}, update: {order: 2}}",
    "environments.yaml": "environments: {default: {}, homeoffice: {}, intranet: {}}",
    EVERYBODY: "\n".join(f"config add ALL /a{number}" for number in range(20)),
}


def committed(sample: Sample, changes: dict[str, str]) -> CommitId:
    files = {path: text.encode() for path, text in {**BASE, **changes}.items()}
    return sample.site.config.commit_files(files, "x", "Ada <ada@example.org>")


def live(sample: Sample) -> CommitId:
    return deploy(sample.site, committed(sample, {}), who="ada", now=NOON)[0].commit


def against(sample: Sample, changes: dict[str, str], now: datetime = NOON) -> tuple[Objection, ...]:
    return Verdicts(sample.site).objections(committed(sample, changes), now)


def told(sample: Sample, files: dict[str, str]) -> list[str]:
    return [each.text for each in against(sample, files)]


def test_a_change_for_too_many_waits_until_somebody_means_it(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 100, NOON)
    commit = committed(sample, {GATEWAYS: "config add GW /b\n"})
    keeper = Keeper(sample.site, clock=lambda: NOON)
    for _ in range(3):
        keeper.tick()
    assert not sample.site.deployments.was_deployed(commit)
    said = "45 of 98 active devices (45 %) would get another script; the brake is at 25 %"
    (objection,) = Verdicts(sample.site).objections(commit, NOON)
    assert (objection.gate, objection.state, objection.text) == (Gate.BRAKE, CommitState.BRAKED, said)
    for reason, force in (("", False), ("because", False), ("", True)):
        with pytest.raises(Doubtful, match=r"45 of 98 active .*: gitupd deploy .* --force --reason WHY"):
            deploy(sample.site, commit, who="bob", now=NOON, reason=reason, force=force)
    deploy(sample.site, commit, who="bob", now=NOON, reason="new gatekeeper", force=True)
    assert sample.site.audit.entries(1)[0].detail.endswith(f": new gatekeeper; although {said}")


def test_a_change_for_few_is_deployed_by_itself(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 100, NOON)
    commit = committed(sample, {"snippets/update-ip811-all.txt": "config add GW /b\n"})
    Keeper(sample.site, clock=lambda: NOON).tick()
    assert sample.site.deployments.was_deployed(commit)


def test_the_brake_of_the_deployed_commit_counts(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 100, NOON)
    loosened = {RULE: f"{AUTOMATIC}brake: null\n", GATEWAYS: "config add GW /b\n"}
    commit = committed(sample, loosened)
    Keeper(sample.site, clock=lambda: NOON).tick()
    assert not sample.site.deployments.was_deployed(commit)
    deploy(sample.site, commit, who="bob", now=NOON, reason="it is meant", force=True)
    assert told(sample, {**loosened, EVERYBODY: ""}) == []


def test_the_approval_of_a_second_person_is_a_word_until_something_else_is_deployed(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 100, NOON)
    commit = committed(sample, {GATEWAYS: "config add GW /b\n"})
    approve(sample.site, commit, who="bob", now=NOON + timedelta(seconds=1))
    verdicts = Verdicts(sample.site)
    assert verdicts.objections(commit, NOON) == ()
    between = committed(sample, {"snippets/update-ip811-all.txt": "config add B /c\n"})
    deploy(sample.site, between, who="carl", now=NOON + timedelta(seconds=2))
    (objection,) = verdicts.objections(commit, NOON)
    assert objection.gate is Gate.BRAKE
    approve(sample.site, commit, who="bob", now=NOON + timedelta(seconds=3))
    assert verdicts.objections(commit, NOON) == ()


def test_going_back_is_never_braked(sample: Sample) -> None:
    first = live(sample)
    fill(sample.site, 100, NOON)
    commit = committed(sample, {EVERYBODY: ""})
    deploy(sample.site, commit, who="bob", now=NOON, reason="it is meant", force=True)
    made, _ = rollback(sample.site, first, who="bob", now=NOON)
    assert made.commit == first


def test_missing_and_unjudged_devices_do_not_count(sample: Sample) -> None:
    live(sample)
    devices = [device(number, sample.first, NOON) for number in range(100)]
    gone, outside = NOON - timedelta(days=20), Admittance.QUARANTINED
    some = [replace(each, last_seen=gone) if number < 50 else each for number, each in enumerate(devices)]
    some = [replace(each, admission=outside) if number >= 80 else each for number, each in enumerate(some)]
    sample.site.inventory.save_sightings(some)
    (text,) = told(sample, {GATEWAYS: "config add GW /b\n"})
    active = [each for each in some[50:80] if each.last_seen and each.last_seen > gone]
    gateways = [each for each in active if each.model in ("IP6010", "IP811", "IP1130") and each.phase == "update"]
    assert text.startswith(f"{len(gateways)} of {len(active)} active devices")


def test_where_all_are_missing_those_that_are_known_count(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 40, NOON)
    later = NOON + timedelta(days=30)
    (objection,) = against(sample, {GATEWAYS: "config add GW /b\n"}, later)
    assert objection.text.startswith(
        "18 of 40 known devices (45 %), of which none has called lately, would get another"
    )


def test_devices_that_never_polled_here_brake_nothing(sample: Sample) -> None:
    live(sample)
    imported = [replace(device(number, sample.first, NOON), request=None) for number in range(40)]
    sample.site.inventory.save_sightings(imported)
    assert told(sample, {EVERYBODY: ""}) == []


@pytest.mark.parametrize(
    "changes",
    [{"README.md": "x"}, {"tests/x.yaml": "tests: []"}, {"snippets/update-ip302-all.txt": "x\n"}],
    ids=["no file of devices", "tests", "no device"],
)
def test_what_no_device_gets_is_never_braked(sample: Sample, changes: dict[str, str]) -> None:
    live(sample)
    fill(sample.site, 40, NOON)
    assert told(sample, changes) == []


@pytest.mark.parametrize("count", [3, 10])
def test_a_small_fleet_is_edited_freely(sample: Sample, count: int) -> None:
    live(sample)
    sample.site.inventory.save_sightings(device(number, sample.first, NOON) for number in range(count))
    assert told(sample, {EVERYBODY: BASE[EVERYBODY] + "\nvars create X/Y p 1\n"}) == []


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({EVERYBODY: ""}, "3 of 3 active devices would get no command of a snippet any more"),
        (
            {EVERYBODY: "config add ALL /a1\n"},
            "3 of 3 active devices would lose more than 50 % of their commands, up to",
        ),
        (
            {"phases.yaml": "phases: {update: {order: 2}}"},
            "the phase 'staging' goes, in which 1 of 3 active devices are",
        ),
        ({"environments.yaml": "environments: {default: {}}"}, "the environment 'homeoffice' goes, in which 1 of 3"),
        ({"policies/transport.yaml": "https: required"}, "HTTPS becomes required, and 3 of 3 active devices call"),
        ({"policies/transport.yaml": "client_certificate: required"}, "a client certificate becomes required, which 3"),
        (
            {"policies/firmware.yaml": "firmware: '999999'"},
            "in policies/firmware.yaml: fw/999999/ip222.bin is not there, and 1 device would load it",
        ),
        (
            {"scripting.py": "class Own:\n    def pre(self, device):\n        return []\n"},
            "in scripting.py: not run here, as the site does not allow it",
        ),
    ],
    ids=["empty", "shrunk", "phase", "environment", "https", "certificate", "firmware", "code"],
)
def test_what_nobody_means_for_any_device_is_asked_once(
    sample: Sample, changes: dict[str, str], objection: str
) -> None:
    live(sample)
    sample.site.inventory.save_sightings(device(number, sample.first, NOON) for number in (0, 4, 5))
    commit = committed(sample, changes)
    with pytest.raises(Doubtful) as raised:
        deploy(sample.site, commit, who="bob", now=NOON)
    texts = [each.text for each in raised.value.objections]
    assert any(text.startswith(objection) for text in texts), texts
    _, warnings = deploy(sample.site, commit, who="bob", now=NOON, reason="it is meant", force=True)
    assert [each.message for each in warnings if any(each.message in text for text in texts)] == []
    following = committed(sample, {**changes, "snippets/update-ip302-all.txt": "config add Y /z\n"})
    assert deploy(sample.site, following, who="bob", now=NOON)[0].commit == following


def test_of_many_files_that_are_missing_some_are_told(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 10, NOON)
    texts = told(sample, {"policies/firmware.yaml": "firmware: '999999'\nbootcode: '999999'"})
    assert len(texts) == 6
    assert texts[-1] == "there are 7 warnings more"


def test_firmware_that_is_added_lets_it_through(sample: Sample, tmp_path: Path) -> None:
    live(sample)
    sample.site.inventory.save_sightings([device(0, sample.first, NOON)])
    changes = {"policies/firmware.yaml": "firmware: '999999'"}
    assert told(sample, changes) != []
    file = tmp_path / "ip222.bin"
    file.write_bytes(b"x")
    sample.site.firmware.add("999999", file, Event(NOON, "test", Kind.FIRMWARE_ADD))
    assert [each.text for each in against(sample, changes, NOON + timedelta(minutes=1))] == []


def test_a_large_fleet_is_compared_in_the_background_and_the_commit_waits_meanwhile(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_AT_ONCE", 10)
    live(sample)
    fill(sample.site, 50, NOON)
    commit = committed(sample, {"snippets/update-ip811-all.txt": "config add GW /b\n"})
    keeper = Keeper(sample.site, clock=lambda: NOON)
    keeper.tick()
    verdicts = Verdicts(sample.site)
    (objection,) = verdicts.objections(commit, NOON)
    assert (objection.text, objection.state) == (
        "it is being compared with the deployed commit",
        CommitState.SEEN,
    )
    (late,) = verdicts.objections(commit, NOON + timedelta(hours=1))
    assert late.text == "it can't be compared with the deployed commit: that takes longer than 20 min"
    assert late.state is CommitState.BRAKED
    (wish,) = sample.site.plans.wishes()
    planned_now(sample.site, wish.base, wish.head, lambda: NOON)
    keeper.tick()
    assert sample.site.deployments.was_deployed(commit)


def test_who_deploys_by_hand_waits_and_not_for_ever(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 50, NOON)
    commit = committed(sample, {"snippets/update-ip811-all.txt": "config add GW /b\n"})
    with pytest.raises(Doubtful, match="can't be compared with the deployed commit: that takes longer than 1e-09 s"):
        deploy(sample.site, commit, who="bob", now=NOON, patience=1e-9)
    deploy(sample.site, commit, who="bob", now=NOON)


def test_what_was_compared_with_another_commit_does_not_count(sample: Sample) -> None:
    live(sample)
    fill(sample.site, 100, NOON)
    verdicts = Verdicts(sample.site)
    commit = committed(sample, {GATEWAYS: "config add GW /b\n", "snippets/update-phone-all.txt": "config add B /c\n"})
    (objection,) = verdicts.objections(commit, NOON)
    assert objection.text.startswith("88 of 98 active")
    between = committed(sample, {"snippets/update-phone-all.txt": "config add B /c\n"})
    deploy(sample.site, between, who="bob", now=NOON, reason="it is meant", force=True)
    (objection,) = verdicts.objections(commit, NOON)
    assert objection.text.startswith("45 of 98 active")
