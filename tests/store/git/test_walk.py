"""Histories beside what git says of them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from conftest import Git


@pytest.mark.parametrize("seed", range(6))
def test_what_lies_between_and_what_is_in_common_is_what_git_says_of_drawn_histories(git: Git, seed: int) -> None:
    draw = Random(seed)
    tree, commits = git("mktree"), list[str]()
    for number in range(25):
        parents = draw.sample(commits[-6:], min(len(commits[-6:]), draw.choice((0, 1, 1, 1, 1, 2, 2, 3))))
        # Clocks differ by minutes, and several commits are of one second.
        seconds = 1_700_000_000 + number // 2 * 60 + draw.choice((0, 0, 0, -100, 100))
        commits.append(git.commit(tree, *parents, message=str(number), date=f"{seconds} +0000"))
    with ConfigRepository(git.path) as repository:
        for _ in range(25):
            base, head = (CommitId(commit) for commit in draw.sample(commits, 2))
            ahead = git("rev-list", head, f"^{base}").split()
            assert {each.id for each in repository.between(base, head, 100)} == set(ahead)
            common = set(git("rev-list", head).split()) & set(git("rev-list", base).split())
            assert repository.are_related(head, base) == bool(common)
            assert len(repository.between(None, head, 3)) == min(3, len(git("rev-list", head).split()))


@pytest.mark.parametrize("apart", [0, 1, -60, -1_500], ids=lambda apart: f"{apart} seconds apart")
def test_many_commits_whose_times_tell_nothing_are_told_apart(git: Git, apart: int) -> None:
    """A script commits many times in a second; a clock that is set back makes each commit older than the one before."""
    tree, commits = git("mktree"), list[str]()
    for number in range(50):
        date = f"{1_700_000_000 + number * apart} +0000"
        commits.append(git.commit(tree, *commits[-1:], message=str(number), date=date))
    with ConfigRepository(git.path) as repository:
        for older, newer in ((0, 49), (3, 44), (20, 30), (48, 49)):
            base, head = CommitId(commits[older]), CommitId(commits[newer])
            assert repository.between(head, base, 1) == []
            assert {each.id for each in repository.between(base, head, 100)} == set(commits[older + 1 : newer + 1])


def test_where_a_shallow_clone_ends_is_the_beginning(git: Git) -> None:
    first = git.commit_files({"a": b"1"})
    second = git.commit_files({"a": b"2"}, first)
    (git.path / "shallow").write_text(f"{second}\n")
    git("prune", "--expire=now")
    with ConfigRepository(git.path) as repository:
        assert [each.id for each in repository.between(None, CommitId(second), 5)] == [second]
        assert repository.are_related(CommitId(second), CommitId(second))
