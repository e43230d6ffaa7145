"""How long it takes from a push to the upstream until polls are answered from what was pushed, with a grace of 0 s.

    python tests/bench/bench_upstream.py [--rounds 10]

The upstream is served by ``git http-backend``, and its host says by a signed webhook that something was pushed. The
time is also given as a ratio to a bare ``git fetch`` of the same commit into a repository without a server. Between two
rounds is a pause, for a site fetches no more often than every 2 seconds. Wanted on a machine of 2023: less than 2 s.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.client
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.serving import Server, serving
from support.upstreams import ENVIRONMENT, elsewhere, follow, web_host

from gitupd.core.upstream.pauses import LEAST_BETWEEN
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from support.upstreams import Elsewhere

POLL = "/update.php?type=IP222&sn=00-90-33-00-00-01&hwid=h&ip=1&phase=update&polling=0"
SECRET = "correct horse"
LONGEST = 60.0
BARE, TOLD = "git fetch, without a server", "until served, by webhook"


def told(server: Server, number: int) -> None:
    """Say that something was pushed, as GitHub does."""
    body = f'{{"number": {number}}}'.encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("POST", "/webhook", body, {"X-Hub-Signature-256": f"sha256={signature}"})
        assert connection.getresponse().status == 202


def served(server: Server, number: int) -> float:
    """Say that something was pushed; return how long it takes until a poll is told of the *number*."""
    wanted = f"PUSHED /number {number}".encode()
    started = time.perf_counter()
    told(server, number)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        while time.perf_counter() - started < LONGEST:
            connection.request("GET", POLL)
            if wanted in connection.getresponse().read():
                break
            time.sleep(0.01)
    return time.perf_counter() - started


def pushed(there: Elsewhere, number: int) -> None:
    there.commit(f"config change PUSHED /number {number}\n".encode(), path="snippets/update-all-all.txt")


def fetched(bare: Path, url: str) -> float:
    started = time.perf_counter()
    command = ["git", "-C", str(bare), "fetch", "-q", url, "+refs/heads/main:refs/heads/main"]
    subprocess.run(command, check=True, env=ENVIRONMENT)
    return time.perf_counter() - started


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    site, _ = create_site(folder / "site", who="bench", now=now())
    rule = b"mode: automatic\ngrace: 0s\n"
    files = {**template_files(), "policies/deploy.yaml": rule}
    deploy(site, site.config.commit_files(files, "At once", "Tess <tess@example.org>"), who="bench", now=now())
    (folder / "hosted").mkdir()
    there, bare = elsewhere(site, folder / "hosted/there.git"), elsewhere(site, folder / "bare.git").path
    (site.path / "webhook").write_text(SECRET)
    taken: dict[str, list[float]] = {BARE: [], TOLD: []}
    with web_host(folder / "hosted") as host:
        url = f"{host.base}/there.git"
        follow(site, url, every="1h", webhook_secret_file="webhook")
        site.close()
        with serving(site.path, workers=2) as server:
            server.ready()
            for number in range(rounds):
                time.sleep(LEAST_BETWEEN + 0.5)
                pushed(there, number)
                taken[TOLD].append(served(server, number))
                taken[BARE].append(fetched(bare, url))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="how often something is pushed")
    rounds = parser.parse_args().rounds
    print(f"{len(template_files())} files; median and longest of {rounds}:")
    with tempfile.TemporaryDirectory() as folder:
        taken = measure(Path(folder), rounds)
    for name, each in taken.items():
        ratio = f"  {median(each) / median(taken[BARE]):5.1f} times {BARE}" if name is not BARE else ""
        print(f"  {name:<30}  {median(each):6.3f} s  {max(each):6.3f} s{ratio}")


if __name__ == "__main__":
    main()
