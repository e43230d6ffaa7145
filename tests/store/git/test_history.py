from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.commit import FileChange, FileSide
from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.store.git.history import Bounds
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Commit = Callable[..., CommitId]

ADA = "Ada <ada@example.org>"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[ConfigRepository]:
    with ConfigRepository.create(tmp_path / "config.git") as created:
        yield created


def commit(repository: ConfigRepository, files: Mapping[str, str], message: str = "Change") -> CommitId:
    return repository.commit_files({path: text.encode() for path, text in files.items()}, message, ADA)


def git(repository: ConfigRepository, *arguments: str) -> str:
    person = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER")
              for what, text in (("NAME", "Ben"), ("EMAIL", "ben@example.org"))}  # fmt: skip
    environment = {**person, "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["git", "-C", str(repository.path), *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_what_a_commit_changes(repository: ConfigRepository) -> None:
    first = commit(repository, {"a": "1", "same": "=", "d/x": "old", "d/y": "="})
    second = commit(repository, {"b": "2", "same": "=", "d/x": "new", "d/y": "="})
    assert repository.changes(first, second, 10) == [
        FileChange("a", FileSide(1, b"1"), None),
        FileChange("b", None, FileSide(1, b"2")),
        FileChange("d/x", FileSide(3, b"old"), FileSide(3, b"new")),
    ]
    assert [each.path for each in repository.changes(None, first, 10)] == ["a", "d/x", "d/y", "same"]
    assert repository.changes(first, first, 10) == []
    assert len(repository.changes(None, first, 2)) == 2


def test_a_file_that_becomes_a_folder_is_both_removed_and_added(repository: ConfigRepository) -> None:
    first, second = commit(repository, {"a": "1"}), commit(repository, {"a/b": "1"})
    assert repository.changes(first, second, 10) == [
        FileChange("a", FileSide(1, b"1"), None),
        FileChange("a/b", None, FileSide(1, b"1")),
    ]


def test_large_files_are_measured_but_not_read(repository: ConfigRepository) -> None:
    head = commit(repository, {"a": "x" * 11, "b": "x" * 10, "c": "x" * 10})
    found = repository.changes(None, head, 10, Bounds(each=10, total=15))
    assert [each.after for each in found] == [FileSide(11, None), FileSide(10, b"x" * 10), FileSide(10, None)]


def test_who_changed_a_file_last(repository: ConfigRepository) -> None:
    first = commit(repository, {"a": "1", "b": "1"}, "First")
    second = commit(repository, {"a": "1", "b": "2"}, "Second")
    third = commit(repository, {"a": "1", "b": "2", "c": "3"}, "Third")
    changed = repository.last_changes(third, ["a", "b", "c"])
    assert {path: info.id for path, info in changed.items()} == {"a": first, "b": second, "c": third}
    assert repository.last_changes(third, ["a", "c"], most=2).keys() == {"c"}


def test_a_merge_did_not_change_what_a_parent_has_already(repository: ConfigRepository) -> None:
    first = commit(repository, {"a": "1", "b": "1"})
    ours = commit(repository, {"a": "1", "b": "ours"})
    tree = git(repository, "rev-parse", f"{ours}^{{tree}}")
    theirs = git(repository, "commit-tree", tree, "-p", first, "-m", "The same elsewhere")
    merge = CommitId(git(repository, "commit-tree", tree, "-p", theirs, "-p", ours, "-m", "Merge"))
    changed = repository.last_changes(merge, ["a", "b"])
    assert changed["a"].id == first
    assert changed["b"].id == theirs


def test_the_commits_between_two(repository: ConfigRepository) -> None:
    first, second, third = (commit(repository, {"a": text}) for text in "123")
    assert {each.id for each in repository.between(first, third, 10)} == {second, third}
    assert repository.between(third, first, 10) == []
    assert len(repository.between(None, third, 10)) == 3
    assert len(repository.between(None, third, 2)) == 2


def test_all_that_a_commit_says(repository: ConfigRepository) -> None:
    first = commit(repository, {"a": "1"}, "Subject\n\nAnd why.\n")
    second = commit(repository, {"a": "2"})
    assert repository.text(first).message == "Subject\n\nAnd why."
    assert repository.text(first).parents == ()
    assert repository.text(second).parents == (first,)


def test_sizes_are_those_of_files_only(repository: ConfigRepository) -> None:
    head = commit(repository, {"a": "123", "d/x": "1"})
    assert [repository.size(head, path) for path in ("a", "d/x")] == [3, 1]
    for path in ("d", "d/", "/a", "../a", "d/../a", "", ".", "a/b", "A", "a\0", "d//x"):
        assert repository.size(head, path) is None, path


def test_branches_and_when_they_moved(repository: ConfigRepository) -> None:
    head = commit(repository, {"a": "1"})
    git(repository, "branch", "feature/one", head)
    assert repository.branches() == {"feature/one": head, "main": head}
    assert repository.branches(most=1) == {"feature/one": head}
    assert repository.moved_at("main") is not None
    assert repository.moved_at("feature/one") is not None
    for name in ("none", "../../config", "/etc/passwd", "a\0b", "feature"):
        assert repository.moved_at(name) is None, name


def test_a_commit_that_is_not_there(repository: ConfigRepository) -> None:
    head, missing = commit(repository, {"a": "1"}), CommitId("1" * 40)
    for ask in (
        lambda: repository.text(missing),
        lambda: repository.size(missing, "a"),
        lambda: repository.between(head, missing, 5),
        lambda: repository.changes(missing, head, 5),
        lambda: repository.last_changes(missing, ["a"]),
    ):
        with pytest.raises(UnreadableRepository):
            ask()
