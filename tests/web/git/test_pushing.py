"""The configuration pushed by HTTP with the real git: who may, what is refused, and where one reads who it was."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.serving import Server, serving
from support.visitors import PASSWORD, add_key, add_person
from support.waiting import until

from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

CONFIG = "/git/config.git"


@dataclass(frozen=True)
class Place:
    """A site that is served, and somebody of each role with a token."""

    site: Site
    server: Server
    keys: dict[str, str]

    def url(self, role: str, secret: str | None = None) -> str:
        return f"http://{role}-1:{secret or self.keys[role]}@127.0.0.1:{self.server.port}{CONFIG}"

    def head(self, branch: str = "main") -> str:
        return self.site.config.head(branch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    site, _ = create_site(tmp_path_factory.mktemp("push") / "site", who="test", now=now())
    for role in Role:
        add_person(site, f"{role}-1", role)
    keys = {role.value: add_key(site, f"{role}-1") for role in Role}
    with serving(site.path, workers=1) as server:
        server.ready()
        yield Place(site, server, keys)
    site.close()


@pytest.fixture
def work(place: Place, tmp_path: Path) -> Path:
    """A clone, made from the files of the site."""
    git(tmp_path, "clone", "-q", str(place.site.path / "config.git"), "work")
    return tmp_path / "work"


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", "-C", str(folder), "-c", "user.name=Tess", "-c", "user.email=tess@example.org", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)


def committed(work: Path, path: str, content: str | bytes) -> str:
    (work / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert git(work, "add", "-A").returncode == 0
    assert git(work, "commit", "-q", "--allow-empty", "-m", path).returncode == 0
    return git(work, "rev-parse", "HEAD").stdout.strip()


def pushed(work: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return git(work, "push", *arguments, url, "HEAD:refs/heads/main")


@pytest.mark.parametrize("protocol", ["0", "2"])
def test_an_operator_pushes_by_token_or_password(place: Place, work: Path, protocol: str) -> None:
    secret = None if protocol == "0" else PASSWORD.replace(" ", "%20")
    commit = committed(work, "snippets/update-all-all.txt", f"config add GOOD /one {protocol}\n")
    done = git(work, "-c", f"protocol.version={protocol}", "push", place.url("operator", secret), "HEAD:main")
    assert done.returncode == 0, done.stderr
    assert place.head() == commit
    assert f"gitupd: main {commit[:12]} waits for somebody to deploy it" in done.stderr
    entry = place.site.audit.entries(1, kind=Kind.PUSH)[0]
    assert (entry.who, entry.address, entry.subject) == ("operator-1", "127.0.0.1", commit)


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_only_looks_pushes_nothing(place: Place, work: Path, role: str) -> None:
    before = place.head()
    committed(work, "snippets/update-all-all.txt", "config add GOOD /one 2\n")
    assert f"this needs the role operator; yours is {role}" in pushed(work, place.url(role)).stderr
    assert pushed(work, place.url("operator", "wrong")).returncode != 0
    assert place.head() == before


def test_a_bad_push_is_refused_as_by_any_other_way(place: Place, work: Path) -> None:
    before = place.head()
    committed(work, "phases.yaml", "phases: [\n")
    done = pushed(work, place.url("administrator"))
    assert done.returncode == 1
    assert "remote:   phases.yaml:2:1: not YAML" in done.stderr
    assert place.head() == before
    hooks = place.site.path / "config.git/hooks"
    hooks.rename(hooks.with_name("aside"))  # as in a site from before there were any
    try:
        assert "remote:   phases.yaml:2:1: not YAML" in pushed(work, place.url("administrator")).stderr
    finally:
        hooks.with_name("aside").rename(hooks)
    assert place.head() == before


def test_only_an_administrator_has_commits_go_and_says_why(place: Place, work: Path) -> None:
    before = place.head()
    commit = committed(work, "snippets/update-all-all.txt", "config add GOOD /one 3\n")
    assert pushed(work, place.url("operator")).returncode == 0
    git(work, "reset", "-q", "--hard", before)
    why = ("--force", "-o", "force-with-reason=a key was in it")
    refused = pushed(work, place.url("operator"), *why)
    assert "only an administrator may have them go" in refused.stderr
    assert 'force-with-reason="WHY"' in pushed(work, place.url("administrator"), "--force").stderr
    assert place.head() == commit
    assert pushed(work, place.url("administrator"), *why).returncode == 0
    assert place.head() == before
    assert place.site.audit.entries(1, kind=Kind.PUSH)[0].detail.endswith(": a key was in it")


def test_a_large_push_comes_in_pieces(place: Place, work: Path) -> None:
    """Git sends what is larger than a MiB in chunks, without a length."""
    for number in range(5):
        (work / f"notes-{number}.bin").write_bytes(os.urandom(2 * 2**20))
    commit = committed(work, "README.txt", "with notes\n")
    done = pushed(work, place.url("operator"))
    assert done.returncode == 0, done.stderr
    assert place.head() == commit


def test_other_branches_tags_and_what_goes_are_taken(place: Place, work: Path) -> None:
    committed(work, "phases.yaml", "phases: [\n")
    git(work, "tag", "v1")
    url = place.url("operator")
    assert git(work, "push", url, "HEAD:refs/heads/idea", "v1").returncode == 0
    assert set(place.site.config.branches()) == {"main", "idea"}
    assert git(work, "push", url, ":refs/heads/idea", ":refs/tags/v1").returncode == 0
    assert "can't be deleted" in git(work, "push", url, ":refs/heads/main").stderr
    assert set(place.site.config.branches()) == {"main"}
    assert "refs/gitupd" not in git(work, "ls-remote", url).stdout
    assert git(work, "push", url, "HEAD:refs/gitupd/deployed/x").returncode == 1


def test_two_pushes_at_once_are_both_taken(place: Place, work: Path, tmp_path: Path) -> None:
    shutil.copytree(work, tmp_path / "other")
    committed(work, "notes.txt", "one\n")
    committed(tmp_path / "other", "notes.txt", "two\n")
    with ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(git, folder, "push", place.url("operator"), f"HEAD:refs/heads/{folder.name}")
            for folder in (work, tmp_path / "other")
        ]
    assert [job.result().returncode for job in jobs] == [0, 0]
    assert {"work", "other"} <= set(place.site.config.branches())
    git(work, "push", place.url("operator"), ":work", ":other")


def test_a_commit_that_is_deployed_by_itself_says_who_has_pushed_it(place: Place, work: Path) -> None:
    committed(work, "policies/deploy.yaml", "mode: automatic\ngrace: 0s\n")
    assert pushed(work, place.url("operator")).returncode == 0
    deploy(place.site, "main", who="test", now=now())
    commit = committed(work, "snippets/update-all-all.txt", "config add GOOD /one 4\n")
    assert pushed(work, place.url("administrator")).returncode == 0
    until(lambda: place.site.deployments.live() is not None and place.site.deployments.latest(1)[0].commit == commit)
    (deployment,) = place.site.deployments.latest(1)
    assert (deployment.who, deployment.reason) == ("gitupd", "pushed by administrator-1")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"that is no push", {}, 400),
        (b"0000", {"Content-Encoding": "gzip"}, 415),
    ],
)
def test_what_is_no_push_is_refused_before_git(place: Place, body: bytes, headers: dict[str, str], status: int) -> None:
    token = base64.b64encode(f"x:{place.keys['operator']}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", place.server.port, timeout=60)
    kind = {"Content-Type": "application/x-git-receive-pack-request", "Authorization": f"Basic {token}"}
    connection.request("POST", f"{CONFIG}/git-receive-pack", body, {**kind, **headers})
    response = connection.getresponse()
    assert response.status == status
    response.read()
    connection.close()
