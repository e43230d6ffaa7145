"""What may be deployed, and what becomes of it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import InvalidConfiguration, SiteError, UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy, rollback, unblock
from gitupd.service.deployments.live import Follower, live_now
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.waiting import waiting
from gitupd.service.health import Health
from gitupd.service.keeper import Keeper
from gitupd.service.sightings import Sightings

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
_LATER = NOON.replace(hour=13)
_AUTOMATIC = {"policies/deploy.yaml": "mode: automatic\ngrace: 90s\n"}
_SNIPPET = "snippets/all-all-all.txt"


def _commit(follower: Follower) -> str | None:
    """Return the commit that is served."""
    return None if follower.live is None else follower.live.snapshot.commit


def _deploy(sample: Sample, revision: str) -> None:
    deploy(sample.site, revision, who="ada", now=_LATER)


def test_a_commit_is_deployed(sample: Sample) -> None:
    commit = sample.commit({_SNIPPET: "config write\n"})
    deployment, warnings = deploy(sample.site, "main", who="bob", now=_LATER)
    assert (deployment.commit, deployment.who, deployment.kind, deployment.replaced) == (
        commit,
        "bob",
        "deploy",
        sample.first,
    )
    assert [each.path for each in warnings] == [_SNIPPET]
    assert sample.site.deployments.live() == deployment
    assert sample.site.archive.files(commit) == sample.site.config.files(commit)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"phases.yaml": "phases: [\n"}, "phases.yaml:2:1: not YAML"),
        ({"snippets/x-all-all.txt": ""}, "snippets/x-all-all.txt: unknown phase 'x'"),
        ({_SNIPPET: b"x" * 5_000_000}, f"{_SNIPPET}: 5,000,000 bytes, more than"),
        ({"scripting.py": "import os\n"}, "scripting.py: 0 classes"),
    ],
)
def test_a_broken_commit_is_refused_and_nothing_changes(
    sample: Sample, changes: dict[str, str | bytes], problem: str
) -> None:
    before = sample.site.deployments.latest()
    commit = sample.commit(changes)
    with pytest.raises(InvalidConfiguration, match=problem):
        _deploy(sample, commit)
    assert sample.site.deployments.latest() == before
    assert sample.site.archive.files(commit) is None
    follower = Follower(sample.site)
    follower.follow()
    assert _commit(follower) == sample.first


def test_what_can_not_be_deployed(sample: Sample) -> None:
    with pytest.raises(SiteError, match=f"commit {sample.first[:12]} is deployed already"):
        _deploy(sample, "main")
    with pytest.raises(UnreadableRepository, match="no commit 'nowhere'"):
        _deploy(sample, "nowhere")


def test_a_rollback_blocks_what_it_replaces_until_that_is_lifted(sample: Sample) -> None:
    commit = sample.commit({_SNIPPET: "config add X /y\n"})
    _deploy(sample, commit)
    back, _ = rollback(sample.site, "main~1", who="bob", now=_LATER, reason="phones ring")
    assert (back.commit, back.kind, back.replaced, back.reason) == (sample.first, "rollback", commit, "phones ring")
    with pytest.raises(SiteError, match=rf"commit {commit[:12]} is blocked since it was rolled back \(phones ring\)"):
        _deploy(sample, commit)
    unblock(sample.site, commit, who="ada", now=_LATER)
    _deploy(sample, commit)
    assert [each.kind for each in sample.site.deployments.latest()] == ["deploy", "rollback", "deploy", "deploy"]


def test_a_rollback_needs_a_reason_where_the_deployed_commit_asks_for_one(sample: Sample) -> None:
    demanding = sample.commit({"policies/deploy.yaml": "rollback_reason: required\n"})
    _deploy(sample, demanding)
    with pytest.raises(SiteError, match="a rollback needs a reason here"):
        rollback(sample.site, sample.first, who="bob", now=_LATER, reason="  ")
    assert sample.site.deployments.blocked() == {}
    rollback(sample.site, sample.first, who="bob", now=_LATER, reason=" silent phones ")
    assert sample.site.deployments.blocked() == {demanding: "silent phones"}
    rollback(sample.site, demanding, who="bob", now=_LATER)  # what was live asks for none


def test_a_rollback_may_go_back_to_what_was_blocked(sample: Sample) -> None:
    commit = sample.commit({_SNIPPET: "config add X /y\n"})
    _deploy(sample, commit)
    rollback(sample.site, sample.first, who="bob", now=_LATER)
    rollback(sample.site, commit, who="bob", now=_LATER)
    assert set(sample.site.deployments.blocked()) == {sample.first}


def test_what_can_not_be_rolled_back_to(sample: Sample) -> None:
    commit = sample.commit({_SNIPPET: "config add X /y\n"})
    with pytest.raises(SiteError, match=f"commit {commit[:12]} was never deployed"):
        rollback(sample.site, commit, who="bob", now=_LATER)
    with pytest.raises(SiteError, match=f"commit {sample.first[:12]} is the one that is deployed"):
        rollback(sample.site, sample.first, who="bob", now=_LATER)
    assert sample.site.deployments.blocked() == {}


# Following


def test_the_follower_takes_over_what_is_deployed(sample: Sample) -> None:
    follower = Follower(sample.site)
    assert (_commit(follower), follower.trouble) == (None, "nothing was loaded yet")
    follower.follow()
    first = follower.live
    follower.follow()
    assert follower.live is first
    commit = sample.commit({_SNIPPET: "config add X /y\n"})
    _deploy(sample, commit)
    follower.follow()
    assert follower.live is not None
    assert follower.live.deployment.commit == follower.live.snapshot.commit == commit
    assert follower.trouble is None
    assert Health(sample.site, follower, Sightings(sample.site.inventory), now()).report()["ready"]


def test_the_copy_is_served_while_the_repository_is_away(sample: Sample, tmp_path: Path) -> None:
    running = Follower(sample.site)
    running.follow()
    (sample.site.path / "config.git").rename(tmp_path / "elsewhere")
    started = Follower(sample.site)
    started.follow()
    assert started.trouble is not None
    assert "is no Git repository" in started.trouble
    for follower in (running, started):
        follower.follow()
        assert _commit(follower) == sample.first
        report = Health(sample.site, follower, Sightings(sample.site.inventory), now()).report()
        assert (report["ready"], report["commit"]) == (False, sample.first)
        assert "is no Git repository" in report["troubles"][0]
    (tmp_path / "elsewhere").rename(sample.site.path / "config.git")
    assert Health(sample.site, running, Sightings(sample.site.inventory), now()).report()["ready"]


def test_without_repository_and_copy_the_last_is_kept(sample: Sample, tmp_path: Path) -> None:
    follower = Follower(sample.site)
    follower.follow()
    commit = sample.commit({_SNIPPET: "config add X /y\n"})
    _deploy(sample, commit)
    (sample.site.path / "config.git").rename(tmp_path / "elsewhere")
    (sample.site.path / "deployed" / f"{commit}.zip").write_bytes(b"damaged")
    with pytest.raises(UnreadableRepository):
        follower.follow()
    assert _commit(follower) == sample.first


# Deploying by itself


@dataclass
class Clock:
    """A clock that stands still until it is put forward."""

    at: datetime = _LATER
    passed: float = 0.0

    def __call__(self) -> datetime:
        return self.at

    def steady(self) -> float:
        """Return seconds that nobody puts forward or back, unlike ``at``."""
        return self.passed

    def forward(self, seconds: float) -> None:
        self.passed += seconds
        self.at += timedelta(seconds=seconds)


def test_a_commit_is_deployed_by_itself_after_the_grace(sample: Sample) -> None:
    _deploy(sample, sample.commit(_AUTOMATIC))
    clock = Clock()
    keeper = Keeper(sample.site, clock, steady=clock.steady)
    commit = sample.commit({**_AUTOMATIC, _SNIPPET: "config add X /y\n"}, age=100_000)
    for seconds in (0, 89):
        clock.forward(seconds)
        keeper.tick()
        assert not sample.site.deployments.was_deployed(commit), "its own date must not shorten the grace"
    clock.forward(1)
    keeper.tick()
    live = sample.site.deployments.live()
    assert live is not None
    assert (live.commit, live.kind, live.who) == (commit, "automatic", "gitupd")
    keeper.tick()
    assert sample.site.deployments.live() == live


def test_what_a_commit_means_for_the_devices_is_in_the_audit_and_in_the_log(sample: Sample) -> None:
    _deploy(sample, sample.commit(_AUTOMATIC))
    phone = Device(Serial("0090333000af"), phase="elsewhere", first_seen=NOON, last_seen=NOON)
    sample.site.inventory.save_sightings([phone])
    commit, clock = sample.commit({**_AUTOMATIC, _SNIPPET: "config add X /z\n"}), Clock()
    with structlog.testing.capture_logs() as logged:
        _tick_twice(Keeper(sample.site, clock, steady=clock.steady), clock)
    assert sample.site.deployments.was_deployed(commit)
    message = "phases.yaml: no phase 'elsewhere' any more, in which 1 device is"
    (entry, *_) = sample.site.audit.entries(1)
    assert entry.detail.endswith(f"; although {message}")
    (warnings,) = [line["warnings"] for line in logged if line["event"] == "deployed by itself, with warnings"]
    assert any("no phase 'elsewhere' any more" in warning for warning in warnings)


def test_a_rollback_tells_what_it_means_for_the_devices(sample: Sample) -> None:
    _deploy(sample, sample.commit({_SNIPPET: "config add X /y\n"}))
    phones = [Device(Serial(f"0090333000a{n}"), phase="elsewhere", first_seen=NOON, last_seen=NOON) for n in range(3)]
    sample.site.inventory.save_sightings(phones)
    _, warnings = rollback(sample.site, "main~1", who="bob", now=_LATER)
    assert [each.message for each in warnings] == ["no phase 'elsewhere' any more, in which 3 devices are"]


def test_a_clock_that_is_put_forward_does_not_shorten_the_grace(sample: Sample) -> None:
    _deploy(sample, sample.commit(_AUTOMATIC))
    clock = Clock()
    keeper = Keeper(sample.site, clock, steady=clock.steady)
    commit = sample.commit({**_AUTOMATIC, _SNIPPET: "config add X /y\n"})
    keeper.tick()
    clock.at += timedelta(days=200)
    for seconds in (1, 88):
        clock.forward(seconds)
        keeper.tick()
        assert not sample.site.deployments.was_deployed(commit)
    clock.forward(90)
    keeper.tick()
    assert sample.site.deployments.was_deployed(commit)


def _tick_twice(keeper: Keeper, clock: Clock) -> None:
    """Let the keeper see what is new, and look again after the grace."""
    keeper.tick()
    clock.forward(90)
    keeper.tick()


def test_nothing_is_deployed_by_itself_where_that_is_done_by_hand(sample: Sample) -> None:
    commit = sample.commit({"policies/deploy.yaml": "mode: automatic\ngrace: 0s\n"}, age=100)
    Keeper(sample.site).tick()
    assert not sample.site.deployments.was_deployed(commit)


def test_what_was_taken_back_stays_back(sample: Sample) -> None:
    automatic = sample.commit(_AUTOMATIC)
    _deploy(sample, automatic)
    clock = Clock()
    keeper = Keeper(sample.site, clock, steady=clock.steady)
    commit = sample.commit({**_AUTOMATIC, _SNIPPET: "config add X /y\n"})
    _tick_twice(keeper, clock)
    rollback(sample.site, automatic, who="ada", now=_LATER)
    _tick_twice(keeper, clock)
    unblock(sample.site, commit, who="ada", now=_LATER)
    _tick_twice(keeper, clock)
    live = sample.site.deployments.live()
    assert live is not None
    assert live.commit == automatic


def test_a_broken_commit_is_not_deployed_by_itself_and_the_next_is(sample: Sample) -> None:
    _deploy(sample, sample.commit(_AUTOMATIC))
    clock = Clock()
    keeper = Keeper(sample.site, clock, steady=clock.steady)
    broken = sample.commit({**_AUTOMATIC, "phases.yaml": "phases: ["})
    _tick_twice(keeper, clock)
    keeper.tick()
    assert not sample.site.deployments.was_deployed(broken)
    mended = sample.commit({**_AUTOMATIC, _SNIPPET: "config add X /y\n"})
    _tick_twice(keeper, clock)
    assert sample.site.deployments.was_deployed(mended)


def test_of_two_deployments_at_once_one_is_told(sample: Sample) -> None:
    live = sample.site.deployments.live()
    assert live is not None
    first, second = sample.commit({_SNIPPET: "config add X /1\n"}), sample.commit({_SNIPPET: "config add X /2\n"})
    sample.site.deployments.add(first, Event(_LATER, "ada", Kind.DEPLOY, first), kind="deploy", after=live.id)
    with pytest.raises(SiteError, match="another deployment came in between"):
        sample.site.deployments.add(second, Event(_LATER, "bob", Kind.DEPLOY, second), kind="deploy", after=live.id)
    assert len(sample.site.deployments.latest()) == 2


def test_devices_that_are_gone_are_forgotten(sample: Sample) -> None:
    serials = [Serial("0" * 11 + str(number)) for number in (1, 2)]
    for serial, days in zip(serials, (91, 89), strict=True):
        seen = _LATER - timedelta(days=days)
        sample.site.inventory.save_sightings([Device(serial, first_seen=seen, last_seen=seen)])
    clock = Clock()
    keeper = Keeper(sample.site, clock, steady=clock.steady)
    keeper.tick()
    assert len(sample.site.inventory.devices()) == 2, "the clock has not been looked at for long"
    for _ in range(60):
        clock.forward(60)
        keeper.tick()
    assert [device.serial for device in sample.site.inventory.devices()] == serials[1:]


def test_when_the_clock_is_put_forward_nobody_is_forgotten_who_goes_on_calling(sample: Sample) -> None:
    clock = Clock()
    keeper = Keeper(sample.site, clock, steady=clock.steady)
    serial = Serial("0" * 12)
    sample.site.inventory.save_sightings([Device(serial, first_seen=_LATER, last_seen=_LATER)])
    for _ in range(62):
        clock.forward(60)
        keeper.tick()
    clock.at += timedelta(days=200)
    for minute in range(120):
        clock.forward(60)
        keeper.tick()
        if minute == 30:  # it calls once an hour
            sample.site.inventory.save_sightings([Device(serial, first_seen=_LATER, last_seen=clock.at)])
    assert [device.serial for device in sample.site.inventory.devices()] == [serial]


def test_when_the_clock_is_put_back_the_grace_is_no_longer_than_it_is(sample: Sample) -> None:
    _deploy(sample, sample.commit(_AUTOMATIC))
    clock = Clock()
    keeper = Keeper(sample.site, clock, steady=clock.steady)
    commit = sample.commit({**_AUTOMATIC, _SNIPPET: "config add X /y\n"})
    keeper.tick()
    clock.at -= timedelta(hours=2)
    keeper.tick()
    assert not sample.site.deployments.was_deployed(commit)
    clock.forward(90)
    keeper.tick()
    assert sample.site.deployments.was_deployed(commit)


def test_the_grace_goes_on_while_the_server_restarts(sample: Sample) -> None:
    _deploy(sample, sample.commit(_AUTOMATIC))
    clock = Clock()
    commit = sample.commit({**_AUTOMATIC, _SNIPPET: "config add X /y\n"})
    Keeper(sample.site, clock, steady=clock.steady).tick()
    clock.forward(89)
    Keeper(sample.site, clock, steady=clock.steady).tick()
    assert not sample.site.deployments.was_deployed(commit)
    found = waiting(sample.site, live_now(sample.site), Verdicts(sample.site))
    assert found is not None
    assert found.due == _LATER + timedelta(seconds=90)
    clock.forward(1)
    Keeper(sample.site, clock, steady=clock.steady).tick()
    assert sample.site.deployments.was_deployed(commit)


def test_a_branch_that_is_missing_is_no_end(sample: Sample) -> None:
    _deploy(sample, sample.commit({"policies/deploy.yaml": "mode: automatic\nbranch: elsewhere\ngrace: 0s\n"}))
    keeper = Keeper(sample.site)
    keeper.tick()
    git = ["git", "-C", str(sample.site.path / "config.git")]
    subprocess.run([*git, "branch", "elsewhere", "main"], check=True)
    commit = sample.site.config.commit_files({_SNIPPET: b"config add X /y\n"}, "x", "A <a@b>", branch="elsewhere")
    keeper.tick()
    assert sample.site.deployments.was_deployed(commit)


def _named(sample: Sample) -> set[str]:
    git = ["git", "-C", str(sample.site.path / "config.git"), "for-each-ref", "--format=%(refname)", "refs/gitupd"]
    listed = subprocess.run(git, check=True, capture_output=True, text=True).stdout.split()
    return {name.removeprefix("refs/gitupd/deployed/") for name in listed}


def test_git_keeps_what_was_deployed(sample: Sample) -> None:
    second = sample.commit({_SNIPPET: "config write\n"})
    assert _named(sample) == {sample.first}
    _deploy(sample, second)
    assert _named(sample) == {sample.first, second}
    shutil.rmtree(sample.site.path / "config.git" / "refs" / "gitupd")  # as versions before have left it
    keeper = Keeper(sample.site)
    keeper.tick()
    assert _named(sample) == {sample.first, second}
