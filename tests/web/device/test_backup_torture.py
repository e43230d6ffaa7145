"""Backups while processes are killed, disks fill up, and objects rot: what was answered is there, once, and whole."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from support.backup_load import (
    Load,
    at_rest,
    children,
    drained,
    faults,
    leftovers,
    path_of,
    put,
    serial_of,
    site_with_backups,
    version,
    wait_for,
)
from support.damaging import damaged
from support.offices import LINES, SERIAL, commit_with, dump, git, opened, sign
from support.serving import Server, serving
from support.waiting import until

from gitupd.errors import SiteError, UnreadableRepository
from gitupd.service.backups.keeper import BackupKeeper
from gitupd.service.backups.upkeep import MOST_PACKS, compact, keep_up, tidy_inbox, verify
from gitupd.service.site import Site
from gitupd.store.ages import Ages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.offices import Office

    from gitupd.core.caller import Serial

POLL = "/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0"

AT_THE_MOMENT = b"# refused: the backup can't be written down at the moment\r\n"


def is_sound(site: Path) -> None:
    command = ["git", "-C", str(site / "backups.git"), "fsck", "--strict"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert checked.returncode == 0, checked.stderr
    complaints = [line for line in checked.stderr.splitlines() if not line.startswith(("notice:", "Checking"))]
    assert not complaints


# Killed


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Return the programs that the keeper has started, from any of its threads."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += [int(each) for each in (task / "children").read_text().split()]
    return found


def strike(server: Server, chance: random.Random) -> str:
    """Kill something, and return what it was; the first child of the parent is the keeper."""
    running = children(server.process.pid)
    victim = chance.choice(("keeper", "git", "keeper and git", "worker", "server"))
    if victim == "server" or not running:
        server.kill()
        return "server"
    keeper, *workers = running
    if victim == "worker" and workers:
        kill(chance.choice(workers))
        return victim
    deadline = time.monotonic() + 0.3
    while "git" in victim and not descendants(keeper) and time.monotonic() < deadline:
        time.sleep(0.001)
    if "git" in victim:
        time.sleep(chance.uniform(0, 0.02))
        for each in descendants(keeper):
            kill(each)
    if "keeper" in victim:
        kill(keeper)
    return victim


@contextmanager
def half_an_upload(server: Server) -> Iterator[None]:
    """Have a device at hand that has sent half of what it says while the block runs."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = f"PUT {path_of(99)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"80000\r\n" + version(99, 5)[:200_000])
        yield
        return
    yield


