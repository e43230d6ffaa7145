"""The configuration repository, beside the real git."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.errors import InvalidConfiguration, UnreadableRepository
from gitupd.store.ages import Ages
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Git

_PATH = "snippets/all-all-all.txt"


@pytest.fixture
def repository(git: Git) -> Iterator[ConfigRepository]:
    with ConfigRepository(git.path) as opened:
        yield opened


def test_revisions_are_what_git_takes_them_for(git: Git, repository: ConfigRepository) -> None:
    first = git.commit_files({_PATH: b"1\n"})
    side = git.commit_files({_PATH: b"2\n"}, first, message="side")
    other = git.commit_files({_PATH: b"3\n"}, first, message="other")
    merge = git.commit_files({_PATH: b"4\n"}, other, side)
    git("tag", "light", side)
    git("tag", "-a", "-m", "x", "heavy", side)
    git("branch", "größe", other)
    git("branch", "feature/x", side)
    for revision in (
        *("main", "HEAD", "refs/heads/main", "heads/main", "light", "heavy", "refs/tags/heavy", "größe", "feature/x"),
        *("HEAD~1", "HEAD~", "HEAD^", "HEAD^2", "HEAD^2~1", "main~2", "HEAD~0", "HEAD^0", "heavy~1", "größe~"),
        *(merge, merge[:7], side[:12], f"{merge[:9]}^2"),
    ):
        assert repository.resolve(revision) == git("rev-parse", f"{revision}^{{commit}}"), revision


@pytest.mark.parametrize(
    "revision",
    [
        *("", "nowhere", "HEAD~9", "HEAD^3", "~", "0" * 40, "../HEAD", "main\n", "\0", "HEAD:phases.yaml", "a..b"),
        *("HEAD~" + "9" * 5000, "x" * 5000, "-x", "HEAD^{tree}", "\udcff"),
    ],
)
def test_revisions_that_name_nothing(git: Git, repository: ConfigRepository, revision: str) -> None:
    git.commit_files({_PATH: b"1\n"})
    with pytest.raises(UnreadableRepository, match=r"^no commit "):
        repository.resolve(revision)


def test_what_is_no_commit_is_none(git: Git, repository: ConfigRepository) -> None:
    git.commit_files({_PATH: b"1\n"})
    for revision in (git("rev-parse", "main^{tree}"), git("rev-parse", f"main:{_PATH}")):
        with pytest.raises(UnreadableRepository):
            repository.resolve(revision)
        with pytest.raises(UnreadableRepository):
            repository.files(CommitId(revision))


def test_files_and_descriptions(git: Git, repository: ConfigRepository) -> None:
    files = {_PATH: b"\xff\r\n", "README.md": b"x", "phases.yaml": b"", "policies/delivery.yaml": b"# x\n"}
    commit = repository.resolve(git.commit_files(files, message="Übersicht\n\nmore"))
    assert repository.files(commit) == {path: content for path, content in files.items() if path != "README.md"}
    assert repository.file(commit, _PATH) == b"\xff\r\n"
    assert repository.file(commit, "snippets/nowhere.txt") is None
    assert repository.file(commit, "nowhere/x") is None
    said = repository.describe(commit)
    assert (said.id, said.author, said.subject) == (commit, "Ada <ada@example.org>", "Übersicht")
    assert said.at.isoformat() == "2023-11-14T22:13:20+00:00"


def test_committing_goes_on_from_what_is_there(git: Git, repository: ConfigRepository) -> None:
    files = {_PATH: b"1\n", "phases.yaml": b"phases: {a: {order: 1}}\n"}
    first = repository.commit_files(files, "First", "Bob <bob@example.org>")
    foreign = git.commit_files({**files, "README.md": b"x"}, first)
    second = repository.commit_files({_PATH: b"2\n"}, "Second\n\nwhy", "Böb <bob@example.org>")
    history = [line.split() for line in git("log", "--format=%H %P", "main").splitlines()]
    assert history == [[second, foreign], [foreign, first], [first]]
    assert git("log", "-1", "--format=%an %ae|%s|%b", "main") == "Böb bob@example.org|Second|why"
    assert git("ls-tree", "-r", "--name-only", "main") == _PATH
    assert repository.files(second) == {_PATH: b"2\n"}
    git("fsck", "--strict")


def test_a_new_branch_and_a_new_repository(git: Git) -> None:
    with ConfigRepository.create(git.path.parent / "new.git", "trunk") as created:
        with pytest.raises(UnreadableRepository):
            created.resolve("HEAD")
        commit = created.commit_files({_PATH: b"1\n"}, "x", "A <a@b>", branch="trunk")
        assert created.resolve("HEAD") == commit
        other = created.commit_files({_PATH: b"1\n"}, "x", "A <a@b>", branch="other")
        assert git("-C", str(created.path), "rev-list", "--count", other) == "1"


def test_a_work_tree_is_as_good(git: Git) -> None:
    commit = git.commit_files({_PATH: b"1\n"})
    place = git.path.parent / "work"
    git("clone", "-q", str(git.path), str(place))
    git("-C", str(place), "worktree", "add", "-q", str(git.path.parent / "second"))
    for path in (place, place / "snippets", git.path.parent / "second"):
        with ConfigRepository(path) as opened:
            assert opened.files(opened.resolve("HEAD")) == {_PATH: b"1\n"}
            assert opened.resolve("HEAD") == commit


def test_only_locks_that_nobody_holds_are_swept(git: Git, repository: ConfigRepository) -> None:
    git.commit_files({_PATH: b"1\n"})
    seconds = 0.0
    ages = Ages(lambda: seconds)
    for name in ("HEAD.lock", "refs/heads/main.lock", "refs/heads/x/y.lock", "packed-refs.lock"):
        (git.path / name).parent.mkdir(exist_ok=True)
        (git.path / name).write_bytes(b"")
        os.utime(git.path / name, (1, 1))  # as if the clock had been put forward since
    (git.path / "objects" / "kept.lock").write_bytes(b"")
    assert repository.sweep_locks(ages) == []
    seconds += 61
    (git.path / "config.lock").write_bytes(b"")
    assert sorted(repository.sweep_locks(ages)) == ["HEAD.lock", "main.lock", "packed-refs.lock", "y.lock"]
    assert (git.path / "config.lock").exists()
    assert repository.sweep_locks(ages) == []
    git("update-ref", "refs/heads/main", git("rev-parse", "main"))


def test_pushes_are_bounded_looked_at_and_leave_our_references_alone(tmp_path: Path, git: Git) -> None:
    with ConfigRepository.create(tmp_path / "new.git") as repository:
        kept = repository.commit_files({_PATH: b"1\n"}, "x", "Ada <ada@example.org>")
        repository.keep([kept])
    new, work = type(git)(tmp_path / "new.git"), git
    assert new("config", "receive.maxInputSize") == "256m"
    git("fetch", "-q", str(new.path), "main")
    tree = git.tree(*(("100644", git.blob(content), b"a") for content in (b"1", b"2")))
    twice = git("commit-tree", tree, "-p", kept, "-m", "x")
    for pushed in (f"{twice}:refs/heads/main", f":refs/gitupd/deployed/{kept}", f"{kept}:refs/gitupd/deployed/x"):
        with pytest.raises(AssertionError):
            work("push", "-q", str(new.path), pushed)
    assert new("for-each-ref", "--format=%(refname)").split() == [f"refs/gitupd/deployed/{kept}", "refs/heads/main"]


def test_commits_that_are_kept_outlive_their_branch(git: Git, repository: ConfigRepository) -> None:
    first = git.commit_files({_PATH: b"1\n"})
    side = CommitId(git.commit_files({_PATH: b"2\n"}, first))
    gone = CommitId("1" * 40)
    repository.keep([side, gone, side])
    git("update-ref", "refs/heads/main", first)
    git("pack-refs", "--all")
    repository.keep([side, gone])
    git("gc", "-q", "--prune=now")
    assert repository.resolve(side[:12]) == side
    assert git("for-each-ref", "--format=%(objectname)", "refs/gitupd/deployed") == side


def test_what_git_and_a_work_tree_would_show_otherwise_is_refused(git: Git, repository: ConfigRepository) -> None:
    good, evil = git.blob(b"good\n"), git.blob(b"evil\n")
    name = _PATH.rpartition("/")[2].encode()
    inner = git.tree(("100644", good, name), ("100644", evil, name))
    sane = git.tree(("100644", good, name))
    for tree, fault in (
        (git.tree(("40000", inner, b"snippets")), "a name that is there twice"),
        (git.tree(("40000", sane, b"snippets"), ("40000", inner, b"snippets")), "a name that is there twice"),
        (git.tree(("100644", good, b"snippets"), ("40000", sane, b"snippets")), "a name that is there twice"),
        (git.tree(("40000", sane, b"snippets"), ("100644", evil, _PATH.encode())), "a name that is there twice"),
        (git.tree(("100644", evil, _PATH.encode())), "not a regular file"),
    ):
        commit = CommitId(git.commit(tree))
        with pytest.raises(InvalidConfiguration, match=fault):
            repository.files(commit)
    commit = CommitId(git.commit(git.tree(("40000", inner, b"snippets"))))
    assert repository.file(commit, _PATH) == git("show", f"{commit}:{_PATH}").encode() + b"\n"
