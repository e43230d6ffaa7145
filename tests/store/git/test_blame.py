"""Where lines are from, beside what git says."""

from __future__ import annotations

import subprocess
from random import Random
from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Git

_PATH = "snippets/all-all-all.txt"


def told_by_git(git: Git, commit: str) -> list[str]:
    return [line.split(" ", 1)[0] for line in git("blame", "-s", "--root", "-l", commit, "--", _PATH).splitlines()]


def origins(git: Git, commit: str) -> list[str]:
    with ConfigRepository(git.path) as repository:
        return [line.commit.id for line in repository.blame(CommitId(commit), _PATH)]


def test_blame_names_the_commit_of_each_line_as_git_does(git: Git) -> None:
    versions = [b"a\nb\nc\n", b"a\nB\nc\n", b"new\na\nB\nc\nend\n", b"a\nB\nc\nb\nend"]
    commits: list[str] = []
    for number, content in enumerate(versions):
        commits.append(git.commit_files({_PATH: content}, *commits[-1:], date=f"170000{number}000 +0000"))
    for commit in commits:
        assert origins(git, commit) == told_by_git(git, commit)


@pytest.mark.parametrize("seed", range(5))
def test_blame_is_right_after_merges(git: Git, seed: int) -> None:
    draw = Random(seed)
    lines = [f"line {number}" for number in range(12)]
    heads = [(git.commit_files({_PATH: "".join(f"{line}\n" for line in lines).encode()}), lines)]
    for number in range(20):
        commit, lines = draw.choice(heads[-4:])
        parents, changed = [commit], list(lines)
        if number % 3 == 2:
            other, theirs = draw.choice(heads[-4:])
            parents += [other] if other != commit else []
            changed = [draw.choice(pair) for pair in zip(lines, theirs, strict=False)]
        changed[draw.randrange(len(changed))] = f"change {number}"
        content = "".join(f"{line}\n" for line in changed).encode()
        heads.append((git.commit_files({_PATH: content}, *parents, date=f"{1_700_000_000 + number} +0000"), changed))
    for commit, _ in heads:
        assert origins(git, commit) == told_by_git(git, commit)


def test_settings_of_the_account_decide_nothing(git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = git.commit_files({_PATH: b"a\n"})
    second = git.commit_files({_PATH: b"b\n"}, first)
    (tmp_path / "ignored").write_text(f"{second}\n")
    (tmp_path / "account").write_text(f"[blame]\n\tignoreRevsFile = {tmp_path / 'ignored'}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "account"))
    git("replace", second, first)
    assert origins(git, second) == [second]


def test_lines_of_a_work_tree_and_of_a_shallow_clone_have_origins(git: Git, tmp_path: Path) -> None:
    first = git.commit_files({_PATH: b"a\nb\n"})
    second = git.commit_files({_PATH: b"a\nB\n"}, first)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{git.path}", clone], check=True)
    with ConfigRepository(clone) as repository:
        assert [line.commit.id for line in repository.blame(CommitId(second), _PATH)] == [second, second]
