"""The status of commits, told to a server that speaks the APIs of three hosts."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from support.upstreams import Elsewhere, elsewhere, follow

from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.comparison.kept import planned_now
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.live import Follower
from gitupd.service.site import Site
from gitupd.service.upstream.announcing import Announcing
from gitupd.service.upstream.fetching import Fetching, accept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.conftest import Sample

TOKEN = "s3cret"


class StatusPage:
    """What a host was told: by whom, of which commit, and what."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, dict[str, str]]] = []
        self.answer = 201, b"{}"
        self.nonsense = b""
        self.port = 0

    def of(self, commit: CommitId) -> list[str]:
        return [f"{body['state']}: {body['description']}" for _, path, body in self.told if path.endswith(commit)]


@pytest.fixture
def host() -> Iterator[StatusPage]:
    page = StatusPage()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            given = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
            page.told.append((given, self.path, body))
            if page.nonsense:
                self.wfile.write(page.nonsense)
                return
            self.send_response(page.answer[0])
            self.end_headers()
            self.wfile.write(page.answer[1])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    page.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield page
    server.shutdown()
    server.server_close()
    thread.join()


class Scene:
    """A site that follows a repository, whose host is told."""

    def __init__(self, sample: Sample, there: Elsewhere, kind: str, host: StatusPage) -> None:
        (sample.site.path / "token").write_text(TOKEN)
        api = f"http://127.0.0.1:{host.port}/api"
        others = {"status": kind, "status_url": api, "token_file": "token", "site_url": "https://updates.example"}
        follow(sample.site, there.path, **others)
        self.site, self.there = Site(sample.site.path), there
        self.follower = Follower(self.site)
        self.announcing = Announcing(self.site, self.follower, now, calm=0)

    def fetch(self) -> CommitId:
        self.follower.follow()
        Fetching(self.site, now).fetch(self.follower.live)
        self.announcing.look()
        return self.there.head

    def look(self) -> None:
        self.follower.follow()
        self.announcing.look()


@pytest.fixture(params=["github", "gitlab", "gitea"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def scene(sample: Sample, tmp_path: Path, kind: str, host: StatusPage) -> Iterator[Scene]:
    made = Scene(sample, elsewhere(sample.site, tmp_path / "there.git"), kind, host)
    yield made
    made.site.close()


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea"], indirect=True)
def test_a_good_commit_waits_and_is_deployed(scene: Scene, host: StatusPage, kind: str) -> None:
    live = scene.follower.follow() or scene.site.deployments.live()
    assert live is not None
    commit = CommitId(scene.there.commit())
    scene.fetch()
    scene.look()
    assert host.of(commit) == [
        "pending: it has arrived, and is looked at",
        "pending: good, and waits for somebody to deploy it",
    ]
    planned_now(scene.site, live.commit, commit, now)
    deploy(scene.site, commit, who="ada", now=now())
    scene.look()
    scene.look()
    assert host.of(commit)[2:] == ["success: deployed: no device changes"]
    given, path, body = host.told[-1]
    prefix = {"github": "Bearer ", "gitea": "token ", "gitlab": ""}[kind]
    assert given == f"{prefix}{TOKEN}"
    assert path.startswith("/api/projects/" if kind == "gitlab" else "/api/repos/")
    assert body["target_url"] == f"https://updates.example/commits/{commit}"


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_a_bad_commit_is_told_with_its_first_error(scene: Scene, host: StatusPage) -> None:
    commit = scene.there.commit(b"phases: 7\n", path="phases.yaml")
    scene.fetch()
    assert host.of(commit)[-1].startswith("failure: 1 error: phases.yaml:1:9: ")
    later = scene.there.commit(b"phases:\n  update: {order: 1}\n  staging: {order: 0}\n", path="phases.yaml")
    scene.fetch()
    deploy(scene.site, later, who="ada", now=now())
    scene.look()
    assert host.of(later)[-1] == "success: deployed"
    rollback(scene.site, scene.site.deployments.latest()[-1].commit, who="ada", now=now(), reason="alarm")
    scene.look()
    assert host.of(later)[-1] == "failure: blocked since it was rolled back (alarm)"


@pytest.mark.parametrize("kind", ["gitlab"], indirect=True)
def test_what_waited_is_told_when_a_later_one_is_deployed(scene: Scene, host: StatusPage) -> None:
    first = scene.there.commit()
    scene.fetch()
    second = scene.there.commit()
    scene.fetch()
    deploy(scene.site, second, who="ada", now=now())
    scene.look()
    assert [host.of(each)[-1] for each in (first, second)] == ["success: deployed"] * 2


@pytest.mark.parametrize("kind", ["gitlab"], indirect=True)
def test_what_was_rewritten_away_is_not_told_to_be_deployed(scene: Scene, host: StatusPage) -> None:
    first = scene.there.head
    lost = scene.there.commit()
    scene.fetch()
    kept = scene.there.commit(parents=(first,))
    scene.fetch()
    accept(scene.site, kept, who="ada", now=now(), reason="meant")
    scene.fetch()
    deploy(scene.site, kept, who="ada", now=now())
    scene.look()
    assert host.of(kept)[-1].startswith("success: deployed")
    assert host.of(lost)[-1].startswith("pending: ")


@pytest.mark.parametrize("kind", ["gitea"], indirect=True)
def test_a_rewritten_branch_is_told(scene: Scene, host: StatusPage) -> None:
    commit = scene.there.commit(parents=())
    scene.fetch()
    (told,) = host.of(commit)
    assert told.startswith(f"failure: branch main of the upstream, {commit[:12]}, has nothing in common")


@pytest.mark.parametrize("kind", ["gitlab"], indirect=True)
def test_a_host_that_does_not_listen_is_told_again_and_not_for_ever(scene: Scene, host: StatusPage) -> None:
    host.answer = 401, b"{}"
    commit = scene.there.commit()
    with pytest.raises(SiteError, match="answers 401 to the status of a commit; see whether the token") as error:
        scene.fetch()
    assert TOKEN not in str(error.value)
    for _ in range(8):
        with pytest.raises(SiteError):
            scene.look()
    for _ in range(3):
        scene.look()
    assert len(host.of(commit)) == 1 + 8
    host.answer = 400, b'{"message": "Cannot transition status via :enqueue from :pending"}'
    deploy(scene.site, commit, who="ada", now=now())
    scene.look()
    scene.look()
    assert host.of(commit)[9:] == ["success: deployed"]


@pytest.mark.parametrize("kind", ["github"], indirect=True)
@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"220 ready for mail\r\n", "can't be told"),
        (b"HTTP/1.0 500 x\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n", "answers 500"),
        (b"HTTP/1.0 201 x\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n", "can't be told"),
    ],
)
def test_a_host_that_speaks_nonsense_is_named(scene: Scene, host: StatusPage, said: bytes, fault: str) -> None:
    host.nonsense = said
    scene.there.commit()
    with pytest.raises(SiteError, match=fault):
        scene.fetch()
