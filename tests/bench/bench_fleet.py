"""How long the pages take with a large fleet, beside a plain file of the same size from the same server.

    python tests/bench/bench_fleet.py [--devices 10000 100000] [--rounds 5]

Each page is asked for a few times, one request after the other, and the fastest counts. The ratio is to the style
sheet, which the same server sends from disk.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from support.fleets import fill
from support.serving import serving

from gitupd.core.people.person import Actor, Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.people.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "a password for a benchmark"
PAGES = (
    ("devices page", "/devices"),
    ("devices page, sorted", "/devices?sort=last_seen&desc=1"),
    ("devices page, last", "/devices?page={last}"),
    ("search: present IP222 homeoffice", "/devices?q=present+IP222+homeoffice"),
    ("search: a serial number", "/devices?q=00-90-33-00-00-11"),
    ("search: 10.0.1.", "/devices?q=10.0.1."),
    ("device page", "/devices/00-90-33-00-00-11"),
    ("all devices as CSV", "/devices.csv"),
    ("configuration", "/configuration"),
    ("deployments", "/deployments"),
    ("metrics", "/metrics"),
)


def site_with(count: int, folder: Path) -> Path:
    """Create a site with so many devices, of which those of small fleets have 20 messages each."""
    site = create_site(folder / f"site-{count}", who="bench", now=now())[0]
    fill(site, count, now(), messages=20 if count <= 10_000 else 0)
    Access(site).add(Actor("bench", Role.ADMINISTRATOR, None), "bench", Role.ADMINISTRATOR, PASSWORD, now())
    site.close()
    return folder / f"site-{count}"


def measure(client: httpx.Client, path: str, rounds: int) -> tuple[float, int]:
    """Return the fastest of *rounds* requests in seconds, and the size of the answer in bytes."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        response = client.get(path)
        times.append(time.perf_counter() - started)
        response.raise_for_status()
    return min(times), len(response.content)


def figures(count: int, folder: Path, rounds: int) -> Iterator[str]:
    with (
        serving(site_with(count, folder), workers=2) as server,
        httpx.Client(base_url=server.base, timeout=60) as client,
    ):
        server.ready()
        log_in(client)
        base, _ = measure(client, "/static/gitupd.css", rounds)
        yield f"{count:,} devices (a file of the same server takes {base * 1000:.1f} ms)"
        for title, path in PAGES:
            seconds, size = measure(client, path.format(last=(count + 49) // 50), rounds)
            yield f"  {title:<36} {seconds * 1000:8.1f} ms  {seconds / base:7.1f} files  {size / 1000:9.1f} KB"


def log_in(client: httpx.Client) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    said = {"name": "bench", "password": PASSWORD, "csrf_token": token[1], "next": "/devices"}
    assert client.post("/login", data=said).status_code in (302, 303)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for count in options.devices:
            for line in figures(count, Path(folder), options.rounds):
                print(line, flush=True)


if __name__ == "__main__":
    main()