def test_killed_at_any_moment_nothing_is_lost_or_twice_or_half(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path, chance, load = tmp_path / "site", random.Random(5), Load(5)
    site_with_backups(path)
    rounds = request.config.getoption("--kill-rounds")
    struck: list[str] = []

    def goes_on() -> bool:
        """Whether more rounds are to come; a slow machine needs some more to have something to lose."""
        return len(struck) < rounds or (load.promised <= 3 * rounds and len(struck) < 20 * rounds)

    with load.running():
        while goes_on():
            with serving(path, workers=2) as server, half_an_upload(server):
                load.server = server
                while server.process.is_alive() and goes_on():
                    time.sleep(chance.uniform(0, 0.5))
                    struck.append(strike(server, chance))
                load.server = None
    with serving(path, workers=2) as server, closing(Site(path)) as site:
        server.ready()
        with at_rest(site):
            assert not faults(site, load)
            assert site.backup_index.of(serial_of(99)) == []
            assert not leftovers(site)
    assert load.promised > 3 * rounds, struck
    is_sound(path)


# Killed by its own git, at a certain moment

_WRAPPER = """#!/bin/sh
case "$*" in *" {verb} "*) ;; *) exec {git} "$@";; esac
[ -e {spent} ] && exec {git} "$@"
touch {spent}
{deed}
"""
_KILL = "kill -9 $PPID"
_UNTIL_TOLD = "for each in $(seq 600); do [ -e $0.go ] && break; sleep 0.05; done"
_WITH_HOOK = '{git} -c core.hooksPath={folder} "$@"; {kill}'
_HOOK = """#!/bin/sh
[ "$1" = {state} ] || exit 0
kill -9 {keeper}
kill -9 $PPID
"""
MOMENTS = {
    "before git begins": ("fast-import", _KILL),
    "while objects are written": ("fast-import", f'head -c 20000 | {{git}} "$@" & sleep 0.3; {_KILL}'),
    "while git goes on": ("fast-import", f'(sleep 0.3; {{git}} "$@" <$0.in) & cat >$0.in; {_KILL}'),
    "while git is slow": ("fast-import", f'({_UNTIL_TOLD}; {{git}} "$@" <$0.in) & cat >$0.in; {_KILL}'),
    "before the branch": ("fast-import", "prepared"),
    "after the branch": ("fast-import", "committed"),
    "after git": ("fast-import", f'{{git}} "$@"; {_KILL}'),
    "before signed commits are written": ("index-pack", _KILL),
    "after signed commits are written": ("index-pack", f'{{git}} "$@"; {_KILL}'),
    "before the branch has signed commits": ("update-ref", _KILL),
    "after the branch has signed commits": ("update-ref", f'{{git}} "$@"; {_KILL}'),
    "before packing anew": ("repack", _KILL),
    "while it packs anew": ("repack", f'{{git}} "$@" & sleep 0.02; kill -9 $!; {_KILL}'),
    "after packing anew": ("repack", f'{{git}} "$@"; {_KILL}'),
    "while the commit-graph is written": ("commit-graph", f'{{git}} "$@" & sleep 0.005; kill -9 $!; {_KILL}'),
}
"""At which command of Git somebody is killed, and how: by a command, or by a hook in this state of the branch."""


def wrapped_git(folder: Path, verb: str, deed: str) -> Path:
    """Make a program called git in *folder*, which kills who starts it, once."""
    git = shutil.which("git")
    folder.mkdir()
    if deed in ("prepared", "committed"):
        hook = folder / "reference-transaction"
        hook.write_text(_HOOK.format(state=deed, keeper=f"$(cat {folder}/keeper)"))
        hook.chmod(0o755)
        deed = f"echo $PPID >{folder}/keeper; " + _WITH_HOOK.format(git=git, folder=folder, kill=_KILL)
    program = folder / "git"
    program.write_text(_WRAPPER.format(verb=verb, git=git, spent=folder / "spent", deed=deed.format(git=git)))
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_certain_moment(tmp_path: Path, moment: str) -> None:
    with opened(tmp_path / "site") as office:
        if "signed" in moment:
            sign(office.site)
        office.upload(dump(*LINES, "config before"))
        assert office.commit() == 1
        bodies = [dump(*LINES, f"config {number}") for number in range(30)]
        for body in bodies:
            assert office.upload(body) == "kept"
        large = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(10_000)))
        assert office.upload_file(large) == "kept"
        folder = wrapped_git(tmp_path / "git", *MOMENTS[moment])
        keeper = multiprocessing.get_context("spawn").Process(target=commit_with, args=(folder, office.site.path))
        keeper.start()
        keeper.join(60)
        assert keeper.exitcode == -signal.SIGKILL
        if moment == "while git is slow":
            with pytest.raises(UnreadableRepository, match="another process has been at work"):
                office.site.backups.claimed(0.1).__enter__()
            (folder / "git.go").touch()
        with office.site.backups.claimed():  # as the next keeper does when it starts
            office.site.backups.tidy()
        while office.commit():
            pass
        office.site.backups.keep_up()
        kept = [office.history().raw(each) for each in office.history().versions(SERIAL)][::-1]
        assert kept == [dump(*LINES, "config before"), *bodies, large]
        assert git(office.site.path, "rev-list", "--count", "main").strip() == str(len(kept)), (
            "no commit is there twice"
        )
        assert office.site.backup_inbox.count() == 0
        hours = iter(range(2))
        ages = Ages(lambda: 4000 * next(hours))
        assert tidy_inbox(office.site, ages) == 0
        assert tidy_inbox(office.site, ages) <= 1
        assert ("signed: 32 commits" in " ".join(verify(office.site))) == ("signed" in moment)
    is_sound(tmp_path / "site")


# Full


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Give the block a file system of *size* that has nothing on it."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


@contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Leave only so many bytes on *disk* while the block runs; others may write meanwhile."""
    filler = disk / "filler"
    try:
        with filler.open("wb") as opened_filler:
            while (room := shutil.disk_usage(disk).free - left) > 0:
                with suppress(OSError):  # somebody has just taken a part of it
                    os.posix_fallocate(opened_filler.fileno(), opened_filler.seek(0, os.SEEK_END), room)
        yield
    finally:
        filler.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_a_full_disk_costs_nothing_that_was_answered(tmp_path: Path) -> None:
    load = Load(4)
    with small_disk(tmp_path / "disk", "64m") as disk:
        path = disk / "site"
        site_with_backups(path)
        with serving(path, workers=2, disk_reserve="0") as server, closing(Site(path)) as site:
            server.ready()
            script = server.get(POLL)[1]
            statuses: set[int | None] = set()
            for left in (0, 8, 40, 100, 200, 300, 500, 1000):
                with filled(disk, left * 1024):
                    for _ in range(5):
                        statuses |= {device.upload(server) for device in load.devices}
                        assert server.get(POLL) == (200, script), "scripts need no room"
                assert all(device.upload(server) == 200 for device in load.devices), f"after {left} KiB were left"
                server.ready()
            assert statuses == {200, 503}
            with filled(disk, 0):  # many times what may be owed of a body that is answered early
                assert put(server, path_of(50), version(50, 0) * 50) == (503, AT_THE_MOMENT)
            with at_rest(site):
                assert not faults(site, load)
                assert not leftovers(site)
                assert len(list(site.inbox_folder.iterdir())) == 0
        is_sound(path)


def wait_in_the_inbox(office: Office, count: int) -> list[Serial]:
    """Have *count* devices upload 1 MB each, which can hardly be compressed, and return who they are."""
    serials = [serial_of(number) for number in range(count)]
    chance = random.Random(count)
    for serial in serials:
        lines = (f"vars create X/{chance.randbytes(48).hex()} p 1" for _ in range(9_000))
        assert office.upload_file(dump(*LINES, *lines), serial) == "kept"
    return serials


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_what_fits_is_committed_without_a_rest_however_little_room_there_is(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "128m") as disk, opened(disk / "site") as office:
        serials = wait_in_the_inbox(office, 12)
        with filled(disk, 0), pytest.raises(UnreadableRepository, match="be written"):
            office.commit()
        with filled(disk, 5 * 2**20):
            counts = list(iter(office.commit, 0))  # none of them raises, or the keeper would rest
            assert sum(counts) == 12
            assert counts[0] == 1, "after a failure the oldest is tried alone"
        assert all(office.site.backup_index.of(serial) for serial in serials)
        is_sound(disk / "site")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_the_keeper_ends_its_rest_when_there_is_room_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "128m") as disk, opened(disk / "site") as office:
        wait_in_the_inbox(office, 3)
        with closing(Site(disk / "site")) as site, structlog.testing.capture_logs() as logged:
            keeper = BackupKeeper(site, office.follower, troubled=1e6)
            with filled(disk, 0):
                keeper.start()
                until(lambda: any(line["event"] == "backups can't be committed" for line in logged))
            drained(office.site)
            keeper.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_nothing_is_packed_anew_without_room_for_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk, opened(disk / "site") as office:
        for number in range(MOST_PACKS + 1):
            assert not keep_up(office.site), "there are few packs"
            office.upload(dump(*LINES, f"config {number}"))
            assert office.commit() == 1
        with filled(disk, 4096):
            for packed_anew in (keep_up, compact):
                with pytest.raises(SiteError, match="to be packed, and 0 are free"):
                    packed_anew(office.site)
        assert office.site.backups.pack_count() == MOST_PACKS + 1
        assert keep_up(office.site)
        assert office.site.backups.pack_count() < MOST_PACKS
        is_sound(disk / "site")


# Rotten


def test_scripts_are_served_and_others_backed_up_beside_a_damaged_object(tmp_path: Path) -> None:
    path, load = tmp_path / "site", Load(3)
    site_with_backups(path)
    with serving(path) as server, closing(Site(path)) as site:
        server.ready()
        assert [device.upload(server) for device in load.devices] == [200] * 3
        drained(site)
        blob = site.backup_index.of(serial_of(0))[0].blob
        with damaged(site.backups.path, blob):
            assert [device.upload(server) for device in load.devices] == [200] * 3
            drained(site)
            assert server.get(POLL)[0] == 200
            wait_for(lambda: bool(report(server)["warnings"]))
            assert f"of device {serial_of(0)} can't be read" in "".join(report(server)["warnings"])
        tip = site.backups.tip()
        with damaged(site.backups.path, tip):
            assert [device.upload(server) for device in load.devices] == [200] * 3
            wait_for(lambda: server.get("/readyz")[0] == 503)
            assert "can't be written" in "".join(report(server)["troubles"])
            assert server.get(POLL)[0] == 200
        wait_for(lambda: server.get("/readyz")[0] == 200)
        drained(site)
        assert not faults(site, load)
        assert "LARGE" not in server.log.read_text(), "the log holds nothing of what was uploaded"
    is_sound(path)


def report(server: Server) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(server.get("/readyz")[1])
    return told
