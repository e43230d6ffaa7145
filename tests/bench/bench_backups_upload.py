"""How many backups a server with its default settings takes in, and how quickly they become history.

    python tests/bench/bench_backups_upload.py [--seconds 5] [--rounds 3] [--devices 1000]

Load comes from wrk on the same cores: 20 KB from each of many devices in turn. Everything is also given as a ratio to
the same server when it reads the same bodies and throws them away, since nobody asked for backups; both take turns.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.fleets import fill
from support.histories import content
from support.serving import Server, serving

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
CONNECTIONS = 200


def site_with(count: int, folder: Path, *, enabled: bool) -> Path:
    """Create a site with *count* devices that wants their backups, or does not."""
    path = folder / f"site-{enabled}"
    site = create_site(path, who="bench", now=now())[0]
    files = dict(site.config.files(site.config.resolve("main")))
    files["policies/backup.yaml"] = f"enabled: {str(enabled).lower()}\n".encode()
    files["policies/deploy.yaml"] = b"mode: manual\n"
    site.config.commit_files(files, "Backups", "Bench <bench@localhost>")
    deploy(site, "main", who="bench", now=now())
    fill(site, count, now())
    site.close()
    return path


def load(port: int, seconds: int, bodies: Path, count: int, kind: str) -> float:
    """Return the uploads per second that wrk gets answered; raises if any of them failed."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30", "-s", str(HERE / "upload.lua")]
    command += [f"http://127.0.0.1:{port}", "--", str(bodies), str(count), kind]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def drained(site: Site) -> tuple[int, float]:
    """Wait until nothing is in the inbox any more; return how many versions there are, and how many left per second."""
    before, started = site.backup_index.count(), time.monotonic()
    while site.backup_inbox.count():
        time.sleep(0.02)
    count, seconds = site.backup_index.count(), time.monotonic() - started
    return count, (count - before) / seconds if count > before else 0.0


def measured(taking: Server, discarding: Server, site: Site, bodies: Path, options: argparse.Namespace) -> Rates:
    """Return the rates of all rounds by what was measured."""
    rates: Rates = {"discarded": [], "changed": [], "unchanged": [], "into Git, after the load": []}
    load(taking.port, 1, bodies, options.devices, "same")
    while site.backup_inbox.count():
        time.sleep(0.02)
    for _ in range(options.rounds):
        rates["discarded"].append(load(discarding.port, options.seconds, bodies, options.devices, "changed"))
        rates["changed"].append(load(taking.port, options.seconds, bodies, options.devices, "changed"))
        rates["into Git, after the load"].append(drained(site)[1])
        load(taking.port, 2, bodies, options.devices, "same")
        drained(site)
        rates["unchanged"].append(load(taking.port, options.seconds, bodies, options.devices, "same"))
        drained(site)
    return rates


Rates = "Mapping[str, list[float]]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where to make the sites (default: the folder for temporary files)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        bodies = folder / "bodies"
        bodies.mkdir()
        for number in range(options.devices):
            (bodies / str(number)).write_bytes(content(number, 1))
        taking = site_with(options.devices, folder, enabled=True)
        discarding = site_with(options.devices, folder, enabled=False)
        site = Site(taking)
        with serving(taking, workers=2) as first, serving(discarding, workers=2) as second:
            first.ready()
            second.ready()
            rates = measured(first, second, site, bodies, options)
            print_rates(rates)
        count = site.backup_index.count()
        before = site.backups.size()
        site.backups.keep_up()
        packed = site.backups.size() / count
        print(f"{count} versions: {before / count:.0f} bytes each on the disk, {packed:.0f} once packed")
        site.close()


def print_rates(rates: Mapping[str, list[float]]) -> None:
    for name, found in rates.items():
        ratios = [rate / base for rate, base in zip(found, rates["discarded"], strict=True)]
        print(f"{name:<26} {statistics.median(found):>8.0f}/s   {statistics.median(ratios):.2f} of those thrown away")


if __name__ == "__main__":
    main()
