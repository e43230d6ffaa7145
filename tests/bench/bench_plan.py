"""How long ``gitupd plan`` takes for a fleet, beside what it takes to render one device as often as there are devices.

    python tests/bench/bench_plan.py [--devices 10000 100000]

One snippet changes, or every snippet and a policy. The fleet is one of a site with devices in a few environments and
phases; and one in which ``devices.yaml`` names every device, so that no two stand the same. Each figure is of a process
of its own, the start of the program included, with the time that it was computing and the most memory that it had.
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

from support.fleets import device, fill

from gitupd.config.loader import load
from gitupd.core.situation import Basis
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.imagining import Imagining

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MEASURED = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
    " used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
)
_LINES = "".join(f"config add PHONE/USER-UI /line-{number} value\n" for number in range(100)).encode()


def configurations(count: int, *, named: bool) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """Yield what is committed one after the other, and what it is called."""
    base = {path: content + _LINES * path.startswith("snippets/") for path, content in template_files().items()}
    if named:
        rows = "".join(f"  {device_serial(number)}: {{variables: {{desk: 'd{number}'}}}}\n" for number in range(count))
        base["devices.yaml"] = f"devices:\n{rows}".encode()
    yield "base", base
    one = {**base, "snippets/update-phone-homeoffice.txt": _LINES + b"config add ONE /line more\n"}
    yield "one snippet", one
    every = {
        path: content + b"config add EVERY /line more\n" * path.startswith("snippets/")
        for path, content in base.items()
    }
    yield "everything", {**every, "policies/delivery.yaml": b"interval: 30\n"}


def device_serial(number: int) -> str:
    return f"009033{number:06x}"


def figures(count: int, folder: Path, *, named: bool) -> Iterator[str]:
    place = folder / f"{count}-{named}"
    site = create_site(place, who="bench", now=now())[0]
    fill(site, count, now())
    commits = {}
    for title, files in configurations(count, named=named):
        commits[title] = site.config.commit_files(files, title, "Bench <bench@example.org>")
    one = rendering(load(site.config.files(commits["base"])), commits["base"])
    site.close()
    yield f"{count:,} devices{', each of them in devices.yaml' if named else ''}; one rendering {one * 1e6:.0f} µs"
    for title in ("one snippet", "everything"):
        started = time.perf_counter()
        command = ["gitupd", "plan", "--site", str(place), commits["base"], commits[title], "--format", "json"]
        program = [sys.executable, "-c", _MEASURED, str(Path(sys.executable).with_name("gitupd")), *command[1:]]
        done = subprocess.run(program, check=True, capture_output=True, text=True)
        wall, (seconds, memory) = time.perf_counter() - started, map(float, done.stdout.split())
        ratio = seconds / (one * count)
        yield (
            f"  {title:<12} {wall:7.2f} s, {seconds:6.2f} s of a processor  {ratio:6.2f} renderings of each"
            f"  {memory / 1024:6.0f} MiB"
        )


def rendering(snapshot: object, commit: str) -> float:
    """Return the seconds that it takes to render the script of one device."""
    one = device(1, commit, now())
    imagining = Imagining(Basis(snapshot), now())
    times = []
    for _ in range(50):
        started = time.perf_counter()
        assert imagining.again(one.request, one).body
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[10_000, 100_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for count in options.devices:
            for named in (False, True):
                for line in figures(count, Path(folder), named=named):
                    print(line, flush=True)


if __name__ == "__main__":
    main()
