"""A power cut at any time: the server comes back by itself, with the same commit."""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from serving import Server, serving

from gitupd.core.device import parse_serial
from gitupd.service.clock import now
from gitupd.service.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

ROUNDS = 8
POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0"


def children(server: Server) -> list[int]:
    listed = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(each) for each in listed.split()]


def is_alive(pid: int) -> bool:
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


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
        deploy(own_site, commit, who="test", now=now())
        with serving(own_site.path, workers=2) as server:
            server.ready(commit)
            processes = children(server)
            ended = threading.Event()
            load = threading.Thread(target=poll_until, args=(server, ended))
            load.start()
            time.sleep(chance.uniform(0, 0.4))
            server.kill()
            ended.set()
            load.join()
            deadline = time.monotonic() + 5
            while any(map(is_alive, processes)) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not any(map(is_alive, processes)), "processes were left behind"
        with serving(own_site.path, workers=1) as server:
            server.ready(commit)
            assert served_commit(server) == commit
    assert not list(own_site.path.rglob("*.lock"))
    assert own_site.inventory.device(parse_serial("00-90-33-30-00-af")) is not None


def test_a_killed_worker_is_replaced(own_site: Site) -> None:
    with serving(own_site.path, workers=2) as server:
        server.ready()
        before = children(server)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and (len(children(server)) < 3 or set(children(server)) & set(before)):
            time.sleep(0.05)
        assert len(set(children(server)) - set(before)) == 3
        server.ready()
        assert server.get(POLL)[0] == 200


def test_a_stale_lock_is_out_of_the_way_after_a_while(own_site: Site) -> None:
    lock = own_site.path / "config.git/refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 3600, time.time() - 3600))
    with serving(own_site.path) as server:
        server.ready()
        deadline = time.monotonic() + 5
        while lock.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert not lock.exists()


def test_reloading_loses_no_request(own_site: Site) -> None:
    with serving(own_site.path, workers=2) as server:
        server.ready()
        before, failures = set(children(server)), []
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
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and set(children(server)) & before:
            time.sleep(0.05)
        ended.set()
        for thread in threads:
            thread.join()
        assert not set(children(server)) & before
    assert not failures


def test_the_kept_copy_is_served_while_the_repository_is_away(own_site: Site) -> None:
    commit = own_site.deployments.live().commit
    (own_site.path / "config.git").rename(own_site.path / "gone")
    (own_site.path / "config.git").mkdir()
    with serving(own_site.path) as server:
        deadline = time.monotonic() + 10
        while served_commit(server) != commit and time.monotonic() < deadline:
            time.sleep(0.05)
        assert served_commit(server) == commit
        status, report = server.get("/readyz")
        assert status == 503
        assert b"is no Git repository" in report
