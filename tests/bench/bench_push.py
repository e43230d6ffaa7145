"""How long it takes from ``git push`` until polls are answered from what was pushed, with a grace of 0 s.

    python tests/bench/bench_push.py [--rounds 10]

Both ways are measured: by HTTP, and by files as over SSH. The times are also given as ratios to a push of the same
commit by files into a bare repository with the hooks of gitupd, behind which there is no server; and ``git commit``
with the hook that looks at the index to one without it. Wanted on a machine of 2023: less than a second until it is
served.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.serving import Server, serving
from support.visitors import add_key, add_person

from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.pushing.installing import install_hooks

POLL = "/update.php?type=IP222&sn=00-90-33-00-00-01&hwid=h&ip=1&phase=update&polling=0"
LONGEST = 60.0


def git(folder: Path, *arguments: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-C", str(folder), "-c", "user.name=Tess", "-c", "user.email=tess@example.org", *arguments]
    subprocess.run(command, capture_output=True, check=True, env=environment)


def seconds(folder: Path, *arguments: str) -> float:
    started = time.perf_counter()
    git(folder, *arguments)
    return time.perf_counter() - started


def committed(work: Path, number: int, *options: str) -> float:
    """Change a snippet, and return how long its commit takes."""
    (work / "snippets/update-all-all.txt").write_text(f"config change PUSHED /number {number}\n")
    git(work, "add", "-A")
    return seconds(work, "commit", "-q", "-m", f"number {number}", *options)


def served(server: Server, work: Path, url: str, number: int) -> float:
    """Push, and return how long it takes until a poll is told of the *number*."""
    wanted = f"PUSHED /number {number}".encode()
    started = time.perf_counter()
    pushing = subprocess.Popen(
        ["git", "-C", str(work), "push", "-q", url, "HEAD:main"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        while time.perf_counter() - started < LONGEST:
            connection.request("GET", POLL)
            if wanted in connection.getresponse().read():
                break
            time.sleep(0.01)
    taken = time.perf_counter() - started
    assert pushing.wait() == 0
    return taken


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    site, _ = create_site(folder / "site", who="bench", now=now())
    add_person(site, "ada", Role.OPERATOR)
    key, config, work, bare = add_key(site, "ada"), site.path / "config.git", folder / "work", folder / "bare.git"
    git(folder, "clone", "-q", str(config), "work")
    git(folder, "clone", "-q", "--bare", str(config), "bare.git")
    install_hooks(bare)
    install_hooks(work)
    (work / "policies/deploy.yaml").write_text("mode: automatic\ngrace: 0s\n")
    committed(work, 0)
    git(work, "push", "-q", str(config), "HEAD:main")
    deploy(site, "main", who="bench", now=now())
    taken: dict[str, list[float]] = {name: [] for name in NAMES}
    with serving(site.path, workers=2) as server:
        server.ready()
        ways = {HTTP: f"http://ada:{key}@127.0.0.1:{server.port}/git/config.git", FILES: str(config)}
        for number in range(rounds):
            for at, (way, url) in enumerate(ways.items()):
                taken[UNCHECKED].append(committed(work, 4 * number + 2 * at + 1, "--no-verify"))
                taken[CHECKED].append(committed(work, 4 * number + 2 * at + 2))
                taken[way].append(served(server, work, url, 4 * number + 2 * at + 2))
            taken[BARE].append(seconds(work, "push", "-q", str(bare), "HEAD:main"))
    site.close()
    return taken


UNCHECKED, CHECKED = "git commit --no-verify", "git commit with the hook"
BARE, FILES, HTTP = "git push by files, without a server", "until served, by files", "until served, by HTTP"
NAMES = (UNCHECKED, CHECKED, BARE, FILES, HTTP)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="how often each way is gone, in turn")
    rounds = parser.parse_args().rounds
    print(f"{len(template_files())} files; median and longest of {rounds}:")
    with tempfile.TemporaryDirectory() as folder:
        taken = measure(Path(folder), rounds)
    yardsticks = {CHECKED: UNCHECKED, FILES: BARE, HTTP: BARE}
    for name, each in taken.items():
        against = yardsticks.get(name)
        ratio = f"  {median(each) / median(taken[against]):5.1f} times {against}" if against else ""
        print(f"  {name:<36}  {median(each):6.3f} s  {max(each):6.3f} s{ratio}")


if __name__ == "__main__":
    main()
