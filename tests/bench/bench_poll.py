"""How many polls a server with its default settings answers, as a ratio to a bare callable under gunicorn.

    python tests/bench/bench_poll.py [--seconds 5] [--rounds 3]

Load comes from wrk with 16 connections on the same cores. Server and yardstick take turns, so that a machine whose
speed drifts does not tilt the ratio.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.serving import Server, serving

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
_DEPLOY = b"mode: manual\n"


def site_with_three_snippets(folder: Path) -> Path:
    """Create a site whose polls deliver three snippets of 1.2 KB each."""
    site, _ = create_site(folder / "site", who="bench", now=now())
    line = "config change MODULE{} /option value{} /another-option some-longer-value\n"
    names = ("all-all-all", "update-phone-all", "update-phone-default")
    files = {
        f"snippets/{name}.txt": "".join(line.format(number, number) for number in range(17)).encode() for name in names
    }
    site.config.commit_files({**files, "policies/deploy.yaml": _DEPLOY}, "Three snippets", "Bench <b@localhost>")
    deploy(site, "main", who="bench", now=now())
    site.close()
    return folder / "site"


@contextmanager
def yardstick(size: int) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "8"]
    command += ["--bind", f"127.0.0.1:{port}", "--chdir", str(HERE), "--log-level", "error", "yardstick:application"]
    process = subprocess.Popen(command, env={**os.environ, "YARDSTICK_BYTES": str(size)})
    try:
        time.sleep(2)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def load(port: int, seconds: int, more: str = "") -> float:
    """Return the requests per second that wrk gets answered; raises if any of them failed."""
    command = [
        "wrk",
        "-t2",
        "-c16",
        f"-d{seconds}s",
        "-s",
        str(HERE / "poll.lua"),
        f"http://127.0.0.1:{port}",
        "--",
        more,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def memory_of_workers(server: Server) -> list[float]:
    """Return the resident memory of each process below the server's parent, in MiB."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    sizes = []
    for child in children:
        status = Path(f"/proc/{child}/status").read_text()
        sizes.append(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = site_with_three_snippets(Path(folder))
        with serving(site, workers=2) as server:
            server.ready()
            path = "/update/update.php?polling=0&phase=update&type=IP222&sn=00-90-33-00-00-01&hwid=h&ip=1&env=default"
            body = server.get(path + "&PROT=137213&BOOT=137213")[1]
            check = re.search(rb"check ser (\w+)", body)[1].decode()
            rates: dict[str, list[float]] = {"yardstick": [], "deliver": [], "check": []}
            with yardstick(len(body)) as port:
                load(server.port, 1)
                for _ in range(options.rounds):
                    rates["yardstick"].append(load(port, options.seconds))
                    rates["deliver"].append(load(server.port, options.seconds))
                    rates["check"].append(load(server.port, options.seconds, f"&CHECK={check}"))
            memory = memory_of_workers(server)
    print(f"a poll that delivers three snippets is {len(body)} bytes")
    for name, found in rates.items():
        ratios = [rate / base for rate, base in zip(found, rates["yardstick"], strict=True)]
        print(f"{name:<10} {statistics.median(found):>8.0f}/s   {statistics.median(ratios):.2f} of the yardstick")
    print("memory of keeper and workers, MiB:", ", ".join(f"{size:.0f}" for size in memory))


if __name__ == "__main__":
    main()
