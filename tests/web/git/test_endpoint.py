"""Git over HTTP with the real git: who may clone, what they get, and what nobody may."""

from __future__ import annotations

import base64
import gzip
import http.client
import os
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import uvicorn
from support.fleets import fill
from support.histories import keep, uploads
from support.serving import PATIENCE, Server, serving
from support.visitors import PASSWORD, add_key, add_person, logged_in
from support.waiting import until

from gitupd.core.backups.change import Volatile
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.web.asgi.request import Requests
from gitupd.web.git.endpoint import GitEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

VERSIONS = 2_000
PLACES = ("/git/backups.git", "/git/config.git")


@dataclass(frozen=True)
class Scene:
    """A site with a long history, and somebody of each role with a token."""

    site: Site
    server: Server
    keys: dict[str, str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    site, _ = create_site(tmp_path_factory.mktemp("git") / "site", who="test", now=now())
    fill(site, 20, now())
    live = site.deployments.live()
    assert live is not None
    keep(site, uploads(20, VERSIONS // 20, now(), size=1_500), Volatile(()), live.commit)
    for role in Role:
        add_person(site, f"{role}-1", role)
    keys = {role.value: add_key(site, f"{role}-1") for role in Role}
    with serving(site.path, workers=1) as server:
        server.ready()
        yield Scene(site, server, keys)
    site.close()


def url(scene: Scene, secret: str, name: str = "operator-1", place: str = "/git/backups.git") -> str:
    return f"http://{name}:{secret}@127.0.0.1:{scene.server.port}{place}"


def git(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd, env=environment)


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


REFS = "/git/backups.git/info/refs?service=git-upload-pack"


# What may be done


@pytest.mark.parametrize("secret", ["token", "password"])
def test_an_operator_clones_and_fetches_the_history(scene: Scene, tmp_path: Path, secret: str) -> None:
    kept = scene.site.path / "backups.git"
    address = url(scene, scene.keys["operator"] if secret == "token" else PASSWORD.replace(" ", "%20"))
    cloned = git("clone", "-q", address, str(tmp_path / "clone"))
    assert cloned.returncode == 0, cloned.stderr
    here, there = (git("rev-list", "--count", "HEAD", cwd=place).stdout for place in (tmp_path / "clone", kept))
    assert here == there
    assert int(here) >= VERSIONS
    assert git("fsck", "--strict", cwd=tmp_path / "clone").returncode == 0
    files = list((tmp_path / "clone/devices").rglob("*.txt"))
    assert len(files) == 20
    assert b"/gk-pwd secret-13-100" in next(path for path in files if path.name == "00-90-33-00-00-0d.txt").read_bytes()
    assert " lines changed" in git("log", "-p", "-3", cwd=tmp_path / "clone").stdout
    live = scene.site.deployments.live()
    assert live is not None
    keep(scene.site, list(uploads(1, 1, now(), size=900)), Volatile(()), live.commit)
    fetched = git("fetch", "-q", "origin", cwd=tmp_path / "clone")
    assert fetched.returncode == 0, fetched.stderr
    assert git("rev-list", "--count", "HEAD..origin/main", cwd=tmp_path / "clone").stdout.strip() == "1"


@pytest.mark.parametrize("protocol", ["0", "1", "2"])
def test_every_protocol_and_shallow_clones_work(scene: Scene, tmp_path: Path, protocol: str) -> None:
    options = ["-c", f"protocol.version={protocol}"]
    cloned = git(*options, "clone", "-q", "--depth=3", url(scene, scene.keys["operator"]), str(tmp_path / "clone"))
    assert cloned.returncode == 0, cloned.stderr
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path / "clone").stdout.strip() == "3"


def test_files_may_be_left_for_later(scene: Scene, tmp_path: Path) -> None:
    cloned = git(
        "clone", "-q", "--filter=blob:none", "--bare", url(scene, scene.keys["operator"]), "part", cwd=tmp_path
    )
    assert (cloned.returncode, cloned.stderr) == (0, "")
    missing = git("rev-list", "--objects", "--missing=print", "main", cwd=tmp_path / "part").stdout.count("\n?")
    assert missing >= VERSIONS
    shown = git("log", "-1", "-p", "main", "--", "devices/0/d/00-90-33-00-00-0d.txt", cwd=tmp_path / "part").stdout
    assert "/gk-pwd secret-13-100" in shown
    dear = git("clone", "-q", "--filter=sparse:oid=main:x", url(scene, scene.keys["operator"]), "dear", cwd=tmp_path)
    assert "filter 'sparse:oid' not supported" in dear.stderr


def test_only_the_branch_is_shown(scene: Scene) -> None:
    tip = scene.site.backups.tip()
    assert git("update-ref", "refs/gitupd/mirrored", str(tip), cwd=scene.site.path / "backups.git").returncode == 0
    listed = git("ls-remote", url(scene, scene.keys["operator"])).stdout
    assert listed == f"{tip}\tHEAD\n{tip}\trefs/heads/main\n"


def test_the_configuration_can_be_cloned(scene: Scene, tmp_path: Path) -> None:
    address = url(scene, scene.keys["operator"], place="/git/config.git")
    assert git("clone", "-q", address, str(tmp_path / "clone")).returncode == 0
    assert (tmp_path / "clone/phases.yaml").is_file()


def test_a_clone_is_in_the_audit_once(scene: Scene, tmp_path: Path) -> None:
    key = add_key(scene.site, "administrator-1")
    assert git("clone", "-q", url(scene, key), str(tmp_path / "clone")).returncode == 0
    entries = scene.site.audit.entries(10, who="administrator-1", kind="backup-view")
    assert [(each.subject, each.detail, each.address) for each in entries] == [
        ("backups.git", "clone or fetch by Git", "127.0.0.1")
    ]


def test_questions_may_be_packed(scene: Scene) -> None:
    question = b"0014command=ls-refs\n0000"
    headers = {"Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2"}
    headers |= basic("operator-1", scene.keys["operator"])
    plain = ask(scene, "/git/backups.git/git-upload-pack", question, headers)
    packed = ask(
        scene, "/git/backups.git/git-upload-pack", gzip.compress(question), headers | {"Content-Encoding": "gzip"}
    )
    assert plain[0] == packed[0] == 200
    assert plain[1] == packed[1]
    assert b"refs/heads/main" in plain[1]
    assert ask(scene, "/git/backups.git/git-upload-pack", question, headers | {"Content-Encoding": "br"})[0] == 415


def ask(scene: Scene, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=30)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


# Who may not


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_those_who_may_not_see_secrets_get_nothing(scene: Scene, tmp_path: Path, role: str, place: str) -> None:
    cloned = git("clone", "-q", url(scene, scene.keys[role], f"{role}-1", place), str(tmp_path / "clone"))
    assert cloned.returncode != 0
    assert "403" in cloned.stderr
    assert f"this needs the role operator; yours is {role}" in cloned.stderr
    for path in (f"{place}/info/refs?service=git-upload-pack", f"{place}/HEAD"):
        assert scene.server.get(path, basic("x", scene.keys[role]))[0] == 403
    assert ask(scene, f"{place}/git-upload-pack", b"0000", basic("x", scene.keys[role]))[0] == 403


def test_strangers_are_asked_who_they_are(scene: Scene, tmp_path: Path) -> None:
    for path in (REFS, "/git/", "/git/nothing.git/info/refs", "/git/backups.git/git-receive-pack"):
        assert scene.server.get(path)[0] == 401
    cloned = git("clone", "-q", f"{scene.server.base}/git/backups.git", str(tmp_path / "clone"))
    assert "could not read Username" in cloned.stderr
    for headers in (
        basic("operator-1", "gitupd_wrong"),
        basic("operator-1", "a wrong password"),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Digest x"},
        {"Authorization": "Bearer "},
    ):
        assert scene.server.get(REFS, headers)[0] == 401, headers


def test_the_session_of_a_browser_opens_nothing_here(scene: Scene) -> None:
    with logged_in(scene.server, "operator-1") as visitor:
        assert visitor.get("/devices").status_code == 200
        answer = visitor.get(REFS)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_passwords_are_not_guessed_at_leisure(scene: Scene) -> None:
    add_person(scene.site, "guessed", Role.OPERATOR)
    statuses = [scene.server.get(REFS, basic("guessed", f"wrong password {number}"))[0] for number in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert scene.server.get(REFS, basic("guessed", PASSWORD))[0] == 429, "not even the right one is looked at"
    assert scene.server.get(REFS, basic("guessed", scene.keys["operator"]))[0] == 200, "tokens can't be guessed"


def test_a_revoked_token_opens_nothing(scene: Scene) -> None:
    from support.visitors import ROOT  # noqa: PLC0415 - for this test alone

    from gitupd.service.people.access import Access  # noqa: PLC0415 - for this test alone

    token, key = Access(scene.site).add_token(ROOT, "operator-1", "short-lived", now())
    assert scene.server.get(REFS, basic("x", key))[0] == 200
    Access(scene.site).revoke(ROOT, token.id, now())
    assert scene.server.get(REFS, basic("x", key))[0] == 401


# What nobody may


def test_nothing_can_be_pushed_into_the_history_of_backups(scene: Scene, tmp_path: Path) -> None:
    place = "/git/backups.git"
    address = url(scene, scene.keys["administrator"], "administrator-1", place)
    before = scene.server.get(f"{place}/info/refs?service=git-upload-pack", basic("x", scene.keys["operator"]))
    assert git("clone", "-q", "--depth=1", address, str(tmp_path / "clone")).returncode == 0
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    assert git(*identity, "commit", "-q", "--allow-empty", "-m", "mine", cwd=tmp_path / "clone").returncode == 0
    pushed = git("push", "origin", "HEAD", cwd=tmp_path / "clone")
    assert pushed.returncode != 0
    assert "403" in pushed.stderr
    assert "nothing can be pushed here" in pushed.stderr
    headers = basic("administrator-1", scene.keys["administrator"])
    assert scene.server.get(f"{place}/info/refs?service=git-receive-pack", headers)[0] == 403
    assert ask(scene, f"{place}/git-receive-pack", b"0000", headers)[0] == 403
    assert before == scene.server.get(f"{place}/info/refs?service=git-upload-pack", basic("x", scene.keys["operator"]))


@pytest.mark.parametrize(
    "path",
    [
        "/git/",
        "/git/backups.git",
        "/git/backups.git/HEAD",
        "/git/backups.git/config",
        "/git/backups.git/objects/info/packs",
        "/git/../gitupd.db",
        "/git/backups.git/../gitupd.db",
        "/git/backups.git/../../site/backups.git/info/refs?service=git-upload-pack",
        "/git/backups.git/%2e%2e/gitupd.db",
        "/git/backups%2egit/info/refs?service=git-upload-pack",
        "/git//backups.git/info/refs?service=git-upload-pack",
        "/git/./backups.git/info/refs?service=git-upload-pack",
        "/git/other.git/info/refs?service=git-upload-pack",
        "/git/backups.git/info/refs/?service=git-upload-pack",
        "/git/backups.git/info/refs%00?service=git-upload-pack",
        "/git/gitupd.db/info/refs?service=git-upload-pack",
    ],
)
def test_there_is_nothing_else_to_be_had(scene: Scene, path: str) -> None:
    status, body = scene.server.get(path, basic("x", scene.keys["administrator"]))
    assert status == 404, body
    assert b"SQLite" not in body


def test_only_the_smart_protocol_is_spoken(scene: Scene) -> None:
    headers = basic("x", scene.keys["administrator"])
    assert scene.server.get("/git/backups.git/info/refs", headers)[0] == 403
    assert scene.server.get("/git/backups.git/info/refs?service=git-upload-archive", headers)[0] == 403
    assert scene.server.get("/git/backups.git/git-upload-pack", headers)[0] == 405
    assert scene.server.get(REFS, headers, "DELETE")[0] == 405


# Clients that misbehave, or are too many


def test_slow_clients_keep_nobody_from_cloning(scene: Scene, tmp_path: Path) -> None:
    headers = {"Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2"}
    headers |= basic("x", scene.keys["operator"])
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /git/backups.git/git-upload-pack HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n{lines}\r\n"
    with ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", scene.server.port), 30))
            client.sendall(head.encode() + b"0")
        assert scene.server.get(REFS, basic("x", scene.keys["operator"]))[0] == 200
        assert git("clone", "-q", "--depth=1", url(scene, scene.keys["operator"]), str(tmp_path / "a")).returncode == 0
        assert all_ended(scene)


@contextmanager
def busy(site: Site) -> Iterator[int]:
    """Serve Git where nobody's turn ever comes; give the block the port."""
    endpoint = GitEndpoint(site, Requests(site.settings), at_once=0, seconds=0.2)
    server = uvicorn.Server(uvicorn.Config(endpoint, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


def test_who_can_not_clone_now_is_told_why_and_may_look_for_news(scene: Scene, tmp_path: Path) -> None:
    with busy(scene.site) as port:
        address = f"http://x:{scene.keys['operator']}@127.0.0.1:{port}/git/backups.git"
        for protocol in ("0", "2"):
            cloned = git("-c", f"protocol.version={protocol}", "clone", "-q", address, str(tmp_path / "clone"))
            assert "remote error: too many are cloning or fetching at once" in cloned.stderr
            listed = git("-c", f"protocol.version={protocol}", "ls-remote", address)
            assert listed.stdout.startswith(f"{scene.site.backups.tip()}\tHEAD")


def children(scene: Scene) -> list[str]:
    """Return the programs of Git that this very server runs: others may be tested beside it."""
    command = ["ps", "-eo", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    rows = [line.split(None, 2) for line in listed.splitlines() if len(line.split(None, 2)) == 3]
    family = {str(scene.server.process.pid)}
    while more := {pid for pid, parent, _ in rows if parent in family} - family:
        family |= more
    return [args for pid, _, args in rows if pid in family and ("http-backend" in args or "upload-pack" in args)]


def all_ended(scene: Scene) -> bool:
    """Return whether no program of Git is left after a while."""
    return until(lambda: not children(scene), lambda: children(scene))


def test_git_ends_with_its_client(scene: Scene) -> None:
    headers = "".join(f"{name}: {value}\r\n" for name, value in basic("x", scene.keys["operator"]).items())
    head = "POST /git/backups.git/git-upload-pack HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    kind = "Content-Type: application/x-git-upload-pack-request\r\nGit-Protocol: version=2\r\n"
    tip = scene.site.backups.tip()
    lines = [b"command=fetch", b"0001", b"no-progress\n", f"want {tip}\n".encode(), b"done\n"]
    question = b"".join(line if line == b"0001" else b"%04x%s" % (len(line) + 4, line) for line in lines) + b"0000"
    for whole in (False, True):
        with socket.create_connection(("127.0.0.1", scene.server.port), 30) as client:
            client.sendall((head + kind + headers + "\r\n").encode() + b"%x\r\n%s\r\n" % (len(question), question))
            if whole:
                client.sendall(b"0\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 200")
        assert all_ended(scene)
    assert scene.server.get(REFS, basic("x", scene.keys["operator"]))[0] == 200


def test_a_question_without_an_end_is_refused(scene: Scene) -> None:
    headers = {"Content-Type": "application/x-git-upload-pack-request", **basic("x", scene.keys["operator"])}
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=60)
    part = b"0032want 0000000000000000000000000000000000000000\n" * 5_000
    connection.putrequest("POST", "/git/backups.git/git-upload-pack")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for _ in range(200):
            connection.send(b"%x\r\n%s\r\n" % (len(part), part))
    except OSError:
        pass  # it was answered before all of it was sent, and closed
    connection.close()
    assert scene.server.get(REFS, basic("x", scene.keys["operator"]))[0] == 200


def test_what_is_no_question_is_answered_by_git(scene: Scene) -> None:
    headers = {"Content-Type": "application/x-git-upload-pack-request", **basic("x", scene.keys["operator"])}
    for body in (b"", b"0000", b"nonsense", gzip.compress(b"x" * 50_000_000)):
        more = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
        try:
            status, _ = ask(scene, "/git/backups.git/git-upload-pack", body, headers | more)
            assert status in (200, 400, 415, 503)
        except (http.client.HTTPException, OSError):
            pass  # cut off in the middle, which is what Git does to nonsense
    assert scene.server.get(REFS, basic("x", scene.keys["operator"]))[0] == 200


# A repository that Git does not read


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_site_of_another_user_is_served(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    add_person(site, "ada", Role.OPERATOR)
    key = add_key(site, "ada")
    for path in (site.path, *site.path.rglob("*")):
        os.chown(path, 65534, 65534)
    with serving(site.path, workers=1) as server:
        server.ready()
        address = f"http://ada:{key}@127.0.0.1:{server.port}/git/config.git"
        for protocol in "02":
            cloned = git("-c", f"protocol.version={protocol}", "clone", "-q", address, str(tmp_path / protocol))
            assert cloned.returncode == 0, cloned.stderr
    site.close()


def test_what_git_says_of_a_broken_repository_is_told_with_a_status_that_is_not_200(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    add_person(site, "ada", Role.OPERATOR)
    headers = basic("ada", add_key(site, "ada"))
    with serving(site.path, workers=1) as server:
        server.ready()
        config = site.path / "config.git/config"
        config.write_text(config.read_text().replace("repositoryformatversion = 0", "repositoryformatversion = 9"))
        status, body = server.get("/git/config.git/info/refs?service=git-upload-pack", headers)
        assert status == 503
        assert b"Expected git repo version" in body
    site.close()
