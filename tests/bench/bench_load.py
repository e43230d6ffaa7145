"""How long it takes to load a commit, to validate it, and how a deployment is felt by those who poll.

    python tests/bench/bench_load.py

Times are also given as ratios to reading the same bytes from files, measured in the same run.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench_poll import memory_of_workers
from support.serving import Server, serving

from gitupd.config.loader import build, load
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitupd.service.site import Site

CLASSES = (
    *("all", "phone", "gw", "pbx", "mobile", "reception", "fxsgw", "fxogw", "brigw", "prigw", "opus_phone"),
    *("ip222", "ip232", "ip112", "ip101", "ip102", "ip110", "ip111", "ip150", "ip240", "ip241", "ip242"),
    *("ip6010", "ip3011", "ip811"),
)
LINES = 20
POLL = "/update.php?type=IP222&sn=00-90-33-00-00-01&hwid=h&ip=1&phase=update&polling=0&env=site0"


def configuration(count: int, number: int = 0) -> Mapping[str, bytes]:
    """Return a configuration with *count* snippets of 20 lines; *number* makes it another one."""
    sites = [f"site{each}" for each in range(count // (2 * len(CLASSES)))]
    environments = "".join(f"  {name}: {{}}\n" for name in ("default", "homeoffice", "intranet", *sites))
    files = {
        **template_files(),
        "environments.yaml": f"environments:\n{environments}".encode(),
        "policies/deploy.yaml": b"mode: manual\n",
    }
    for site in sites:
        for phase in ("staging", "update"):
            for name in CLASSES:
                text = "".join(f"config change MOD{at} /option {number} /place {site}-{name}\n" for at in range(LINES))
                files[f"snippets/{phase}-{name}-{site}.txt"] = text.encode()
    return files


def seconds(action: Callable[[], object], rounds: int = 5) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def read_files(files: Mapping[str, bytes], folder: Path) -> float:
    """Return how long it takes to read the same bytes from plain files."""
    paths = []
    for number, content in enumerate(files.values()):
        path = folder / str(number)
        path.write_bytes(content)
        paths.append(path)
    return seconds(lambda: [path.read_bytes() for path in paths])


def felt_by_polls(site: Site, server: Server, commit: str) -> tuple[float, float]:
    """Return the slowest of polls before a deployment, and of those while it takes effect, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def poll() -> float:
        started = time.perf_counter()
        connection.request("GET", POLL)
        connection.getresponse().read()
        time.sleep(0.002)
        return time.perf_counter() - started - 0.002

    before = max(poll() for _ in range(500))
    deploying = threading.Thread(target=lambda: deploy(site, commit, who="bench", now=now()))
    deploying.start()
    deploying.join()
    ended = time.monotonic() + 1.5
    during = 0.0
    while time.monotonic() < ended:
        during = max(during, poll())
    connection.close()
    return before, during


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    for count in (500, 5000):
        print(measured(count))


def measured(count: int) -> str:
    """Return what was measured with *count* snippets, as a line."""
    files = configuration(count)
    with tempfile.TemporaryDirectory() as folder:
        site, _ = create_site(Path(folder) / "site", who="bench", now=now())
        commit = site.config.commit_files(files, "Many snippets", "Bench <b@localhost>")
        bytes_alone = read_files(files, Path(folder))
        loading = seconds(lambda: load(site.config.files(commit), commit))
        validating = seconds(lambda: build(files)[1], rounds=3)
        deploy(site, commit, who="bench", now=now())
        other = site.config.commit_files(configuration(count, 1), "Changed", "Bench <b@localhost>")
        with serving(site.path, workers=2) as server:
            server.ready()
            before, during = felt_by_polls(site, server, other)
            memory = max(memory_of_workers(server))
        site.close()
    return (
        f"{count:>5} snippets: load {loading * 1000:.0f} ms ({loading / bytes_alone:.1f} of reading plain files), "
        f"validate {validating * 1000:.0f} ms, slowest poll {before * 1000:.1f} ms before and "
        f"{during * 1000:.1f} ms during a deployment, largest process {memory:.0f} MiB"
    )


if __name__ == "__main__":
    main()
