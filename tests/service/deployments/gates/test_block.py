"""What was rolled back stays so until a commit reverts it, or a person lifts the block."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.objection import Doubtful, Gate
from gitupd.service.deployments.deploying import deploy, rollback, unblock
from gitupd.service.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Sample

    from gitupd.core.snapshot import CommitId

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
_RULE = {"policies/deploy.yaml": "grace: 0s\nbrake: null\n"}
_A, _B = "snippets/all-all-all.txt", "snippets/update-gw-all.txt"
_GOOD = {**_RULE, _A: "config add A /good\n", _B: "config add B /good\n"}
_BAD = {**_GOOD, _A: "config add A /good\nconfig add A /bad\n"}


def _rolled_back(sample: Sample, *steps: Mapping[str, str]) -> tuple[CommitId, CommitId]:
    """Deploy a good commit, then the last of *steps*, and go back; return both."""
    good = sample.commit(_GOOD)
    deploy(sample.site, good, who="ada", now=_NOON)
    for step in steps:
        bad = sample.commit(step)
    deploy(sample.site, bad, who="ada", now=_NOON)
    rollback(sample.site, good, who="bob", now=_NOON, reason="silent phones")
    return good, bad


def _becomes(sample: Sample, changes: Mapping[str, str]) -> tuple[str, str]:
    """Return the state and the reason of a commit with these *changes*, after the keeper has looked."""
    commit = sample.commit(changes)
    Keeper(sample.site, lambda: _NOON).tick()
    record = sample.site.commits.of(commit)
    assert record is not None
    return record.state.value, record.reason


def test_what_is_built_on_it_is_blocked_with_the_way_on(sample: Sample) -> None:
    _, bad = _rolled_back(sample, _BAD)
    name = f"commit {bad[:12]}, which is blocked since it was rolled back (silent phones)"
    text = f"it builds on {name}, and does not revert what that did to {_A}"
    assert _becomes(sample, {**_BAD, _B: "config add B /better\n"}) == ("blocked", text)
    with pytest.raises(Doubtful, match=f"revert it on the branch: git revert {bad[:12]}, or lift the block: ") as held:
        deploy(sample.site, "main", who="ada", now=_NOON)
    assert [each.gate for each in held.value.objections] == [Gate.BLOCK]


@pytest.mark.parametrize(
    "changes",
    [
        _GOOD,
        {**_GOOD, _B: "config add B /better\n"},
        {**_GOOD, _A: "config add A /good\nconfig add A /mended\n"},
        {**_GOOD, _A: "config add A /new\nconfig add A /good\n"},
    ],
)
def test_what_reverts_it_is_deployed_by_itself(sample: Sample, changes: Mapping[str, str]) -> None:
    _rolled_back(sample, _BAD)
    assert _becomes(sample, changes)[0] == "deployed"


def test_what_reverts_half_of_it_is_blocked(sample: Sample) -> None:
    _rolled_back(sample, {**_BAD, _B: "config add B /worse\n"})
    assert _becomes(sample, {**_GOOD, _B: "config add B /worse\n"})[1].endswith(f"revert what that did to {_B}")


def test_of_several_commits_all_have_to_be_reverted(sample: Sample) -> None:
    good, bad = _rolled_back(sample, {**_GOOD, _B: "config add B /worse\n"}, {**_BAD, _B: "config add B /worse\n"})
    assert _becomes(sample, {**_BAD, _B: "config add B /good\n"})[0] == "blocked"
    with pytest.raises(Doubtful, match=f"git revert {good[:12]}\\.\\.{bad[:12]}"):
        deploy(sample.site, "main", who="ada", now=_NOON)


def test_under_another_name_it_is_blocked_all_the_same(sample: Sample) -> None:
    _, bad = _rolled_back(sample, {**_GOOD, "snippets/update-phone-all.txt": "config add A /bad\n"})
    git = ["git", "-C", str(sample.site.path / "config.git")]
    assert subprocess.run([*git, "rev-parse", "main"], check=True, capture_output=True, text=True).stdout.strip() == bad
    state, reason = _becomes(sample, {**_GOOD, "snippets/update-ip222-all.txt": "# moved\nconfig add A /bad\n"})
    assert (state, reason[-29:]) == ("blocked", "snippets/update-phone-all.txt")


def test_what_reverts_the_revert_is_blocked_and_what_was_deployed_since_stays(sample: Sample) -> None:
    _rolled_back(sample, _BAD)
    assert _becomes(sample, _GOOD)[0] == "deployed"
    assert _becomes(sample, {**_GOOD, _B: "config add B /better\n"})[0] == "deployed"
    state, reason = _becomes(sample, {**_BAD, _B: "config add B /better\n"})
    assert (state, reason.startswith("it does again what was rolled back with commit")) == ("blocked", True)
    assert sample.site.deployments.live() is not None


def test_a_person_lifts_the_block(sample: Sample) -> None:
    _, bad = _rolled_back(sample, _BAD)
    head = {**_BAD, _B: "config add B /better\n"}
    assert _becomes(sample, head)[0] == "blocked"
    unblock(sample.site, bad, who="ada", now=_NOON)
    Keeper(sample.site, lambda: _NOON).tick()
    live = sample.site.deployments.live()
    assert live is not None
    assert live.commit == sample.site.config.head("main")


def test_a_commit_on_one_that_was_skipped_is_blocked_too(sample: Sample) -> None:
    good = sample.commit(_GOOD)
    deploy(sample.site, good, who="ada", now=_NOON)
    between = sample.commit(_BAD)
    deploy(sample.site, between, who="ada", now=_NOON)
    deploy(sample.site, sample.commit({**_BAD, _B: "config add B /worse\n"}), who="ada", now=_NOON)
    rollback(sample.site, good, who="bob", now=_NOON)
    git = ["git", "-C", str(sample.site.path / "config.git")]
    subprocess.run([*git, "update-ref", "refs/heads/main", between], check=True)
    assert _becomes(sample, {**_BAD, _B: "config add B /other\n"})[0] == "blocked"
