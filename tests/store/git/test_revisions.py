"""What people call commits, and what others may call theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.errors import UnreadableRepository
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Git

_PATH = "snippets/all-all-all.txt"


@pytest.fixture
def repository(git: Git) -> Iterator[ConfigRepository]:
    with ConfigRepository(git.path) as opened:
        yield opened


def test_a_branch_wins_against_whatever_else_has_its_name(git: Git, repository: ConfigRepository) -> None:
    good = git.commit_files({_PATH: b"good\n"})
    evil = git("commit-tree", f"{good}^{{tree}}", "-m", "evil")
    for name in ("refs/tags/main", "refs/main", "refs/remotes/main", "refs/heads/refs/heads/main", "refs/tags/HEAD"):
        git("update-ref", name, evil)
    assert repository.head("main") == repository.resolve("main") == repository.resolve("HEAD") == good
    assert repository.resolve("refs/heads/main") == repository.resolve("heads/main") == good
    assert repository.resolve("refs/tags/main") == repository.resolve("tags/main") == evil


def test_only_a_branch_is_followed(git: Git, repository: ConfigRepository) -> None:
    commit = git.commit_files({_PATH: b"1\n"})
    git("tag", "release", commit)
    for name in ("release", "refs/heads/main", "heads/main", commit, commit[:12], "HEAD", "main~0", "none", "", "a\0b"):
        with pytest.raises(UnreadableRepository, match="no branch "):
            repository.head(name)
    git("pack-refs", "--all")
    assert repository.head("main") == commit


@pytest.mark.parametrize("digits", [7, 12, 39, 40])
@pytest.mark.parametrize("kind", ["heads", "tags"])
def test_an_id_wins_against_a_branch_or_tag_that_is_called_so(
    git: Git, repository: ConfigRepository, digits: int, kind: str
) -> None:
    good = git.commit_files({_PATH: b"good\n"})
    evil = git("commit-tree", f"{good}^{{tree}}", "-m", "evil")
    git("update-ref", f"refs/{kind}/{good[:digits]}", evil)
    for name in (good[:digits], good[:digits].upper()):
        assert repository.resolve(name) == good
        with pytest.raises(UnreadableRepository, match="so far back"):
            repository.resolve(f"{name}~1")


def test_a_name_of_digits_is_one_where_no_id_begins_so(git: Git, repository: ConfigRepository) -> None:
    commit = git.commit_files({_PATH: b"1\n"})
    name = "20261129" if not commit.startswith("20261129") else "20261130"
    git("branch", name, commit)
    git("branch", "dead", commit)
    assert repository.resolve(name) == repository.resolve("dead") == commit
    git("update-ref", f"refs/heads/{'0' * 40}", commit)
    with pytest.raises(UnreadableRepository):
        repository.resolve("0" * 40)  # whoever enters a whole id means no branch


@pytest.mark.slow
def test_the_beginning_of_several_ids_names_none_of_them(git: Git, repository: ConfigRepository) -> None:
    first = git.commit_files({_PATH: b"1\n"})
    ids = {first}
    for number in range(3000):
        ids.add(git.commit(git("rev-parse", f"{first}^{{tree}}"), message=str(number)))
        if twice := next((each[:4] for each in ids if sum(other[:4] == each[:4] for other in ids) > 1), None):
            break
    with pytest.raises(UnreadableRepository, match="is how the ids of 2 commits begin; give more of it"):
        repository.resolve(twice)


def test_files_and_folders_that_begin_alike_are_in_nobodys_way(git: Git, repository: ConfigRepository) -> None:
    commit = git.commit_files({_PATH: b"1\n"})
    content, number = b"", 0
    while not (blob := git.blob(content)).startswith(commit[:2]):
        number += 1
        content = str(number).encode()
    assert repository.resolve(commit[:4]) == commit or blob.startswith(commit[:4])
    for revision in (git("rev-parse", "main^{tree}"), git("rev-parse", f"main:{_PATH}")[:12]):
        with pytest.raises(UnreadableRepository):
            repository.resolve(revision)


def test_a_branch_that_moves_and_is_packed_is_seen_by_who_has_the_repository_open(
    git: Git, repository: ConfigRepository
) -> None:
    head = ""
    for number in range(3):
        head = git.commit_files({_PATH: str(number).encode()}, *([head] if head else []))
        assert repository.head("main") == head
        git("pack-refs", "--all")
        assert repository.head("main") == repository.resolve("main") == head


def test_what_is_not_there_is_named_with_what_is(git: Git, repository: ConfigRepository) -> None:
    for ask, what in ((repository.resolve, "no commit 'trunk'"), (repository.head, "no branch 'trunk'")):
        with pytest.raises(UnreadableRepository, match=f"^{what} in .*, which has no branch at all$"):
            ask("trunk")
    commit = git.commit_files({_PATH: b"1\n"})
    for name in "abcdef":
        git("branch", name, commit)
    with pytest.raises(
        UnreadableRepository, match=r"'trunk~1' in .*: there is no trunk; its branches are a, b, c, d, e, …$"
    ):
        repository.resolve("trunk~1")
    with pytest.raises(UnreadableRepository, match=r"there is no commit so far back$"):
        repository.resolve("main~9")
