"""A power cut at any time: the server comes back by itself, with the same commit."""

from __future__ import annotations

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from support.serving import Server, is_alive, serving
from support.waiting import PATIENCE, until

from gitupd.core.caller import parse_serial
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

ROUNDS = 8
POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0"


def poll_until(server: Server, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(OSError, http.client.HTTPException):
            server.get(POLL)


def served_commit(server: Server) -> str:
    return server.get(POLL)[1].decode().partition("\r\n")[0].removeprefix("# gitupd ")


def edits(site: Site) -> Iterator[str]:
    for number in range(ROUNDS):
        files = {**site.config.files(site.config.resolve("main"))}
        files["snippets/all-all-all.txt"] = f"config add KILL /number {number}\n".encode()
        yield site.config.commit_files(files, f"Number {number}", "Test <test@localhost>")


def test_a_killed_server_comes_back_with_the_same_commit(own_site: Site) -> None:
    chance = random.Random(7)
    for commit in edits(own_site):
        deploy(own_site, commit, who="test", now=now(), force=True, reason="meant")
        with serving(own_site.path, workers=2) as server:
            server.ready(commit)
            processes = server.children()
            assert processes
            ended = threading.Event()
            load = threading.Thread(target=poll_until, args=(server, ended))
            load.start()
            time.sleep(chance.uniform(0, 0.4))
            server.kill()
            ended.set()
            load.join()
            assert not any(map(is_alive, processes)), "processes were left behind"
        with serving(own_site.path, workers=1) as server:
            server.ready(commit)
            assert served_commit(server) == commit
    assert not list(own_site.path.rglob("*.lock"))
    assert own_site.inventory.device(parse_serial("00-90-33-30-00-af")) is not None


def test_a_killed_worker_is_replaced(own_site: Site) -> None:
    with serving(own_site.path, workers=2) as server:
        server.ready()
        before = server.children()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len({*server.children()} - {*before}) == 3, server.children)
        server.ready()
        assert server.get(POLL)[0] == 200


def test_who_is_told_to_end_as_soon_as_it_has_started_ends_in_time(own_site: Site) -> None:
    for _ in range(6):
        with serving(own_site.path, workers=3) as server:
            until(lambda: not server.process.is_alive() or len(server.children()) == 4)
            assert server.process.is_alive()
        assert "did not end in time" not in server.log.read_text()


def test_who_is_told_to_end_waits_for_no_look_at_its_processes(own_site: Site) -> None:
    looks_seldom = "import gitupd.web.supervisor as it, gitupd.cli.main as cli; it._LOOK_SECONDS = 3600; cli.main()"
    options = ["--http", "127.0.0.1:0", "--workers", "1", "--site", own_site.path]
    command = [sys.executable, "-c", looks_seldom, "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        until(lambda: len(children.read_text().split()) == 2, "it starts no processes")
        time.sleep(0.5)  # it waits for them then
        server.terminate()
        assert server.wait(PATIENCE) == 0


def test_reloading_loses_no_request(own_site: Site) -> None:
    with serving(own_site.path, workers=2) as server:
        server.ready()
        before, failures = set(server.children()), []
        ended = threading.Event()

        def load() -> None:
            while not ended.is_set():
                try:
                    status = server.get(POLL)[0]
                except (OSError, http.client.HTTPException) as error:
                    failures.append(repr(error))
                else:
                    failures.extend([str(status)] if status != 200 else [])

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        os.kill(server.process.pid, signal.SIGHUP)
        try:
            until(lambda: not {*server.children()} & before, "old workers are still there")
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert not failures


def test_the_kept_copy_is_served_while_the_repository_is_away(own_site: Site) -> None:
    commit = own_site.deployments.live().commit
    (own_site.path / "config.git").rename(own_site.path / "gone")
    (own_site.path / "config.git").mkdir()
    with serving(own_site.path) as server:
        until(lambda: served_commit(server) == commit, lambda: served_commit(server))
        status, report = server.get("/readyz")
        assert status == 503
        assert b"is no Git repository" in report
