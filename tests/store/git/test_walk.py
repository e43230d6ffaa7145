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


def test_where_a_shallow_clone_ends_is_the_beginning(git: Git) -> None:
    first = git.commit_files({"a": b"1"})
    second = git.commit_files({"a": b"2"}, first)
    (git.path / "shallow").write_text(f"{second}\n")
    git("prune", "--expire=now")
    with ConfigRepository(git.path) as repository:
        assert [each.id for each in repository.between(None, CommitId(second), 5)] == [second]
        assert repository.are_related(CommitId(second), CommitId(second))
