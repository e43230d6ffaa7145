from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from gitupd.store.glances.repository import branches_and_tags, file_at_head, latest_commits

if TYPE_CHECKING:
    from pathlib import Path


def git(where: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Tess", "-c", "user.email=tess@example.org", *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    for number in range(3):
        (tmp_path / "phases.yaml").write_text(f"# {number}\n")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", f"Change {number}\n\nIn detail")
    git(tmp_path, "tag", "v1", "HEAD~1")
    git(tmp_path, "branch", "office/berlin", "HEAD~2")
    return tmp_path


def test_branches_and_tags_have_their_subjects(repository: Path) -> None:
    assert list(branches_and_tags(repository / ".git")) == [
        ("main", "branch: Change 2"),
        ("office/berlin", "branch: Change 0"),
        ("v1", "tag: Change 1"),
    ]


def test_commits_come_with_the_latest_first(repository: Path) -> None:
    heads = [git(repository, "rev-parse", f"HEAD~{number}")[:12] for number in range(3)]
    found = dict(latest_commits(repository / ".git"))
    assert found == dict(zip(heads, ("Change 2", "Change 1", "Change 0"), strict=True))


def test_a_file_is_read_at_head(repository: Path) -> None:
    (repository / "phases.yaml").write_text("not committed")
    assert file_at_head(repository / ".git", "phases.yaml") == b"# 2\n"
    assert file_at_head(repository / ".git", "no such") == b""


def test_a_further_work_tree_is_followed_to_its_repository(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    further = tmp_path_factory.mktemp("further") / "tree"
    git(repository, "worktree", "add", "-q", str(further), "office/berlin")
    assert "main" in dict(branches_and_tags(further / ".git"))


def test_no_program_that_a_repository_names_is_run(repository: Path) -> None:
    """Git would fetch a commit that is missing from where the repository says, by the program that it names."""
    settings = {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://nowhere/at-all",
        "protocol.allow": "always",
        "protocol.ssh.allow": "always",
        "core.sshCommand": f"touch {repository}/executed; false",
        "log.showSignature": "true",
        "gpg.program": f"touch {repository}/executed; false",
        "core.fsmonitor": f"touch {repository}/executed; false",
    }
    for name, value in settings.items():
        git(repository, "config", name, value)
    (repository / ".git/refs/heads/gone").write_text(f"{'1' * 40}\n")
    list(branches_and_tags(repository / ".git"))
    list(latest_commits(repository / ".git"))
    file_at_head(repository / ".git", "phases.yaml")
    assert not (repository / "executed").exists()


def test_where_there_is_none_nothing_is_found(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    for place in (tmp_path, tmp_path / "no such", tmp_path / "empty.git"):
        assert list(branches_and_tags(place)) == []
        assert list(latest_commits(place)) == []
    assert [path.name for path in tmp_path.iterdir()] == ["empty.git"]
