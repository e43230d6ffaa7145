"""Hooks as Git calls them: real commits and real pushes, by files and by two other ways to the same repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.pushing.installing import install_hooks, shim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANUAL = {"policies/deploy.yaml": b"mode: manual\n"}


def git(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(folder), "-c", "user.name=Tess", "-c", "user.email=tess@example.org", *arguments]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**plain, "GIT_CONFIG_GLOBAL": "/dev/null", **environment}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=environment)


def done(folder: Path, *arguments: str) -> str:
    """Run git, and return what it printed; it has to succeed."""
    ended = git(folder, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("template")
    site, _ = create_site(place / "site", who="tess", now=now())
    site.close()
    done(place, "clone", "-q", "site/config.git", "work")
    return place


@pytest.fixture
def place(template: Path, tmp_path: Path) -> Path:
    """A site and a clone of its repository."""
    for name in ("site", "work"):
        shutil.copytree(template / name, tmp_path / name)
    done(tmp_path / "work", "remote", "set-url", "origin", str(tmp_path / "site/config.git"))
    return tmp_path


@pytest.fixture
def work(place: Path) -> Iterator[Path]:
    return place / "work"


def committed(work: Path, path: str, content: str, *options: str) -> str:
    (work / path).parent.mkdir(exist_ok=True)
    (work / path).write_text(content)
    done(work, "add", "-A")
    done(work, "commit", "-q", "-m", path, *options)
    return done(work, "rev-parse", "HEAD")


def head(place: Path, branch: str = "main") -> str:
    return git(place / "site/config.git", "rev-parse", f"refs/heads/{branch}").stdout.strip()


def test_a_commit_is_judged_by_its_index(work: Path) -> None:
    install_hooks(work)
    before = done(work, "rev-parse", "HEAD")
    (work / "phases.yaml").write_text("phases: [\n")
    (work / "environments.yaml").write_text("environments: {}\n")
    done(work, "add", "-A")
    refused = git(work, "commit", "-m", "both")
    assert refused.returncode == 1
    assert "phases.yaml:2:1: not YAML" in refused.stderr
    assert "environments.yaml:1" in refused.stderr, "all that is wrong, and not the first of it"
    assert "nothing was committed" in refused.stderr
    assert done(work, "rev-parse", "HEAD") == before
    done(work, "reset", "-q", "--hard")
    # Only what is named is committed: Git makes another index for that.
    (work / "phases.yaml").write_text("phases: [\n")
    done(work, "add", "-A")
    (work / "snippets/update-all-all.txt").write_text("config add GOOD /one 1\n")
    done(work, "add", "-N", "snippets/update-all-all.txt")
    done(work, "commit", "-q", "-m", "one of them", "snippets/update-all-all.txt")
    assert git(work, "commit", "-m", "the other").returncode == 1
    assert git(work, "commit", "--no-verify", "-m", "the other").returncode == 0


def test_a_good_push_is_taken_and_its_future_told(place: Path, work: Path) -> None:
    commit = committed(work, "snippets/update-all-all.txt", "config add GOOD /one 1\n")
    pushed = git(work, "push")
    assert pushed.returncode == 0
    assert f"gitupd: main {commit[:12]} waits for somebody to deploy it: gitupd deploy {commit[:12]}" in pushed.stderr
    assert head(place) == commit


def test_a_bad_push_is_refused_with_all_that_is_wrong(place: Path, work: Path) -> None:
    before = head(place)
    (work / "phases.yaml").write_text("phases: [\n")
    (work / "snippets/link.txt").symlink_to("all-all-all.txt")
    commit = committed(work, "policies/delivery.yaml", "polling: 3\n")
    pushed = git(work, "push")
    assert pushed.returncode == 1
    assert f"main {commit[:12]} is refused: its configuration has errors" in pushed.stderr
    assert "snippets/link.txt: a symbolic link" in pushed.stderr
    assert head(place) == before
    assert git(place / "site/config.git", "cat-file", "-t", commit).returncode != 0, "nothing of it is left"
    (work / "snippets/link.txt").unlink()
    committed(work, "snippets/x.txt", "config add X /y z\n", "--amend")
    pushed = git(work, "push")
    for fault in ("phases.yaml:2:1: not YAML", "policies/delivery.yaml:1:1: unknown key 'polling'", "snippets/x.txt"):
        assert fault in pushed.stderr
    assert head(place) == before


def test_several_references_are_taken_or_refused_together(place: Path, work: Path) -> None:
    before = head(place)
    good = committed(work, "snippets/update-all-all.txt", "config add GOOD /one 1\n")
    done(work, "branch", "idea")
    done(work, "tag", "main")
    committed(work, "phases.yaml", "phases: [\n")
    pushed = git(work, "push", "origin", "refs/heads/main", "refs/heads/idea", "refs/tags/main")
    assert pushed.returncode == 1
    assert (head(place), head(place, "idea")) == (before, "refs/heads/idea")
    done(work, "update-ref", "refs/heads/half-done", "HEAD")
    done(work, "reset", "-q", "--hard", good)
    pushed = git(work, "push", "origin", "refs/heads/main", "refs/heads/half-done", "refs/tags/main")
    assert pushed.returncode == 0
    assert "half-done" in pushed.stderr
    assert "phases.yaml:2:1: not YAML" in pushed.stderr, "it is told, and taken: nothing is deployed from there"
    assert head(place) == good
    assert git(work, "push", "-q", "origin", ":half-done", ":refs/tags/main").returncode == 0


def test_the_update_hook_refuses_each_branch_alone(place: Path, work: Path) -> None:
    hooks = place / "site/config.git/hooks"
    (hooks / "pre-receive").unlink()
    (hooks / "update").write_text(shim("update"))
    (hooks / "update").chmod(0o755)
    before = head(place)
    committed(work, "snippets/update-all-all.txt", "config add GOOD /one 1\n")
    done(work, "branch", "idea")
    committed(work, "phases.yaml", "phases: [\n")
    assert git(work, "push", "origin", "main", "idea").returncode == 1
    assert head(place) == before
    assert head(place, "idea") == done(work, "rev-parse", "idea")


def test_the_branch_that_is_deployed_from_goes_back_for_a_reason_only(place: Path, work: Path) -> None:
    first = head(place)
    second = committed(work, "snippets/update-all-all.txt", "config add GOOD /one 1\n")
    done(work, "push", "-q")
    done(work, "reset", "-q", "--hard", first)
    refused = git(work, "push", "--force")
    assert refused.returncode == 1
    assert 'git push --force -o force-with-reason="WHY"' in refused.stderr
    assert git(work, "push", "origin", ":main").returncode == 1
    assert head(place) == second
    assert git(work, "push", "--force", "-o", "force-with-reason=a key was in it").returncode == 0
    assert head(place) == first


def test_merges_empty_commits_and_a_shallow_clone_are_taken(place: Path, work: Path) -> None:
    done(work, "checkout", "-q", "-b", "idea")
    committed(work, "snippets/update-all-all.txt", "config add GOOD /one 1\n")
    done(work, "checkout", "-q", "main")
    committed(work, "snippets/update-phone-all.txt", "config add GOOD /two 2\n")
    done(work, "merge", "-q", "--no-edit", "idea")
    done(work, "commit", "-q", "--allow-empty", "-m", "again")
    assert git(work, "push").returncode == 0
    done(place, "clone", "-q", "--depth", "1", f"file://{place}/site/config.git", "shallow")
    commit = committed(place / "shallow", "snippets/update-gw-all.txt", "config add GOOD /three 3\n")
    assert git(place / "shallow", "-c", "protocol.version=0", "push").returncode == 0
    assert head(place) == commit


def test_a_repository_elsewhere_is_looked_after_alike(tmp_path: Path) -> None:
    """As those of a Git server, which lend each other objects."""
    done(tmp_path, "init", "-q", "--bare", "-b", "trunk", "lender.git")
    work = tmp_path / "work"
    done(tmp_path, "clone", "-q", "lender.git", "work")
    for path, content in template_files().items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(content)
    done(work, "checkout", "-q", "-b", "trunk")
    committed(work, "README", "x")
    done(work, "push", "-q", "origin", "trunk")
    done(tmp_path, "clone", "-q", "--bare", "--shared", "lender.git", "fork.git")
    install_hooks(tmp_path / "fork.git")
    done(work, "remote", "add", "fork", str(tmp_path / "fork.git"))
    committed(work, "snippets/update-all-all.txt", "config add GOOD /one 1\n")
    pushed = git(work, "push", "fork", "trunk")
    assert pushed.returncode == 0
    assert "gitupd:" not in pushed.stderr, "it is no site's: nothing is deployed from there"
    committed(work, "phases.yaml", "phases: [\n")
    assert "phases.yaml:2:1: not YAML" in git(work, "push", "fork", "trunk").stderr
