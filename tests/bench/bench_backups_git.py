"""The backup history beside the same versions as Oxidized's git output lays them out, read by git and by gitupd.

    python tests/bench/bench_backups_git.py [--devices 10000] [--commits 100000] [--size 20] [--loose 1000]
                                            [--rounds 3] [--site FOLDER] [--flat FOLDER]

Oxidized keeps one file per device in the root folder of one repository, with a commit "update NODE" for each change.
It writes every object into a file of its own, and packs nothing; an operator may run ``git gc``. Here the flat
repository is written by ``git fast-import``, in an order that lets it store differences as small as they get, and the
last few commits (--loose) as single files, so that both can be seen; then ``git gc`` packs all of it, with what gc adds
by itself (a commit-graph and bitmaps) and nothing else. gitupd's history is packed as its upkeep does. The versions and
the order of the commits are the same in both, byte for byte.

Times are the fastest of a few rounds, but for what takes longer than 10 s, which is done once. Clones go through
``file://``, so Git packs and sends as it would to a network. Sizes are what the disk has to give.

The histories are made first, which takes long with the default figures; with --site and --flat they are kept in these
folders, and used again if they are there already.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench_backups import SERIAL, site_with
from support.serving import serving
from support.visitors import logged_in

from gitupd.core.caller import parse_serial
from gitupd.service.backups.history import BackupHistory
from gitupd.service.deployments.live import live_now
from gitupd.service.site import Site
from gitupd.store.backups.stream import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitupd.core.backups.version import BackupVersion

NODE = parse_serial(SERIAL)
_LONG = 10.0
_OXIDIZED = "Oxidized <o@example.com>"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured in both histories, in seconds or in bytes: the less the better."""

    title: str
    ours: float
    flat: float
    unit: str = "s"

    def __str__(self) -> str:
        """Return the row of a table, with how often ours goes into the flat one's."""
        values = "".join(f"{_readable(value, self.unit):>14}" for value in (self.ours, self.flat))
        return f"{self.title:<56}{values}{self.flat / self.ours:>10.2f}"


def _readable(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 1000:,.2f} KB"
    return f"{value:,.2f} s" if value >= 1 else f"{value * 1000:,.1f} ms"


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-c", f"safe.directory={repository}", "--git-dir", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=36_000).stdout.decode(errors="replace")


# The flat history


def lay_flat(site: Site, versions: Sequence[BackupVersion], repository: Path, loose: int) -> Iterator[str]:
    """Write *versions* of *site* into a new *repository*, the last ones *loose*, and pack it; yield what that took."""
    git(repository, "init", "--quiet", "--bare", "--initial-branch=main")
    started, split = time.perf_counter(), len(versions) - loose
    _import(site, versions[:split], repository, "fastimport.unpackLimit=1", goes_on=False)
    yield f"flat: {split:,} commits written in packs in {time.perf_counter() - started:.0f} s"
    before = _disk(repository)
    _import(site, versions[split:], repository, "fastimport.unpackLimit=100000000", goes_on=True)
    took = (_disk(repository) - before) / loose
    yield f"flat: {loose:,} commits as Oxidized writes them, before gc: {took / 1000:,.1f} KB of disk per version"
    asked = partial(git, repository, "log", "--format=%H", f"main~{loose}..main", "--", str(NODE))
    yield f"flat: git log -- FILE through these {loose:,}: {fastest(asked, 3):.2f} s"
    started = time.perf_counter()
    git(repository, "gc", "--quiet", "--prune=now")
    yield f"flat: git gc took {time.perf_counter() - started:.0f} s"


