"""What waits to be deployed, and for what."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments import deploying
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.verdicts import Verdicts, has_errors
from gitupd.service.deployments.waiting import Waiting, stall, waiting
from gitupd.service.health import Health
from gitupd.service.sightings import Sightings

if TYPE_CHECKING:
    from conftest import Sample

    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.live import Live


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
AUTOMATIC = {"policies/deploy.yaml": "mode: automatic\ngrace: 60s\n"}
_FAILING = "tests:\n  - {name: never, device: {type: IP222, phase: update}, contains: [config add NEVER]}\n"


def live(sample: Sample) -> Live | None:
    follower = Follower(sample.site)
    follower.follow()
    return follower.live


def what_waits(sample: Sample) -> Waiting | None:
    return waiting(sample.site, live(sample), Verdicts(sample.site))


def deployed(sample: Sample, commit: CommitId) -> None:
    deploying.deploy(sample.site, commit, who="ada", now=NOON)


def test_nothing_waits_while_the_head_is_deployed(sample: Sample) -> None:
    assert what_waits(sample) is None


def test_the_head_waits_for_somebody(sample: Sample) -> None:
    head = sample.commit({"snippets/update-gw-all.txt": "config write\n"})
    found = what_waits(sample)
    assert found
    assert (found.commit.id, found.branch, found.obstacle, found.due) == (head, "main", "by hand", None)
    assert [each.path for each in found.problems] == ["snippets/update-gw-all.txt"]


def test_the_head_deploys_by_itself_when_it_is_old_enough(sample: Sample) -> None:
    deployed(sample, sample.commit(AUTOMATIC))
    sample.commit({**AUTOMATIC, "snippets/update-gw-all.txt": "config add X /y 1\n"})
    found = what_waits(sample)
    moved = sample.site.config.moved_at("main")
    assert found
    assert moved
    assert (found.obstacle, found.grace, found.due) == ("grace", 60, moved + timedelta(seconds=60))


def test_what_keeps_the_head_from_being_deployed(sample: Sample) -> None:
    second = sample.commit(AUTOMATIC)
    deployed(sample, second)
    deploying.rollback(sample.site, sample.first, who="ada", now=NOON, reason="gateways lost calls")
    found = what_waits(sample)
    assert found
    assert (found.commit.id, found.obstacle, found.reason) == (second, "blocked", "gateways lost calls")
    deploying.unblock(sample.site, second, who="ada", now=NOON)
    assert (again := what_waits(sample))
    assert again.obstacle == "by hand"
    sample.commit({"policies/delivery.yaml": "intervall: 1\n"})
    assert (broken := what_waits(sample))
    assert broken.obstacle == "errors"
    assert has_errors(broken.problems)


def test_what_somebody_took_back_does_not_deploy_by_itself(sample: Sample) -> None:
    head = sample.commit(AUTOMATIC)
    deployed(sample, head)
    git = ["git", "-C", str(sample.site.path / "config.git")]
    subprocess.run([*git, "branch", "elsewhere", "main"], check=True)
    other = sample.site.config.commit_files(
        {path: content for path, content in sample.site.config.files(head).items() if "gw" not in path},
        "Elsewhere", "Ada <ada@example.org>", "elsewhere",
    )  # fmt: skip
    deployed(sample, other)
    found = what_waits(sample)
    assert found
    assert (found.commit.id, found.obstacle, found.due) == (head, "taken back", None)


def test_a_branch_that_is_not_there_is_an_error(sample: Sample) -> None:
    deployed(sample, sample.commit({"policies/deploy.yaml": "branch: production\nmode: manual\n"}))
    with pytest.raises(UnreadableRepository, match="production"):
        what_waits(sample)


def test_what_keeps_commits_from_being_deployed_is_told_wherever_somebody_looks(sample: Sample) -> None:
    policy = "mode: automatic\nbranch: {}\ngrace: 0s\n"

    def told() -> str | None:
        return stall(sample.site, live(sample), Verdicts(sample.site))

    assert told() is None
    deployed(sample, sample.commit({"policies/deploy.yaml": policy.format("mian")}))
    missing = told()
    assert missing is not None
    assert "no branch 'mian'" in missing
    follower = Follower(sample.site)
    follower.follow()
    health = Health(sample.site, follower, Sightings(sample.site), now())
    report = health.report()
    assert (missing in report["warnings"], health.stall()) == (True, missing)
    deployed(sample, sample.commit({"policies/deploy.yaml": policy.format("main")}))
    assert told() is None
    broken = sample.commit({"policies/deploy.yaml": policy.format("main"), "phases.yaml": "phases: ["})
    name = f"commit {broken[:12]} of branch main is not deployed by itself"
    assert told() == f"{name}: it has errors; see: gitupd validate --rev {broken[:12]} SITE"
    doubtful = sample.commit({"tests/more.yaml": _FAILING})
    assert told() == (
        f"commit {doubtful[:12]} of branch main is not deployed by itself: 1 render test of it fails: "
        "tests/more.yaml: never; somebody has to decide"
    )
