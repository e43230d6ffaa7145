"""How much processor time it takes to complete a line, beside ``python -c pass`` in the same run.

A shell starts gitupd at each Tab, and whoever types waits for it. The site has 10,000 devices. Wanted on a machine of
2023: 0.15 s for a command, 0.3 s for a value.

    python tests/bench/bench_completion.py [--rounds 20] [--devices 10000]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.fleets import fill

from gitupd.service.clock import now
from gitupd.service.creating import create_site

LINES = {
    "a command": ("dev",),
    "an option": ("devices", "--"),
    "a serial number": ("device", "00-90-33-00-1"),
    "a name": ("timeline", "Desk\\ 12"),
    "anything of a device": ("device", ""),
    "a word of a search": ("devices", "env:h"),
    "a revision": ("deploy", ""),
    "an environment": ("render", "--env", "ho"),
}


def processor_seconds(command: list[str], site: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Run a program once; return what it took in user and system mode, and how many lines it printed."""
    before = getrusage(RUSAGE_CHILDREN)
    ended = subprocess.run(command, cwd=site, env={**os.environ, **environment}, capture_output=True, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, len(ended.stdout.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how often each is completed, in turn")
    parser.add_argument("--devices", type=int, default=10_000, help="how many devices the site has")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        site, _ = create_site(Path(folder) / "site", who="bench", now=now())
        fill(site, arguments.devices, now())
        site.close()
        report(site.path, arguments.rounds)


def report(site: Path, rounds: int) -> None:
    """Print what each line takes."""
    passing: list[float] = []
    taken: dict[str, list[float]] = {name: [] for name in LINES}
    offered = dict.fromkeys(LINES, 0)
    for _ in range(rounds):
        passing.append(processor_seconds([sys.executable, "-c", "pass"], site, {})[0])
        for name, words in LINES.items():
            asked = {"COMP_WORDS": "\n".join(("gitupd", *words)), "COMP_CWORD": str(len(words))}
            environment = {**asked, "_GITUPD_COMPLETE": "bash_complete"}
            seconds, offered[name] = processor_seconds([sys.executable, "-m", "gitupd"], site, environment)
            taken[name].append(seconds)
    yardstick = median(passing)
    print(f"processor time, median of {rounds}:")
    print(f"  {'python -c pass':<22}  {yardstick:6.3f} s")
    for name, each in taken.items():
        told = f"{median(each):6.3f} s  {median(each) / yardstick:5.1f} times python -c pass"
        print(f"  {name:<22}  {told}  {offered[name]:>4} offered")


if __name__ == "__main__":
    main()
