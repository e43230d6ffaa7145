"""Commits and tags of whatever tools have made them, or nobody means well with."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.commit import CommitInfo
from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Git


@pytest.fixture
def repository(git: Git) -> Iterator[ConfigRepository]:
    with ConfigRepository(git.path) as opened:
        yield opened


def raw_commit(git: Git, rest: bytes) -> CommitId:
    """Return a commit of the empty tree with the lines *rest*, on the branch main."""
    raw = f"tree {git('mktree')}\n".encode() + rest
    commit = git("hash-object", "-w", "--stdin", "-t", "commit", "--literally", stdin=raw)
    git("update-ref", "refs/heads/main", commit)
    return CommitId(commit)


@pytest.mark.parametrize(
    ("author", "committer", "who", "at"),
    [
        (b"Ada <a@b> 1700000000 +0100", b"Ada <a@b> 1700000000 +0100", "Ada <a@b>", 1_700_000_000),
        (b"Ada 1700000000 +0100", b"Ada 1700000000 +0100", "Ada", 1_700_000_000),
        (b"Ada <a@b>", b"Ada <a@b>", "Ada <a@b>", 0),
        (b"Ada", b"", "Ada", 0),
        (b"", b"", "(no author)", 0),
        (None, b"Ben <b@b> 1700000000 +0100", "Ben <b@b>", 1_700_000_000),
        (b"Ada <a@b> 1700000000 +0100", None, "Ada <a@b>", 0),
        (None, None, "(no author)", 0),
        (b"A <a> 1 +0", b"A <a> " + b"9" * 18 + b" +0000", "A <a>", 0),
        (b"A <a> 1 +0", b"A <a> " + b"9" * 5000 + b" +0000", "A <a>", 0),
        (b"A <a> 1 +0", b"A <a> -5 +9999", "A <a>", 0),
        (b"A <a> 1 +0", b"A <a> 253402300799 +0000", "A <a>", 0),
        (b"A <a> 1 +0", b"A <a> soon", "A <a>", 0),
        (b"A<b>c> <x 1 zz", b"A <a> 1700000000", "A<b>c> <x 1 zz", 1_700_000_000),
        (b"\xff\xfe <a@b> 1 +0000", b"x <x> 1 +0000", "\ufffd\ufffd <a@b>", 1),
    ],
)
def test_whatever_is_said_of_who_and_when_a_commit_can_be_shown(
    git: Git, *, author: bytes | None, committer: bytes | None, who: str, at: int
) -> None:
    lines = [b"author " + author + b"\n"] if author is not None else []
    lines += [b"committer " + committer + b"\n"] if committer is not None else []
    commit = raw_commit(git, b"".join(lines) + b"\nSubject\n\nwhy\n")
    expected = CommitInfo(commit, who, datetime.fromtimestamp(at, UTC), "Subject")
    for _packed in (False, True):
        with ConfigRepository(git.path) as repository:
            info = repository.describe(commit)
            assert replace(info, committer="") == expected
            assert repository.between(None, commit, 5) == [info]
            assert repository.text(commit).message == "Subject\n\nwhy"
            assert repository.last_changes(commit, ["a"]) == {"a": info}
            assert repository.files(commit) == {}
        git("repack", "-adq")
    assert info.at.astimezone().year >= 1969  # in whatever zone


def test_a_message_is_in_the_encoding_that_it_names(git: Git, repository: ConfigRepository) -> None:
    head = b"author \xc4da <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding "
    for encoding, subject in (
        (b"ISO-8859-1", "Größe"),
        (b"none such", "Gr\ufffd\ufffde"),
        (b"rot13", "Gr\ufffd\ufffde"),
    ):
        assert repository.describe(raw_commit(git, head + encoding + b"\n\nGr\xf6\xdfe\n")).subject == subject


def test_a_commit_without_a_tree_is_damaged(git: Git, repository: ConfigRepository) -> None:
    commit = git("hash-object", "-w", "--stdin", "-t", "commit", "--literally", stdin=b"author A <a@b> 1 +0000\n\nx\n")
    with pytest.raises(UnreadableRepository, match="names no tree"):
        repository.describe(CommitId(commit))


@pytest.mark.slow
def test_commits_and_tags_of_hundreds_of_megabytes_are_not_read(git: Git, repository: ConfigRepository) -> None:
    good = git.commit_files({"snippets/all-all-all.txt": b"1\n"})
    head = f"parent {good}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\n".encode()
    large = raw_commit(git, head + b"a" * (64 * 2**20))
    tag = f"object {good}\ntype commit\ntag t\ntagger A <a@b> 1 +0000\n\n".encode() + b"a" * (64 * 2**20)
    git("update-ref", "refs/tags/t", git("hash-object", "-w", "--stdin", "-t", "tag", stdin=tag))
    child = CommitId(git.commit_files({"snippets/all-all-all.txt": b"2\n"}, large))
    git("repack", "-adq")
    tracemalloc.start()
    for ask in (
        lambda: repository.describe(large),
        lambda: repository.text(large),
        lambda: repository.files(large),
        lambda: repository.between(None, large, 5),
        lambda: repository.between(CommitId(good), child, 5),
        lambda: repository.are_related(child, CommitId(good)),
        lambda: repository.last_changes(child, ["snippets/all-all-all.txt"]),
        lambda: repository.changes(large, child, 5),
        lambda: repository.resolve("main~1"),
        lambda: repository.resolve("main~2"),
        lambda: repository.resolve(large[:12]),
        lambda: repository.resolve("t"),
    ):
        with pytest.raises(UnreadableRepository):
            ask()
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_tags_of_tags_end(git: Git, repository: ConfigRepository) -> None:
    commit = target = git.commit_files({"snippets/all-all-all.txt": b"1\n"})
    for number in range(12):
        git("tag", "-a", "-m", "x", f"t{number}", target)
        target = git("rev-parse", f"refs/tags/t{number}")
    assert repository.resolve("t3") == commit
    with pytest.raises(UnreadableRepository):
        repository.resolve("t11")
