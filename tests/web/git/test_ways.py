"""What is pushed by each way: by HTTP and by files to a site, and to a repository elsewhere with our hooks."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.serving import Server, serving
from support.visitors import add_key, add_person

from gitupd.cli.acting import actor
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.pushing.installing import install_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

WAYS = ("http", "files", "elsewhere")
SNIPPET = "snippets/update-all-all.txt"

KINDS = {
    "not-yaml": ("phases.yaml", b"phases: [\n", "phases.yaml:2:1: not YAML"),
    "unknown-key": ("policies/delivery.yaml", b"polling: 3\n", "policies/delivery.yaml:1:1: unknown key 'polling'"),
    "no-such-class": ("snippets/update-nosuch-all.txt", b"config add A /b c\n", "snippets/update-nosuch-all.txt"),
    "failing-test": (
        "tests/more.yaml",
        b"tests: [{name: x, device: {type: IP222, phase: update}, contains: [config add NEVER]}]\n",
        "1 render test of it fails: tests/more.yaml: x",
    ),
    "too-large": ("notes/film.bin", bytes(5 * 2**20), "notes/film.bin: 5,242,880 bytes, more than 4,194,304"),
    "not-utf8": (b"notes/\xff.txt", b"x\n", "notes/\\xff.txt: a name with unprintable characters"),
    "twins": ("snippets/UPDATE-phone-default.txt", b"config add A /b c\n", "snippets/UPDATE-phone-default.txt"),
    "latin-1": ("phases.yaml", "phases: {grün: {order: 1}}\n".encode("latin-1"), "phases.yaml"),
}
"""Files with something wrong each, and what is said of it."""


pytestmark = pytest.mark.slow  # pushes by the hundred


@dataclass(frozen=True)
class Place:
    """Three repositories of the same configuration, and how each is reached."""

    site: Site
    server: Server
    folder: Path
    urls: dict[str, str]

    def repository(self, way: str) -> Path:
        return self.folder / "elsewhere.git" if way == "elsewhere" else self.site.path / "config.git"


@dataclass(frozen=True)
class Work:
    """A clone to work in, and the repository that is pushed to."""

    folder: Path
    way: str
    url: str
    repository: Path
    site: Site

    def git(self, *arguments: str | bytes, given: bytes = b"", **more: str) -> subprocess.CompletedProcess[str]:
        return git(self.folder, *arguments, given=given, **more)

    def done(self, *arguments: str | bytes, given: bytes = b"") -> str:
        ended = self.git(*arguments, given=given)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def commit(self, path: str | bytes = SNIPPET, content: bytes = b"config add GOOD /one 1\n") -> str:
        file = self.folder / os.fsdecode(path)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        self.done("add", "-A")
        self.done("commit", "-q", "--allow-empty", "-m", os.fsdecode(path).encode("utf-8", "replace"))
        return self.done("rev-parse", "HEAD")

    def push(self, *arguments: str | bytes) -> subprocess.CompletedProcess[str]:
        return self.git("push", *(arguments or ("origin", "HEAD:refs/heads/main")))

    def refs(self) -> dict[str, str]:
        """Return what is there by name, without what is ours."""
        listed = git(self.repository, "for-each-ref", "--format=%(refname) %(objectname)").stdout.splitlines()
        rows = (line.split(" ") for line in listed)
        return {name: commit for name, commit in rows if not name.startswith("refs/gitupd/")}

    def head(self, branch: str = "main") -> str | None:
        return self.refs().get(f"refs/heads/{branch}")


def git(folder: Path, *arguments: str | bytes, given: bytes = b"", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
    command = ["git", "-C", folder, "-c", "user.name=Tess", "-c", "user.email=tess@example.org", *arguments]
    ended = subprocess.run(
        command, capture_output=True, check=False, timeout=300, env={**environment, **more}, input=given
    )
    said = (os.fsdecode(ended.stdout), os.fsdecode(ended.stderr))
    return subprocess.CompletedProcess(command, ended.returncode, *said)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("ways")
    site, _ = create_site(folder / "site", who="test", now=now())
    add_person(site, "olga", Role.OPERATOR)
    key = add_key(site, "olga")
    git(folder, "clone", "-q", "--bare", str(site.path / "config.git"), "elsewhere.git")
    install_hooks(folder / "elsewhere.git")
    with serving(site.path, workers=1) as server:
        server.ready()
        urls = {
            "http": f"http://x:{key}@127.0.0.1:{server.port}/git/config.git",
            "files": f"file://{site.path}/config.git",
            "elsewhere": f"file://{folder}/elsewhere.git",
        }
        yield Place(site, server, folder, urls)
    site.close()


@pytest.fixture(params=WAYS)
def work(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Work]:
    way = request.param
    repository, url = place.repository(way), place.urls[way]
    before = git(repository, "rev-parse", "main").stdout.strip()
    git(tmp_path, "clone", "-q", url, "work")
    work = Work(tmp_path / "work", way, url, repository, place.site)
    yield work
    changes = [f"delete {name}\n" for name in work.refs() if name != "refs/heads/main"]
    git(
        repository,
        "update-ref",
        "--stdin",
        given=os.fsencode("".join([*changes, f"update refs/heads/main {before}\n"])),
    )


@pytest.mark.parametrize("protocol", ["0", "1", "2"])
def test_each_protocol_clones_fetches_and_pushes(work: Work, tmp_path: Path, protocol: str) -> None:
    speak = ("-c", f"protocol.version={protocol}")
    commit = work.commit()
    assert work.git(*speak, "push", "-q", "origin", "HEAD:main").returncode == 0
    assert work.head() == commit
    assert git(tmp_path, *speak, "clone", "-q", work.url, "again").returncode == 0
    assert git(tmp_path / "again", "rev-parse", "HEAD").stdout.strip() == commit


def test_each_kind_of_problem_is_told_and_refuses_the_branch_that_is_deployed_from(work: Work) -> None:
    """All of them in one push, to branches of their own, where they are only told; then one after the other."""
    before = work.done("rev-parse", "HEAD")
    commits = {}
    for name, (path, content, _) in KINDS.items():
        work.done("checkout", "-q", "--detach", before)
        commits[name] = work.commit(path, content)
    told = work.push("origin", *(f"{commit}:refs/heads/{name}" for name, commit in commits.items()))
    assert told.returncode == 0, told.stderr
    for name, (_, _, said) in KINDS.items():
        assert f"gitupd: {name} {commits[name][:12]} is taken; there is something to be said of it" in told.stderr
        assert said in told.stderr
    for name, (_, _, said) in KINDS.items():
        refused = work.push("origin", f"{commits[name]}:refs/heads/main")
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert work.head() == before


def test_what_goes_is_told_and_what_is_deployed_from_stays(work: Work) -> None:
    first = work.done("rev-parse", "HEAD")
    second = work.commit()
    assert work.push().returncode == 0
    assert work.push("origin", "HEAD:refs/heads/idea", "HEAD:refs/tags/v1").returncode == 0
    assert work.push("origin", ":refs/heads/idea", ":refs/tags/v1").returncode == 0
    assert "can't be deleted" in work.push("origin", ":main").stderr
    work.done("reset", "-q", "--hard", first)
    refused = work.push("--force", "origin", "HEAD:main")
    assert "commits that are in it are not in what is pushed" in refused.stderr
    assert work.refs() == {"refs/heads/main": second}
    given = work.push("--force", "-o", "force-with-reason=a key was in it", "origin", "HEAD:main")
    if work.way == "http":
        assert "only an administrator may have them go" in given.stderr
    else:
        assert (given.returncode, work.head()) == (0, first)
    work.done("checkout", "-q", "--orphan", "another")
    work.commit()
    assert "are not in what is pushed" in work.push("--force", "origin", "HEAD:main").stderr


def test_a_tag_and_a_branch_of_one_name_are_told_apart(work: Work) -> None:
    before = work.done("rev-parse", "HEAD")
    bad = work.commit("phases.yaml", b"phases: [\n")
    assert work.push("origin", f"{bad}:refs/tags/main").returncode == 0
    assert work.push("origin", f"{bad}:refs/heads/main").returncode == 1
    assert work.head() == before
    work.done("reset", "-q", "--hard", before)
    good = work.commit()
    assert (
        work.push("origin", f"{good}:refs/heads/main", f"{good}:refs/tags/idea", f"{bad}:refs/heads/idea").returncode
        == 0
    )
    assert (work.head(), work.refs()["refs/tags/idea"], work.head("idea")) == (good, good, bad)


def test_two_pushes_within_a_second_merges_and_empty_commits_are_taken(work: Work) -> None:
    """And each of them is in the audit, with whoever has pushed it."""
    pushed = [work.commit(SNIPPET, b"config add GOOD /one 1\n")]
    assert work.push().returncode == 0
    work.done("checkout", "-q", "-b", "left", "HEAD~1")
    work.commit("snippets/update-gw-default.txt", b"config add GOOD /two 2\n")
    work.done("checkout", "-q", "-b", "right", "HEAD~1")
    work.commit("snippets/update-phone-intranet.txt", b"config add GOOD /three 3\n")
    work.done("checkout", "-q", "main")
    work.done("merge", "-q", "--no-edit", "left", "right")  # an octopus
    pushed.append(work.done("rev-parse", "HEAD"))
    assert work.push().returncode == 0
    work.done("commit", "-q", "--allow-empty", "-m", "nothing")
    pushed.append(work.done("rev-parse", "HEAD"))
    assert work.push().returncode == 0
    assert work.head() == pushed[-1]
    assert work.push().returncode == 0, "there is nothing to be pushed"
    if work.way != "elsewhere":
        noted = work.site.audit.entries(3, kind=Kind.PUSH)
        assert [entry.subject for entry in noted] == pushed[::-1]
        assert {entry.who for entry in noted} == {"olga" if work.way == "http" else actor().name}


def test_a_submodule_is_told_to_be_none_of_ours(work: Work) -> None:
    commit = work.done("rev-parse", "HEAD")
    work.done("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/other")
    work.done("commit", "-q", "-m", "a submodule")
    refused = work.push()
    assert refused.returncode == 1
    assert "vendor/other: a submodule; put the files themselves here" in refused.stderr
    assert work.head() == commit


def test_shallow_and_partial_clones_push(work: Work, tmp_path: Path) -> None:
    for name, option in (("shallow", "--depth=1"), ("partial", "--filter=blob:none")):
        cloned = git(tmp_path, "clone", "-q", option, work.url, name)
        assert cloned.returncode == 0
        assert work.way == "elsewhere" or not cloned.stderr, "a filter that is ignored would be told"
        clone = Work(tmp_path / name, work.way, work.url, work.repository, work.site)
        commit = clone.commit(SNIPPET, f"config add GOOD /clone {name}\n".encode())
        pushed = clone.push()
        assert (pushed.returncode, work.head()) == (0, commit), pushed.stderr


def test_several_references_at_once_are_taken_or_refused_together(work: Work) -> None:
    before = work.refs()
    good = work.commit()
    bad = work.commit("phases.yaml", b"phases: [\n")
    for option in ("--no-atomic", "--atomic"):
        refused = work.push(
            option, "origin", f"{good}:refs/heads/idea", f"{bad}:refs/heads/main", f"{good}:refs/tags/v1"
        )
        assert refused.returncode == 1
        assert work.refs() == before
    taken = work.push("--atomic", "origin", f"{bad}:refs/heads/idea", f"{good}:refs/heads/main", f"{good}:refs/tags/v1")
    assert taken.returncode == 0
    assert work.refs() == {"refs/heads/idea": bad, "refs/heads/main": good, "refs/tags/v1": good}
    work.done("checkout", "-q", "--detach", good)
    work.done("branch", "-q", "-D", "main")
    assert "main is refused: it is the branch that is deployed from" in work.push("--mirror", "origin").stderr
    assert len(work.refs()) == 3


ODD = (
    *(
        "grün",
        "a'b\"c",
        "$(touch x)",
        "`id`",
        ";id;",
        "%s%n",
        "--option",
        "a/" + "b/" * 40 + "c",
        "\u202eevil",
        "\u009b2J",
    ),
    *(b"\xff\xfe", "Main", "MAIN", "cafe\u0301", "caf\u00e9", "x" * 200),
)


def test_references_may_be_called_whatever_git_takes(work: Work) -> None:
    """Unless it is no name for Git; and what was pushed is written down, whatever it is called."""
    bad = work.commit("phases.yaml", b"phases: [\n")
    names = [os.fsencode(f"{bad}:refs/heads/") + (name if isinstance(name, bytes) else name.encode()) for name in ODD]
    taken = work.push("origin", *(name for name in names if b" " not in name))
    assert taken.returncode == 0, taken.stderr
    assert "Traceback" not in taken.stderr
    assert not {"\x9b", "\u202e"} & set(
        "".join(line for line in taken.stderr.splitlines() if line.startswith("remote:"))
    )
    assert len(work.refs()) == len(names)  # main, and all but the one with a space
    if work.way != "elsewhere":
        said = [entry.detail for entry in work.site.audit.entries(20, kind=Kind.PUSH)]
        assert any("grün" in each for each in said)
        assert any("Main" in each for each in said)
    assert (
        work.push("origin", *(name.replace(os.fsencode(bad), b"") for name in names if b" " not in name)).returncode
        == 0
    )
    assert list(work.refs()) == ["refs/heads/main"]


@pytest.mark.parametrize("work", ["http"], indirect=True)
def test_many_files_and_many_bytes(work: Work) -> None:
    (work.folder / "notes").mkdir()
    for number in range(3_000):
        (work.folder / f"notes/{number}.txt").write_text(f"{number}\n")
    for number in range(5):
        (work.folder / f"notes/{number}.bin").write_bytes(os.urandom(4 * 2**20))
    commit = work.commit()
    taken = work.push()
    assert (taken.returncode, work.head()) == (0, commit), taken.stderr
