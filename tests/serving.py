"""Starts real servers on free ports, and talks to them as plainly as devices do."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import re
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from gitupd.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Forking the test's own process, which has threads, would now and then give a server that waits for ever.
_FORKS = multiprocessing.get_context("forkserver")
_PROGRAM = ("gitupd.cli.main", "gitupd.web.supervisor")
_FORKS.set_forkserver_preload(list(_PROGRAM))
for _name in _PROGRAM:
    import_module(_name)  # where the coverage of what is done on import is measured


def _serve(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    os.setsid()
    os.environ.update(environment)
    sys.stdout = sys.stderr = log.open("a", buffering=1)
    for number in (1, 2):
        os.dup2(sys.stderr.fileno(), number)
    sys.argv = ["gitupd", *arguments]
    main()


@dataclass
class Server:
    """A running ``gitupd serve``; ``process`` is the parent of its workers."""

    process: multiprocessing.process.BaseProcess
    port: int
    log: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def ready(self, commit: str | None = None, timeout: float = 20) -> None:
        """Wait until the server says that it is ready, and serves *commit* if given."""
        deadline = time.monotonic() + timeout
        last = ""
        while time.monotonic() < deadline:
            if not self.process.is_alive():
                break
            try:
                status, body = self.get("/readyz")
                last = body.decode()
                if status == 200 and commit in (None, json.loads(body)["commit"]):
                    return
            except OSError as error:
                last = str(error)
            time.sleep(0.02)
        raise AssertionError(f"not ready: {last}\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        """End the server as an operator would, by SIGTERM."""
        if self.process.is_alive():
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(20)
        assert not self.process.is_alive(), "the server did not stop"

    def kill(self) -> None:
        """End the server as a power cut would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(20)


@contextmanager
def serving(site: Path, *, workers: int | None = 1, port: int = 0, **environment: str) -> Iterator[Server]:
    """Serve *site* while the block runs; *environment* gives GITUPD_ settings by their names."""
    variables = {f"GITUPD_{name.upper()}": value for name, value in environment.items()}
    arguments = ["serve", "--site", str(site), "--http", f"127.0.0.1:{port}", "--workers", str(workers)]
    log = site.parent / f"{site.name}-{time.monotonic_ns()}.log"
    process = _FORKS.Process(target=_serve, args=(arguments, variables, log))
    process.start()
    server = Server(process, _port_in(log, process), log)
    try:
        yield server
    finally:
        server.stop()


def _port_in(log: Path, process: multiprocessing.process.BaseProcess) -> int:
    """Return the port that the server says it listens at."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.is_alive():
        if log.exists() and (found := re.search(r" at http://127\.0\.0\.1:(\d+) ", log.read_text())):
            return int(found[1])
        time.sleep(0.01)
    raise AssertionError(f"the server did not start:\n{log.read_text() if log.exists() else ''}")
