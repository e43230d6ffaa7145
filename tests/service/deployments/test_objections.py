"""What speaks against a commit that has no errors, so that somebody has to mean it."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.objection import Doubtful
from gitupd.core.snapshot import CommitId
from gitupd.service.deployments.deploying import deploy, rollback, unblock
from gitupd.service.deployments.live import live_now
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.waiting import waiting
from gitupd.service.keeper import Keeper

if TYPE_CHECKING:
    from conftest import Sample

_LATER = datetime(2024, 5, 6, 13, tzinfo=UTC)
_SNIPPET = "snippets/all-all-all.txt"
_TEST = """\
tests:
  - name: phones are told
    device: {type: IP222, phase: update}
    contains: [config add NEVER /sent]
"""


def _doubtful(sample: Sample, kind: str) -> CommitId:
    """Return a commit at the head of main that nobody may mean, and that is right otherwise."""
    rest = {"policies/deploy.yaml": "mode: automatic\ngrace: 0s\n", _SNIPPET: "config add X /y\n"}
    deploy(sample.site, sample.commit({"policies/deploy.yaml": rest["policies/deploy.yaml"]}), who="ada", now=_LATER)
    if kind == "tests":
        return sample.commit({**rest, "tests/phones.yaml": _TEST})
    if kind in ("blocked", "picked"):
        good = sample.site.deployments.live()
        assert good is not None
        deploy(sample.site, sample.commit({**rest, _SNIPPET: "config add WRONG /y\n"}), who="ada", now=_LATER)
        rollback(sample.site, good.commit, who="ada", now=_LATER, reason="wrong in Berlin")
        still = {**rest, _SNIPPET: "config add WRONG /y\nconfig add X /y\n"}
        if kind == "blocked":
            return sample.commit(still)
        return _anew(sample, sample.site.config.head("main"), good.commit)
    return _anew(sample, sample.commit(rest))


def _anew(sample: Sample, commit: CommitId, *parents: CommitId) -> CommitId:
    """Let main have the files of *commit* in another one behind *parents*."""
    git = ["git", "-C", str(sample.site.path / "config.git"), "-c", "user.name=A", "-c", "user.email=a@b"]
    behind = [part for parent in parents for part in ("-p", parent)]
    making = [*git, "commit-tree", f"{commit}^{{tree}}", "-m", "x", *behind]
    made = subprocess.run(making, check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run([*git, "update-ref", "refs/heads/main", made], check=True)
    return CommitId(made)


_DOUBTS = {
    "blocked": (
        r"it builds on commit \w{12}, which is blocked since it was rolled back \(wrong in Berlin\), and does not "
        r"revert what that did to snippets/all-all-all\.txt"
    ),
    "picked": r"its files are those of commit \w{12}, which is blocked since it was rolled back \(wrong in Berlin\)",
    "unrelated": r"its history has nothing in common with that of the deployed commit \w{12}",
    "tests": "1 render test of it fails: tests/phones.yaml: phones are told",
}


@pytest.mark.parametrize("kind", _DOUBTS)
def test_what_nobody_may_mean_is_deployed_by_somebody_who_does(sample: Sample, kind: str) -> None:
    commit = _doubtful(sample, kind)
    keeper = Keeper(sample.site)
    for _ in range(3):
        keeper.tick()
    found = waiting(sample.site, live_now(sample.site), Verdicts(sample.site))
    assert found is not None
    assert found.obstacle == "doubtful"
    assert re.fullmatch(_DOUBTS[kind], found.objections[0].text)
    for reason, force in (("", False), ("because", False), ("", True)):
        with pytest.raises(Doubtful, match=f"{_DOUBTS[kind]}; .*: gitupd deploy {commit[:12]} --f"):
            deploy(sample.site, commit, who="ada", now=_LATER, reason=reason, force=force)
    assert not sample.site.deployments.was_deployed(commit)
    made, _ = deploy(sample.site, commit, who="ada", now=_LATER, reason="it reverts that", force=True)
    assert (made.commit, made.reason) == (commit, "it reverts that")
    detail = sample.site.audit.entries(1)[0].detail
    assert re.fullmatch(f"instead of \\w{{12}}: it reverts that; although {_DOUBTS[kind]}", detail)


def test_after_a_correction_was_meant_the_next_is_deployed_as_usual(sample: Sample) -> None:
    correction = _doubtful(sample, "blocked")
    deploy(sample.site, correction, who="ada", now=_LATER, reason="it reverts that", force=True)
    following = sample.commit({"policies/deploy.yaml": "mode: automatic\ngrace: 0s\n", _SNIPPET: "config add Z /y\n"})
    Keeper(sample.site).tick()
    assert sample.site.deployments.was_deployed(following)


def test_once_the_block_is_lifted_what_builds_on_it_is_deployed_by_itself(sample: Sample) -> None:
    commit = _doubtful(sample, "blocked")
    keeper = Keeper(sample.site)
    keeper.tick()
    assert not sample.site.deployments.was_deployed(commit)
    for blocked in sample.site.deployments.blocked():
        unblock(sample.site, blocked, who="ada", now=_LATER)
    keeper.tick()
    assert sample.site.deployments.was_deployed(commit)


def test_render_tests_speak_of_devices_that_call_as_they_have_to(sample: Sample) -> None:
    secure = sample.commit({"policies/transport.yaml": "https: required\n"})
    deployment, _ = deploy(sample.site, secure, who="ada", now=_LATER)
    assert deployment.commit == secure


def test_what_is_taken_back_by_deploying_a_branch_of_ones_own_is_told(sample: Sample) -> None:
    git = ["git", "-C", str(sample.site.path / "config.git")]
    subprocess.run([*git, "branch", "topic", "main"], check=True)
    others = sample.commit({_SNIPPET: "config add O /thers\n"})
    deploy(sample.site, others, who="bob", now=_LATER)
    files = {**sample.site.config.files(sample.first), "snippets/update-gw-all.txt": b"config add T /opic\n"}
    topic = sample.site.config.commit_files(files, "topic", "Ada <ada@example.org>", branch="topic")
    told = f"leaves out 1 commit that is deployed now, {others[:12]} "
    deployment, warnings = deploy(sample.site, topic, who="ada", now=_LATER)
    assert deployment.commit == topic
    (warning,) = [each for each in warnings if told in each.message]
    assert str(warning).startswith(f"commit {topic[:12]}: warning: {told}")
    assert told in sample.site.audit.entries(1)[0].detail
    rollback(sample.site, others, who="ada", now=_LATER)
    assert told not in sample.site.audit.entries(1)[0].detail


def test_a_commit_that_was_amended_leaves_nothing_out(sample: Sample) -> None:
    first = sample.commit({_SNIPPET: "config add O /nce\n"})
    deploy(sample.site, first, who="ada", now=_LATER)
    git = ["git", "-C", str(sample.site.path / "config.git"), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    amending = [*git, "commit-tree", f"{first}^{{tree}}", "-p", f"{first}~1", "-m", "better worded"]
    amended = CommitId(subprocess.run(amending, check=True, capture_output=True, text=True).stdout.strip())
    assert amended != first
    assert deploy(sample.site, amended, who="ada", now=_LATER)[1] == ()


def test_a_squashed_merge_is_as_usual(sample: Sample) -> None:
    git = ["git", "-C", str(sample.site.path / "config.git")]
    subprocess.run([*git, "branch", "topic", "main"], check=True)
    files = {**sample.site.config.files(sample.first), _SNIPPET: b"config add T /opic\n"}
    topic = sample.site.config.commit_files(files, "topic", "Ada <ada@example.org>", branch="topic")
    deploy(sample.site, topic, who="ada", now=_LATER)
    squashed = sample.commit({_SNIPPET: "config add T /opic\n"})
    deployment, _ = deploy(sample.site, squashed, who="ada", now=_LATER)
    assert deployment.commit == squashed
