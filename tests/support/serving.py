"""Starts real servers on free ports, and talks to them as plainly as devices do."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from gitupd.cli.main import main
from support.hashing import hash_cheaply
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Forking the test's own process, which has threads, would now and then give a server that waits for ever.
FORKS = multiprocessing.get_context("forkserver")
_PROGRAM = ("gitupd.cli.sites", "gitupd.web.supervisor")
FORKS.set_forkserver_preload(list(_PROGRAM))
for _name in _PROGRAM:
    import_module(_name)  # where the coverage of what is done on import is measured


def _serve(arguments: list[str], environment: dict[str, str], log: Path, files: int | None = None) -> None:
    os.setsid()
    if files is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.environ.update(environment)
    hash_cheaply()
    sys.stdout = sys.stderr = log.open("a", buffering=1)
    for number in (1, 2):
        os.dup2(sys.stderr.fileno(), number)
    sys.argv = ["gitupd", *arguments]
    main()


@dataclass
class Server:
    """A running ``gitupd serve``; ``process`` is the parent of its workers."""

    process: multiprocessing.process.BaseProcess
    ports: tuple[int, ...]
    log: Path

    @property
    def port(self) -> int:
        return self.ports[0]

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

    def ready(self, commit: str | None = None) -> None:
        """Wait until the server says that it is ready, and serves *commit* if given."""
        last = "it has ended"

        def is_ready() -> bool:
            nonlocal last
            try:
                status, body = self.get("/readyz")
            except OSError as error:
                last = str(error)
                return False
            last = body.decode()
            return status == 200 and commit in (None, json.loads(body)["commit"])

        def said() -> str:
            return f"not ready: {last}\n{self.log.read_text()[-3000:]}"

        until(lambda: not self.process.is_alive() or is_ready(), said)
        assert self.process.is_alive(), said()

    def stop(self) -> None:
        """End the server as an operator would, by SIGTERM."""
        if self.process.is_alive():
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(PATIENCE)
        assert not self.process.is_alive(), "the server did not stop"

    def kill(self) -> None:
        """End the server as a power cut would: with all its processes, and leaving its port to the next one."""
        processes = [self.process.pid, *self.children()]
        with suppress(ProcessLookupError):  # somebody was faster
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(PATIENCE)
        until(lambda: not any(map(is_alive, processes)), "processes were left behind")

    def children(self) -> list[int]:
        """Return the workers and the keeper, the oldest first; none if the parent has ended."""
        with suppress(OSError):
            listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            return [int(each) for each in listed.split()]
        return []

    def work(self) -> float:
        """Return for how many seconds its processes have computed so far, however slowly that goes."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.children()]
        return sum(int(ticks) for fields in stats for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended, and was not asked for its exit code, does not."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextmanager
def serving(
    site: Path,
    *,
    workers: int | None = 1,
    port: int = 0,
    options: Sequence[str] | None = None,
    files: int | None = None,
    **environment: str,
) -> Iterator[Server]:
    """Serve *site* while the block runs; *environment* gives GITUPD_ settings by their names.

    It may open so many *files* at the most. With *options* instead of ``--http``, the server's ``ports`` are in the
    order in which it names them.
    """
    variables = {f"GITUPD_{name.upper()}": value for name, value in environment.items()}
    where = ["--http", f"127.0.0.1:{port}"] if options is None else [*options]
    arguments = ["serve", "--site", str(site), "--workers", str(workers), *where]
    log = site.parent / f"{site.name}-{time.monotonic_ns()}.log"
    process = FORKS.Process(target=_serve, args=(arguments, variables, log, files))
    process.start()
    server = Server(process, _ports_in(log, process), log)
    try:
        yield server
    finally:
        server.stop()


def _ports_in(log: Path, process: multiprocessing.process.BaseProcess) -> tuple[int, ...]:
    """Return the ports that the server says it listens at."""

    def said() -> str:
        return log.read_text() if log.exists() else ""

    def listening() -> re.Match[str] | None:
        return re.search(r" at (https?://127\.0\.0\.1:\d+ .*)with \d+ worker", said())

    until(lambda: listening() or not process.is_alive(), said)
    line = listening()
    assert line is not None, f"the server did not start:\n{said()}"
    return tuple(int(port) for port in re.findall(r"://127\.0\.0\.1:(\d+)", line[1]))
