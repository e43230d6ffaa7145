"""How long a poll takes while somebody attacks, and how much memory a worker has then.

    python tests/bench/bench_attacks.py [--seconds 8] [--only NAME]

Each attack runs against a server of its own with one worker, while one device polls twenty times a second. No time is
asserted, since machines differ; that a worker stays below 300 MiB is.
"""

from __future__ import annotations

import argparse
import http.client
import re
import secrets
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.serving import Server, serving

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_MEMORY = 300
POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0&env=default"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
STYLE = b"GET /bootstrap/static/css/bootstrap.min.css HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKS = GET + b"Transfer-Encoding: chunked\r\n\r\n"

Ended = threading.Event


def flood(begin: bytes, endless: bytes, connections: int) -> Callable[[Server, Ended], None]:
    """Return an attack that opens so many *connections* anew, and sends without end on each."""

    def attack(server: Server, ended: Ended) -> None:
        while not ended.is_set():
            with ExitStack() as stack:
                for _ in range(connections):
                    with suppress(OSError):
                        client = stack.enter_context(connected(server))
                        client.sendall(begin)
                        for _ in range(20):
                            client.sendall(endless)

    return attack


def hold(request: bytes, more: bytes, connections: int) -> Callable[[Server, Ended], None]:
    """Return an attack that opens *connections*, sends a *request* and some *more* on each, and reads nothing."""

    def attack(server: Server, ended: Ended) -> None:
        with ExitStack() as stack:
            for _ in range(connections):
                with suppress(OSError):
                    client = stack.enter_context(connected(server))
                    client.sendall(request)
                    client.sendall(more)
            ended.wait()

    return attack


def ask(*paths: str, body: Callable[[], bytes] | None = None) -> Callable[[Server, Ended], None]:
    """Return an attack that asks for *paths* one after the other, with a *body* each if there is one."""

    def attack(server: Server, ended: Ended) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            with suppress(OSError, http.client.HTTPException):
                path = paths[number % len(paths)].replace("NUMBER", f"{number:06x}")
                connection.request("PUT" if body else "GET", path, body=body and body())
                connection.getresponse().read()
            connection.close()

    return attack


def connected(server: Server) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(5)
    try:
        client.connect(("127.0.0.1", server.port))
    except OSError:
        client.close()
        raise
    return client


def long_lines() -> bytes:
    return b"a b\n" + (b"config " + b"userid=" * 1100 + secrets.token_hex(4).encode() + b"\n") * 12


UPLOAD = "/update.php?mode=backup&sn=009033NUMBER&hwid=x"
ATTACKS: dict[str, Callable[[Server, Ended], None]] = {
    "nothing": lambda _, ended: ended.wait() and None,
    "trailer fields": flood(CHUNKS + b"0\r\n", b"x: y\r\n" * 20_000, 4),
    "a trailer field's value": flood(CHUNKS + b"0\r\nx: ", b"y" * 100_000, 4),
    "idle connections": hold(GET + b"\r\n", b"\r\n", 2_000),
    "bodies that are owed": hold(GET + b"Content-Length: 9999\r\n\r\n", b"x", 2_000),
    "clients that read nothing": hold(STYLE * 8, b"", 200),
    "pipelined requests": flood(b"", (GET + b"\r\n") * 2_000, 30),
    "lines for patterns": ask(UPLOAD, body=long_lines),
    "many environments": ask(POLL + "," + "a," * 3_700),
    "invented devices": ask(POLL.replace("30-00-af", "NUMBER").replace("00-90-33-", "009033") + "&x=" + "y" * 7_000),
    "large uploads": ask(UPLOAD, body=lambda: b"config add A /b c\n" * 200_000 + secrets.token_hex(9).encode()),
}
THREADS = {"lines for patterns": 4, "many environments": 8, "invented devices": 8, "large uploads": 4}


def polls(server: Server, seconds: float) -> list[float]:
    """Return how many milliseconds each poll took; one that failed counts as 10,000."""
    took = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        started = time.monotonic()
        try:
            status, _ = server.get(POLL)
            assert status == 200
            took.append((time.monotonic() - started) * 1000)
        except OSError:
            took.append(10_000.0)
        time.sleep(0.05)
    return sorted(took)


def memory(server: Server) -> int:
    """Return the largest resident memory that one of the processes ever had, in MiB."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in server.children()]
    return max(int(found[1]) // 1024 for text in texts if (found := re.search(r"VmHWM:\s+(\d+)", text)))


def site_with_patterns(folder: Path) -> Path:
    site, _ = create_site(folder / "site", who="bench", now=now())
    ignore = b"enabled: true\nignore: ['^config .*user.*id.*=.*;', '^vars create UPDATE/.*$']\n"
    site.config.commit_files({"policies/backup.yaml": ignore}, "Patterns", "Bench <b@localhost>")
    deploy(site, "main", who="bench", now=now())
    site.close()
    return folder / "site"


def measure(name: str, seconds: float) -> int:
    with tempfile.TemporaryDirectory() as folder, serving(site_with_patterns(Path(folder))) as server:
        server.ready()
        ended = Ended()
        threads = [
            threading.Thread(target=ATTACKS[name], args=(server, ended), daemon=True)
            for _ in range(THREADS.get(name, 1))
        ]
        for thread in threads:
            thread.start()
        time.sleep(1)
        took = polls(server, seconds)
        ended.set()
        for thread in threads:
            thread.join(30)
        most = memory(server)
    print(
        f"{name:<28} {took[len(took) // 2]:8.1f} {took[int(len(took) * 0.99)]:8.1f} {took[-1]:8.1f} {most:6}",
        flush=True,
    )
    return most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--only", choices=ATTACKS)
    arguments = parser.parse_args()
    print(f"{'attack':<28} {'median':>8} {'99 %':>8} {'longest':>8} {'MiB':>6}   (polls in ms)")
    most = [measure(name, arguments.seconds) for name in ([arguments.only] if arguments.only else ATTACKS)]
    assert max(most) < MOST_MEMORY, f"a worker has taken {max(most)} MiB"


if __name__ == "__main__":
    main()