def _import(site: Site, versions: Sequence[BackupVersion], repository: Path, setting: str, *, goes_on: bool) -> None:
    command = ["git", "--git-dir", str(repository), "-c", setting, "fast-import", "--quiet", "--done"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importing:
        assert importing.stdin is not None
        # Versions of one device behind each other: so they lie as differences to each other in the pack.
        order = sorted(range(len(versions)), key=lambda number: versions[number].serial.digits)
        contents = site.backups.stream([versions[number].blob for number in order])
        for number, content in zip(order, contents, strict=True):
            importing.stdin.write(b"blob\nmark :%d\ndata %d\n%s\n" % (number + 1, len(content), content))
        for number, version in enumerate(versions):
            _write(importing.stdin, version, number + 1, goes_on=goes_on and number == 0)
        importing.stdin.write(b"done\n")
        importing.stdin.close()
        if importing.wait():
            raise SystemExit("git fast-import failed")


def _write(stream: IO[bytes], version: BackupVersion, mark: int, *, goes_on: bool) -> None:
    seconds, message = int(version.received.timestamp()), f"update {version.serial}"
    stream.write(f"commit refs/heads/main\nauthor {_OXIDIZED} {seconds} +0000\n".encode())
    stream.write(f"committer {_OXIDIZED} {seconds} +0000\ndata {len(message)}\n{message}\n".encode())
    if goes_on:
        stream.write(b"from refs/heads/main^0\n")
    stream.write(f"M 100644 :{mark} {version.serial}\n\n".encode())


def _disk(repository: Path) -> int:
    """Return what the objects of a repository take on the disk, in bytes."""
    return sum(path.stat().st_blocks * 512 for path in repository.glob("objects/**/*") if path.is_file())


# What is measured


def fastest(does: Callable[[], object], rounds: int) -> float:
    """Return the seconds of the fastest of *rounds*, of the first one if that takes long."""
    times: list[float] = []
    while len(times) < rounds and not (times and times[0] > _LONG):
        started = time.perf_counter()
        does()
        times.append(time.perf_counter() - started)
    return min(times)


@dataclass(frozen=True, slots=True)
class Both:
    """The two repositories, and how often to ask."""

    ours: Path
    flat: Path
    rounds: int

    def row(self, title: str, *arguments: str) -> Row:
        """Ask both the same; FILE stands for the device's path in each."""
        return Row(title, self.seconds(self.ours, *arguments), self.seconds(self.flat, *arguments))

    def seconds(self, repository: Path, *arguments: str) -> float:
        """Ask one of them."""
        path = path_of(NODE) if repository == self.ours else str(NODE)
        return fastest(partial(git, repository, *(each.replace("FILE", path) for each in arguments)), self.rounds)


_HISTORY = ("log", "--format=%H %cI %s", "main", "--", "FILE")
_TIMELINE = ("log", "--format=%H %cI %s", "--name-only", "-100", "main")
_DAYS = ("log", "--format=%cd", "--date=short", "main")
_SEARCH = ("grep", "--fixed-strings", "10.2.0.2", "main")


def by_git(both: Both) -> Iterator[Row]:
    """Yield what git itself takes in both."""
    yield both.row("git log -- FILE", *_HISTORY)
    yield both.row("git log -p -- FILE", "log", "-p", "main", "--", "FILE")
    yield both.row("git log -1 -p -- FILE", "log", "-1", "-p", "main", "--", "FILE")
    yield both.row("git blame FILE", "blame", "main", "--", "FILE")
    yield both.row("git show main:FILE", "show", "main:FILE")
    yield both.row("git show main", "show", "main")
    yield both.row("git log -100 --name-only", *_TIMELINE)
    yield both.row("git log --format=%cd (all, for a count per day)", *_DAYS)
    yield both.row("git grep in all latest versions", *_SEARCH)


def by_gitupd(both: Both, folder: Path) -> Iterator[Row]:
    """Yield what gitupd takes for what an operator of the other asks git for."""
    site = Site(folder)
    live = live_now(site)
    assert live is not None
    history = BackupHistory(site, live.snapshot.policy.backup, secrets=True)
    of_device = both.seconds(both.flat, *_HISTORY)
    yield Row("one device: gitupd's index; git log", fastest(partial(history.versions, NODE), both.rounds), of_device)
    site.close()
    with serving(folder, workers=2) as server, logged_in(server, "olga") as visitor:
        server.ready()

        def page(path: str) -> float:
            return fastest(lambda: visitor.get(path).raise_for_status(), both.rounds)

        yield Row("one device: gitupd's page; git log", page(f"/backups/{NODE}"), of_device)
        days = both.seconds(both.flat, *_TIMELINE) + both.seconds(both.flat, *_DAYS)
        yield Row("all devices: gitupd's page, by day; git log, twice", page("/backups"), days)
        search = both.seconds(both.flat, *_SEARCH)
        yield Row("search all latest: gitupd's page; git grep", page("/backups/search?q=10.2.0.2"), search)


def on_disk(both: Both, count: int) -> Iterator[Row]:
    """Yield what both take on the disk, for each version."""
    yield Row("disk per version, packed", _disk(both.ours) / count, _disk(both.flat) / count, "bytes")
    (ours, ours_packed), (flat, flat_packed) = _trees(both.ours), _trees(both.flat)
    yield Row("folders (tree objects) per commit, as they are hashed", ours / count, flat / count, "bytes")
    yield Row(
        "folders (tree objects) per commit, as they are packed", ours_packed / count, flat_packed / count, "bytes"
    )


def _trees(repository: Path) -> tuple[int, int]:
    """Return the size of all tree objects, and what they take in packs."""
    form = "--batch-check=%(objecttype) %(objectsize) %(objectsize:disk)"
    found = git(repository, "cat-file", "--batch-all-objects", "--unordered", form)
    sizes = [line.split() for line in found.splitlines() if line.startswith("tree ")]
    return sum(int(whole) for _, whole, _ in sizes), sum(int(packed) for _, _, packed in sizes)


def cloned(both: Both) -> Row:
    """Return how long a bare clone takes."""

    def clone(repository: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            command = ["git", "clone", "--quiet", "--bare", f"file://{repository.resolve()}", f"{folder}/clone"]
            subprocess.run(command, check=True, timeout=36_000)

    ours, flat = (fastest(partial(clone, repository), both.rounds) for repository in (both.ours, both.flat))
    return Row("git clone --bare", ours, flat)


def compare(both: Both, folder: Path, count: int) -> Iterator[str]:
    """Yield the table; both must hold the same."""
    for form in (("rev-list", "--count", "main"), ("rev-parse", "main:FILE")):
        asked = [
            git(place, *(word.replace("FILE", path) for word in form))
            for place, path in ((both.ours, path_of(NODE)), (both.flat, str(NODE)))
        ]
        assert asked[0] == asked[1], f"git {form[0]} says {asked}"
    yield f"{'':<56}{'gitupd':>14}{'flat':>14}{'ratio':>10}"
    for rows in (on_disk(both, count), by_git(both), by_gitupd(both, folder), (cloned(both),)):
        yield from map(str, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=20, help="KB of each version")
    parser.add_argument("--loose", type=int, default=1_000, help="commits that are looked at before gc, too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--site", type=Path)
    parser.add_argument("--flat", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, flat = options.site or Path(temporary) / "site", options.flat or Path(temporary) / "flat.git"
        if not folder.exists():
            site_with(options.devices, options.commits, options.size, folder)
        site = Site(folder)
        versions = site.backup_index.newest(site.backup_index.count())[::-1]
        if not flat.exists():
            for line in lay_flat(site, versions, flat, options.loose):
                print(line, flush=True)
        site.close()
        both = Both(site.backups.path, flat, options.rounds)
        for line in compare(both, folder, len(versions)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
