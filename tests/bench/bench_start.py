"""How much processor time the program takes to start, beside ``python -c pass`` in the same run.

A hook starts ``gitupd validate`` at each commit, and a shell ``gitupd --help`` whenever somebody asks. Wanted on a
machine of 2023: 0.15 s for --version and --help, 0.35 s for validate; 0.5 s for what looks at a site without a device.

    python tests/bench/bench_start.py [--rounds 20]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory

TEMPLATE = Path(__file__).parents[2] / "repo-template"
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "gitupd --version": ("-m", "gitupd", "--version"),
    "gitupd --help": ("-m", "gitupd", "--help"),
    "gitupd validate repo-template": ("-m", "gitupd", "validate", str(TEMPLATE)),
    "gitupd test repo-template": ("-m", "gitupd", "test", str(TEMPLATE)),
}


def processor_seconds(arguments: tuple[str, ...]) -> float:
    """Run Python once; return what it took in user and system mode."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how often each is started, in turn")
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        site = f"{folder}/site"
        subprocess.run([sys.executable, "-m", "gitupd", "init", site], capture_output=True, check=True)
        commands = COMMANDS | {
            f"gitupd {words}": ("-m", "gitupd", *words.split(), "--site", site)
            for words in ("devices", "status", "users list")
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, arguments in commands.items():
                seconds[name].append(processor_seconds(arguments))
    yardstick = median(seconds["python -c pass"])
    print(f"processor time, median of {rounds}:")
    for name, each in seconds.items():
        print(f"  {name:<30}  {median(each):6.3f} s  {median(each) / yardstick:5.1f} times python -c pass")


if __name__ == "__main__":
    main()
