"""What TLS costs: handshakes as a ratio to nginx, and polls on kept-open connections as a ratio to those without TLS.

    python tests/bench/bench_tls.py [--seconds 5] [--rounds 3] [--key rsa]

Handshakes show a client certificate, each connection asks once. They come from eight processes of ``openssl s_time``,
against gitupd and against nginx with the same certificates and versions of TLS, two workers each, on the same cores,
in turns. Polls come from two processes with eight connections each, with and without TLS. Since clients take much of
these cores, the processor time of the server is told, too. Wanted: half of nginx's handshakes and 300 a second, 0.70
of the polls.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench_poll import site_with_three_snippets
from support.authorities import Authority, rsa_key
from support.serving import serving
from support.shaking import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from support.authorities import Files

POLL = "/update/update.php?polling=0&phase=update&type=IP222&sn=00-90-33-00-00-01&hwid=h&ip=1&env=default"
CLIENTS = 8
"""As many do handshakes at the same time: each waits for an answer before it goes on."""

NAMES = (
    *("handshakes: nginx", "handshakes: gitupd", "resumed: nginx", "resumed: gitupd", "polls: http", "polls: mtls"),
)
_NGINX = """
user root; worker_processes 2; pid {folder}/nginx.pid; error_log stderr warn; daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  ssl_session_tickets on;
  server {{
    listen 127.0.0.1:{port} ssl reuseport;
    ssl_certificate {server.certificate}; ssl_certificate_key {server.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_client_certificate {trust}; ssl_verify_client on; ssl_verify_depth 4;
    location / {{ rewrite ^ /body last; }}
    location = /body {{ root {folder}; }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, server: Files, trust: Path, size: int) -> Iterator[tuple[int, Callable[[], Iterable[int]]]]:
    """Run nginx, which demands a certificate and answers with so many bytes; yield its port, and its workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, port=port, server=server, trust=trust))
    (folder / "body").write_bytes(b"#" * size)
    process = subprocess.Popen(["nginx", "-c", str(configuration), "-p", str(folder)])
    try:
        time.sleep(1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        yield port, lambda: map(int, children.read_text().split())
    finally:
        process.terminate()
        process.wait(20)


def handshakes(port: int, client: Files, seconds: int, *, resumed: bool = False) -> int:
    """Return how many connections the clients get answered, each by one handshake."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-cert", str(client.certificate)]
    command += ["-key", str(client.key), "-reuse" if resumed else "-new", "-time", str(seconds), "-www", POLL]
    clients = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(CLIENTS)
    ]
    said = [each.communicate()[0] for each in clients]
    counts = [re.findall(r"(\d+) connections in \d+ real seconds, (\d+) bytes read", each)[-1] for each in said]
    if any(each.returncode for each in clients) or not all(int(size) for _, size in counts):
        raise RuntimeError(said[0][-1000:])
    if resumed and "rrrr" not in said[0]:
        raise RuntimeError("no session is resumed")
    return sum(int(connections) for connections, _ in counts)


def polls(port: int, seconds: int, client: Files | None = None) -> int:
    """Return how many polls two clients get answered, on eight connections each that stay open."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("forkserver")) as pool:
        return sum(pool.map(_poll, [port] * 2, [seconds] * 2, [client] * 2))


def _poll(port: int, seconds: int, shown: Files | None) -> int:
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    if shown is not None:
        context = client(shown)
        opened = [context.wrap_socket(each) for each in opened]
    request = f"GET {POLL} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    answered, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for each in opened:
            each.sendall(request)
        for each in opened:
            answer = each.recv(65536)
            size = int(re.search(rb"content-length: (\d+)", answer)[1]) + answer.index(b"\r\n\r\n") + 4
            while len(answer) < size:
                answer += each.recv(65536)
            answered += 1
    for each in opened:
        each.close()
    return answered


def processor_seconds(processes: Iterable[int]) -> float:
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in processes]
    return sum(int(ticks) for fields in stats for ticks in fields[11:13]) / os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """Rates, and the processor time of the server for each, in milliseconds."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def add(self, processes: Callable[[], Iterable[int]], load: Callable[[], int]) -> None:
        before, started = processor_seconds(processes()), time.monotonic()
        count = load()
        self.rates.append(count / (time.monotonic() - started))
        self.costs.append((processor_seconds(processes()) - before) / count * 1000)

    def __str__(self) -> str:
        return f"{statistics.median(self.rates):8.0f}/s {statistics.median(self.costs):8.3f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--key", choices=("rsa", "ecdsa"), default="rsa", help="the server's key")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = site_with_three_snippets(folder)
        root = Authority.root("Bench Root")
        shown = root.device("IP222-00-00-01").files(folder, "client")
        key = rsa_key() if options.key == "rsa" else None
        server = root.server("localhost", key=key).files(site / "tls", "server")
        trust = site / "trust" / "root.pem"
        trust.parent.mkdir(exist_ok=True)
        trust.write_bytes(root.pem)
        measured = {name: Measured() for name in NAMES}
        with serving(site, workers=2, options=["--http", "127.0.0.1:0", "--mtls", "127.0.0.1:0"]) as gitupd:
            gitupd.ready()
            plain, encrypted = gitupd.ports
            size = len(gitupd.get(POLL)[1])
            with nginx(folder, server, trust, size) as (yardstick, processes):
                for _ in range(options.rounds):
                    loads = (
                        (processes, lambda: handshakes(yardstick, shown, options.seconds)),
                        (gitupd.children, lambda: handshakes(encrypted, shown, options.seconds)),
                        (processes, lambda: handshakes(yardstick, shown, options.seconds, resumed=True)),
                        (gitupd.children, lambda: handshakes(encrypted, shown, options.seconds, resumed=True)),
                        (gitupd.children, lambda: polls(plain, options.seconds)),
                        (gitupd.children, lambda: polls(encrypted, options.seconds, shown)),
                    )
                    for what, load in zip(NAMES, loads, strict=True):
                        measured[what].add(*load)
    for name, figures in measured.items():
        print(f"{name:20} {figures}")
    for name, of in (NAMES[1::-1], NAMES[3:1:-1], NAMES[:3:-1]):
        rate = ratio(measured[name].rates, measured[of].rates)
        cost = ratio(measured[of].costs, measured[name].costs)
        print(f"{name} is {rate:.2f} of {of}; by processor time {cost:.2f}")


def ratio(numbers: list[float], base: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(numbers, base, strict=True))


if __name__ == "__main__":
    main()
