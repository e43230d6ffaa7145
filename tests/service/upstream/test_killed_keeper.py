"""A keeper that is killed while it deploys what is new elsewhere: before or after, and never in between."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from support.fleets import fill
from support.killing import killed_at_many_moments
from support.one_deployment import deploy_what_is_new
from support.signed_commits import keyring, run
from support.signing_office import opened
from support.upstreams import elsewhere, follow

from gitupd.core.deployments.state import CommitState
from gitupd.core.people.audit import Kind
from gitupd.service.clock import now
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.snapshot import CommitId


@pytest.fixture
def host() -> Iterator[int]:
    """The port of a Git host that takes each status of a commit."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_whenever_a_keeper_is_killed_the_commit_is_live_or_not_and_the_next_one_goes_on(
    tmp_path: Path, host: int
) -> None:
    with keyring() as keys, opened(tmp_path, keys) as office:
        old, site = office.live, office.site
        fill(site, 3, now())
        there = elsewhere(site, tmp_path / "there.git")
        (site.path / "token").write_text("s3cret")
        follow(site, there.path, status="gitea", status_url=f"http://127.0.0.1:{host}/api", token_file="token")
        new = office.commit(office.vera)
        run("git", "push", "-q", there.path, "HEAD:main", cwd=office.work.path)
        decided = len(site.deployments.latest())
    found: Counter[str] = Counter()
    for copy in killed_at_many_moments(site.path, tmp_path / "killed", program="support.one_deployment:main", step=6):
        found[_held(copy, old, new)] += 1
        deploy_what_is_new(copy, after_a_minute=True)
        _went_on(copy, new, decided + 1)
        shutil.rmtree(copy)
    assert found["old"] > 5, found
    assert found["new"] > 1, found


def _held(copy: Path, old: CommitId, new: CommitId) -> str:
    """Return which commit is live after somebody was killed, having made sure that all else says the same."""
    with closing(Site(copy)) as killed:
        live, record = killed.deployments.live(), killed.commits.of(new)
        assert live is not None
        assert live.commit in (old, new)
        assert killed.config.head("main") in (old, new)
        is_new = live.commit == new
        assert (record is not None and record.state is CommitState.DEPLOYED) == is_new, copy.name
        told = [entry.subject for entry in killed.audit.entries(99, kind=Kind.DEPLOY)]
        assert (new in told) == is_new, copy.name
        assert killed.archive.files(live.commit) or killed.config.files(live.commit)
        return "new" if is_new else "old"


def _went_on(copy: Path, new: CommitId, decided: int) -> None:
    """See that the next keeper has done what was left to do, and nothing twice."""
    with closing(Site(copy)) as site:
        live, record, told = site.deployments.live(), site.commits.of(new), site.statuses.of(new)
        assert live is not None
        assert live.commit == site.config.head("main") == new, copy.name
        assert record is not None
        assert record.state is CommitState.DEPLOYED, copy.name
        assert len(site.deployments.latest()) == decided
        assert [each.subject for each in site.audit.entries(99, kind=Kind.DEPLOY)].count(new) == 1
        assert [each.subject for each in site.audit.entries(99, kind=Kind.FETCH)].count(new) == 1
        assert told is not None
        assert (told.told, told.state) == (True, "success"), copy.name
        assert not list(copy.glob("incoming-*"))
