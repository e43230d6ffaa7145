"""The index is read as a commit would take it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import GitupdError, InvalidConfiguration
from gitupd.store.git.staged import staged_files

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str, given: str = "") -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=Tess", "-c", "user.email=tess@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=given).stdout


@pytest.fixture
def work(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "snippets").mkdir()
    (tmp_path / "phases.yaml").write_bytes(b"phases: {update: {}}\n")
    (tmp_path / "snippets/all-all-all.txt").write_bytes(b"one\r\n\x00two\n\n")
    (tmp_path / "README").write_text("not read\n")
    git(tmp_path, "add", "-A")
    return tmp_path


def test_what_is_staged_counts_and_not_what_lies_there(work: Path) -> None:
    (work / "phases.yaml").write_text("changed since\n")
    (work / "snippets/new-all-all.txt").write_text("not added\n")
    git(work, "rm", "-q", "--cached", "README")
    assert staged_files(work) == {
        "phases.yaml": b"phases: {update: {}}\n",
        "snippets/all-all-all.txt": b"one\r\n\x00two\n\n",
    }


def test_it_is_the_index_of_the_repository_wherever_one_stands(work: Path) -> None:
    assert staged_files(work / "snippets") == staged_files(work)


def test_alike_and_empty_files_with_odd_names_are_told_apart(work: Path) -> None:
    for name in ("update-all-a b.txt", "update-all-münchen.txt", 'update-all-"x".txt'):
        (work / "snippets" / name).write_text("alike\n")
    (work / "snippets/update-all-nothing.txt").write_text("")
    git(work, "add", "-A")
    files = staged_files(work)
    assert {path for path, content in files.items() if content == b"alike\n"} == {
        "snippets/update-all-a b.txt",
        "snippets/update-all-münchen.txt",
        'snippets/update-all-"x".txt',
    }
    assert files["snippets/update-all-nothing.txt"] == b""


def test_a_link_and_a_submodule_are_refused_as_in_a_commit(work: Path) -> None:
    (work / "snippets/link.txt").symlink_to("all-all-all.txt")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "x")
    head = git(work, "rev-parse", "HEAD").strip()
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{head},snippets/other")
    with pytest.raises(InvalidConfiguration) as refused:
        staged_files(work)
    assert {(problem.path, problem.message) for problem in refused.value.problems} == {
        ("snippets/link.txt", "a symbolic link"),
        ("snippets/other", "a submodule"),
    }


def test_a_large_file_is_refused_before_it_is_read(work: Path) -> None:
    (work / "snippets/large-all-all.txt").write_bytes(b"x" * 5 * 2**20)
    git(work, "add", "-A")
    with pytest.raises(InvalidConfiguration, match="more than 4,194,304"):
        staged_files(work)


def test_a_file_that_is_not_merged_is_looked_at_once(work: Path) -> None:
    git(work, "commit", "-q", "-m", "base")
    git(work, "checkout", "-q", "-b", "other")
    (work / "phases.yaml").write_text("theirs\n")
    git(work, "commit", "-qam", "theirs")
    git(work, "checkout", "-q", "main")
    (work / "phases.yaml").write_text("ours\n")
    git(work, "commit", "-qam", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(work, "merge", "-q", "other")
    assert "phases.yaml" in staged_files(work)


def test_where_there_is_no_repository_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitupdError, match="not a git repository"):
        staged_files(tmp_path)
