"""How long the backup pages and a clone take with a long history, beside a plain file from the same server.

    python tests/bench/bench_backups.py [--devices 10000] [--commits 100000] [--size 20] [--rounds 5] [--site FOLDER]

Each page is asked for a few times, one request after the other, and the fastest counts. The history is made first,
which takes some minutes; with --site it is kept in FOLDER, and used again if it is there already.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.fleets import fill
from support.histories import keep, uploads
from support.serving import serving
from support.visitors import Visitor, add_key, add_person, logged_in

from gitupd.core.backups.change import Volatile
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.live import live_now
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

SERIAL = "00-90-33-00-00-11"
PAGES = (
    ("fleet timeline", "/backups", 200),
    ("fleet timeline, one day", "/backups?day={day}", 200),
    ("fleet timeline, IP222 homeoffice", "/backups?q=IP222+homeoffice", 200),
    ("fleet timeline, nothing found", "/backups?q=nothing", 200),
    ("fleet timeline, a month", "/backups?from={month}", 200),
    ("by device", "/backups?show=devices", 200),
    ("overdue", "/backups?show=late", 200),
    ("device history with latest difference", f"/backups/{SERIAL}", 100),
    ("device history, a month", f"/backups/{SERIAL}?from={{month}}", 100),
    ("version", f"/backups/{SERIAL}/latest", 100),
    ("version as a file", f"/backups/{SERIAL}/latest/raw", 100),
    ("difference", f"/backups/{SERIAL}/diff", 100),
    ("difference, side by side, all lines", f"/backups/{SERIAL}/diff?view=split&all=1", 100),
    ("against its script", f"/backups/{SERIAL}/diff?b=now", 100),
    ("since when", f"/backups/{SERIAL}/latest/since", 100),
    ("against another device", f"/backups/{SERIAL}/against?with=00-90-33-00-00-12", 100),
    ("search: 10.2.0.2", "/backups/search?q=10.2.0.2", 1000),
    ("search: nothing found", "/backups/search?q=10.77.0.2", 1000),
    ("search through history (stops after 5 s)", "/backups/search?q=10.77.0.2&scope=history", None),
)
"""What is asked for, and the milliseconds it may take."""


def site_with(devices: int, commits: int, size: int, folder: Path) -> None:
    """Create a site in *folder* with so many versions of *size* KB each."""
    site = create_site(folder, who="bench", now=now())[0]
    fill(site, devices, now())
    live = live_now(site)
    assert live is not None
    started = time.perf_counter()
    found = uploads(devices, commits // devices, now(), size=size * 1000)
    made = keep(site, found, Volatile(live.snapshot.policy.backup.ignore), live.deployment.commit)
    print(f"{made:,} versions written in {time.perf_counter() - started:.0f} s", flush=True)
    started = time.perf_counter()
    site.backups.keep_up()
    print(f"packed in {time.perf_counter() - started:.0f} s: {site.backups.size() / 2**20:.0f} MiB", flush=True)
    for name, role in (("olga", Role.OPERATOR), ("vera", Role.VIEWER)):
        add_person(site, name, role)
    site.close()


def measure(visitor: Visitor, path: str, rounds: int) -> tuple[float, int]:
    """Return the fastest of *rounds* requests in seconds, and the size of the answer in bytes."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        response = visitor.get(path)
        times.append(time.perf_counter() - started)
        response.raise_for_status()
    return min(times), len(response.content)


def figures(folder: Path, rounds: int) -> Iterator[str]:
    site = Site(folder)
    key, count, day = add_key(site, "olga"), site.backup_index.count(), f"{now():%Y-%m-%d}"
    site.close()
    started = time.perf_counter()
    with serving(folder, workers=2) as server:
        server.ready()
        yield f"{count:,} versions; the server was ready after {time.perf_counter() - started:.2f} s"
        for name in ("olga", "vera"):
            with logged_in(server, name) as visitor:
                base, _ = measure(visitor, "/static/gitupd.css", rounds)
                yield f"as {name} (a file of the same server takes {base * 1000:.1f} ms)"
                for title, path, most in PAGES:
                    seconds, size = measure(visitor, path.format(day=day, month=day[:7]), rounds if most else 1)
                    wanted = "" if most is None else f"  of {most:5} ms" + ("  TOO SLOW" * (seconds * 1000 > most))
                    yield f"  {title:<42}{seconds * 1000:8.1f} ms  {size / 1000:8.1f} KB{wanted}"
        yield f"  git clone                                 {clone(server.port, key):8.1f} s"


def clone(port: int, key: str) -> float:
    """Return how many seconds a clone takes."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        url = f"http://olga:{key}@127.0.0.1:{port}/git/backups.git"
        subprocess.run(["git", "clone", "-q", "--bare", url, f"{folder}/clone"], check=True, timeout=3600)
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=20, help="KB of each version")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--site", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.site or Path(temporary) / "site"
        if not folder.exists():
            site_with(options.devices, options.commits, options.size, folder)
        for line in figures(folder, options.rounds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
