"""What becomes of commits of the followed branch, as the keeper writes it down."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.waiting import until

from gitupd.errors import SiteError
from gitupd.service.comparison.kept import planned_now
from gitupd.service.deployments.automatic import Automatic
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.live import Follower
from gitupd.service.keeper import Keeper

if TYPE_CHECKING:
    from conftest import Sample

    from gitupd.core.snapshot import CommitId

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
_AUTOMATIC = {"policies/deploy.yaml": "mode: automatic\ngrace: 60s\n"}
_SNIPPET = "snippets/all-all-all.txt"


def _clock(sample: Sample) -> tuple[list[datetime], Keeper]:
    deploy(sample.site, sample.commit(_AUTOMATIC), who="ada", now=_NOON)
    at = [_NOON]

    def clock() -> datetime:
        return at[0]

    return at, Keeper(sample.site, clock, steady=lambda: clock().timestamp())


def _told(sample: Sample, commit: CommitId) -> tuple[str, str, str]:
    record = sample.site.commits.of(commit)
    assert record is not None
    return record.state.value, record.reason, record.who


def test_every_commit_of_a_push_is_recorded_and_goes_with_the_head(sample: Sample) -> None:
    at, keeper = _clock(sample)
    first = sample.commit({**_AUTOMATIC, _SNIPPET: "config add A /a\n"})
    head = sample.commit({**_AUTOMATIC, _SNIPPET: "config add B /b\n"})
    keeper.tick()
    assert _told(sample, first) == ("seen", f"{head[:12]} is at the head of the branch", "")
    assert _told(sample, head) == ("seen", "it is deployed by itself in time", "")
    record = sample.site.commits.of(head)
    assert record is not None
    assert (record.checks, record.arrival.makers.author) == ("no error", "Ada <ada@example.org>")
    at[0] += timedelta(seconds=60)
    keeper.tick()
    assert _told(sample, head) == ("deployed", "by itself", "gitupd")
    assert _told(sample, first) == ("deployed", f"with {head[:12]}", "gitupd")
    keeper.tick()
    rollback(sample.site, sample.first, who="bob", now=at[0], reason="wrong")
    keeper.tick()
    for commit in (first, head):
        assert _told(sample, commit)[0] == "rolled back"
    sample.commit({**_AUTOMATIC, "policies/delivery.yaml": "intervall: 1\n"})


def test_what_is_wrong_is_written_down_with_its_reason(sample: Sample) -> None:
    _, keeper = _clock(sample)
    broken = sample.commit({**_AUTOMATIC, "phases.yaml": "phases: ["})
    keeper.tick()
    assert _told(sample, broken) == ("invalid", "it has 1 error, the first at phases.yaml:2:1", "")
    test = "tests:\n  - {name: never, device: {type: IP222, phase: update}, contains: [config add NEVER]}\n"
    failing = sample.commit({**_AUTOMATIC, "tests/more.yaml": test})
    keeper.tick()
    assert _told(sample, failing) == ("refused", "1 render test of it fails: tests/more.yaml: never", "")
    mended = sample.commit(_AUTOMATIC | {_SNIPPET: "config add C /c\n"})
    keeper.tick()
    assert [_told(sample, each)[0] for each in (broken, failing, mended)] == ["invalid", "refused", "seen"]


def test_the_grace_goes_on_while_the_keeper_restarts(sample: Sample) -> None:
    at, keeper = _clock(sample)
    head = sample.commit({**_AUTOMATIC, _SNIPPET: "config add A /a\n"})
    keeper.tick()
    at[0] += timedelta(seconds=30)
    another = Keeper(sample.site, lambda: at[0])
    another.tick()
    assert not sample.site.deployments.was_deployed(head)
    at[0] += timedelta(seconds=30)
    another.tick()
    assert sample.site.deployments.was_deployed(head)


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)])
def test_a_clock_that_is_put_forward_or_back_lets_the_grace_begin_anew(sample: Sample, jump: timedelta) -> None:
    deploy(sample.site, sample.commit(_AUTOMATIC), who="ada", now=_NOON)
    at, seconds = [_NOON], [0.0]
    keeper = Keeper(sample.site, lambda: at[0], steady=lambda: seconds[0])
    head = sample.commit({**_AUTOMATIC, _SNIPPET: "config add A /a\n"})
    keeper.tick()
    at[0] += jump
    keeper.tick()
    assert not sample.site.deployments.was_deployed(head)
    for step in (59, 1):
        assert not sample.site.deployments.was_deployed(head)
        at[0], seconds[0] = at[0] + timedelta(seconds=step), seconds[0] + step
        keeper.tick()
    assert sample.site.deployments.was_deployed(head)


def test_a_commit_that_seems_to_have_come_in_the_future_counts_from_now_on(sample: Sample) -> None:
    at, keeper = _clock(sample)
    at[0] += timedelta(days=1)
    head = sample.commit({**_AUTOMATIC, _SNIPPET: "config add A /a\n"})
    keeper.tick()
    at[0] -= timedelta(days=1)
    another = Keeper(sample.site, lambda: at[0])
    another.tick()
    at[0] += timedelta(seconds=60)
    another.tick()
    assert sample.site.deployments.was_deployed(head)


def test_a_commit_that_was_seen_before_is_at_the_head_again(sample: Sample) -> None:
    _, keeper = _clock(sample)
    first = sample.commit({**_AUTOMATIC, _SNIPPET: "config add A /a\n"})
    keeper.tick()
    second = sample.commit({**_AUTOMATIC, _SNIPPET: "config add B /b\n"})
    keeper.tick()
    git = ["git", "-C", str(sample.site.path / "config.git")]
    subprocess.run([*git, "update-ref", "refs/heads/main", first], check=True)
    keeper.tick()
    assert _told(sample, first)[1] == "it is deployed by itself in time"
    assert _told(sample, second)[1] == f"{first[:12]} is at the head of the branch"


def test_by_itself_nothing_waits_for_render_tests(sample: Sample) -> None:
    deploy(sample.site, sample.commit({"policies/deploy.yaml": "mode: automatic\ngrace: 0s\n"}), who="ada", now=_NOON)
    (sample.site.path / "arrived").write_text("what an earlier version kept")
    follower = Follower(sample.site)
    follower.follow()
    automatic = Automatic(sample.site, lambda: _NOON, follower)
    automatic.start()
    assert not (sample.site.path / "arrived").exists()
    head = sample.commit({"policies/deploy.yaml": "mode: automatic\ngrace: 0s\n", _SNIPPET: "config add A /a\n"})

    def deployed() -> bool:
        automatic.step()
        return sample.site.deployments.was_deployed(head)

    assert not deployed()
    assert _told(sample, head)[1] == "it is being looked at"
    until(deployed)


def test_by_hand_it_waits_for_somebody_and_is_recorded_all_the_same(sample: Sample) -> None:
    keeper = Keeper(sample.site, lambda: _NOON)
    head = sample.commit({_SNIPPET: "config add A /a\n"})
    keeper.tick()
    assert _told(sample, head) == ("waiting", "it waits for somebody to deploy it", "")
    deploy(sample.site, head, who="ada", now=_NOON, reason="new gatekeeper")
    assert _told(sample, head) == ("deployed", "new gatekeeper", "ada")


def test_the_numbers_of_a_plan_are_noted_once_it_is_made(sample: Sample) -> None:
    at, keeper = _clock(sample)
    live = sample.site.deployments.live()
    assert live is not None
    head = sample.commit({**_AUTOMATIC, _SNIPPET: "config add A /a\n"})
    keeper.tick()
    planned_now(sample.site, live.commit, head, lambda: at[0])
    keeper.tick()
    record = sample.site.commits.of(head)
    assert record is not None
    assert record.plan is not None
    assert (record.plan["devices"], record.plan["changed"]) == (0, 0)


def test_a_fault_of_the_program_is_told_and_tried_again(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    at, _ = _clock(sample)
    head = sample.commit({**_AUTOMATIC, _SNIPPET: "config add A /a\n"})
    follower = Follower(sample.site)
    follower.follow()
    automatic = Automatic(sample.site, lambda: at[0], follower)
    with monkeypatch.context() as broken:
        broken.setattr("gitupd.service.deployments.judging.objections", lambda *_: {}["x"])
        with pytest.raises(SiteError, match=f"{head[:12]} can't be judged: KeyError: 'x'"):
            automatic.step()
    automatic.step()
    at[0] += timedelta(seconds=60)
    automatic.step()
    assert sample.site.deployments.was_deployed(head)
