"""Backups when the power fails, when they are very large, and when they end too early."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.backup_load import (
    EVERY,
    Device,
    children,
    drained,
    path_of,
    serial_of,
    site_with_backups,
    version,
    wait_for,
)
from support.serving import Server, serving

from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator


# Without power


@contextmanager
def traced(pids: list[int], into: Path) -> Iterator[None]:
    """Write down what processes, and those that they start, ask of the kernel about files and answers, in its order."""
    calls = "trace=write,pwrite64,writev,sendto,sendmsg,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink"
    attached = [part for pid in pids for part in ("-p", str(pid))]
    command = ["strace", "-f", "-y", "-s", "200", "-e", calls, "-o", str(into), *attached]
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracing:
        assert tracing.stderr is not None
        first = tracing.stderr.readline()
        if "attached" not in first:
            tracing.wait(10)
            pytest.skip(f"nobody may be traced here: {first.strip()}")
        time.sleep(1)
        try:
            yield
            time.sleep(1)
        finally:
            tracing.send_signal(signal.SIGINT)
            tracing.communicate(timeout=30)


def calls_in(trace: Path) -> list[str]:
    """Return the calls in the order in which they were done, without the process; those cut in two are put together."""
    begun: dict[str, str] = {}
    done = []
    for line in trace.read_text(errors="replace").splitlines():
        process, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>").rstrip()
        elif resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
            done.append(begun.pop(process, "") + resumed[1])
        else:
            done.append(call)
    return done


def every(calls: list[str], pattern: str) -> list[int]:
    """Return the places of those of *calls* in which *pattern* is found."""
    return [place for place, call in enumerate(calls) if re.search(pattern, call)]


def last(calls: list[str], pattern: str) -> int:
    """Return the place of the last of *calls* in which *pattern* is found."""
    places = every(calls, pattern)
    assert places, pattern
    return places[-1]


def first(calls: list[str], pattern: str) -> int:
    return next(place for place, call in enumerate(calls) if re.search(pattern, call))


SYNCED = r"^f(data)?sync\(.*gitupd\.db-wal>\) *= 0"


@pytest.mark.parametrize("number", [1, EVERY], ids=["small", "large"])
def test_what_is_answered_was_synced(tmp_path: Path, number: int) -> None:
    site_with_backups(tmp_path / "site")
    with serving(tmp_path / "site", workers=1) as server:
        server.ready()
        keeper, worker = children(server.process.pid)
        os.kill(keeper, signal.SIGSTOP)
        device = Device(0, sent=number - 1)
        with traced([worker], tmp_path / "trace"):
            assert device.upload(server) == 200
        os.kill(keeper, signal.SIGCONT)
    calls = calls_in(tmp_path / "trace")
    answer = first(calls, r"^(write|writev|sendto|sendmsg)\(.*HTTP/1.1 200")
    written = last(calls[:answer], r"^pwrite64\(.*gitupd\.db-wal>")
    assert "gitupd.db-wal" in "".join(calls[written:answer])
    synced = last(calls[:answer], SYNCED)
    assert written < synced, "the row is synced before the answer"
    if number == EVERY:
        content = last(calls[:synced], r"^write\(.*inbox/incoming-")
        flushed = last(calls[:synced], r"^fsync\(.*inbox/incoming-.*= 0")
        renamed = last(calls[:synced], r"^rename.*inbox/incoming-.*= 0")
        named = last(calls[:synced], r"^fsync\(.*/inbox>\) *= 0")
        assert content < flushed < renamed < named < synced, "and so is the file, and its name, before the row"


@pytest.mark.parametrize("signed", ["false", "true"], ids=["not signed", "signed"])
def test_what_leaves_the_inbox_was_synced(tmp_path: Path, signed: str) -> None:
    site_with_backups(tmp_path / "site")
    with serving(tmp_path / "site", workers=1, sign_backups=signed) as server, closing(Site(tmp_path / "site")) as site:
        server.ready()
        keeper, _ = children(server.process.pid)
        time.sleep(1)
        with traced([keeper], tmp_path / "trace"):
            device = Device(0)
            for _ in range(EVERY):
                assert device.upload(server) == 200
            drained(site)
    calls = calls_in(tmp_path / "trace")
    branch = first(calls, r"^rename.*refs/heads/main\.lock.*= 0")
    done = branch + first(calls[branch:], r"^pwrite64\(.*gitupd\.db-wal>")
    for kind in ("pack", "idx"):
        synced = every(calls[:branch], rf"^fsync\(.*objects/pack/tmp_{kind}_.*= 0")
        named = every(calls[:branch], rf"^(rename|link).*objects/pack/pack-\w+\.{kind}.*= 0")
        assert len(synced) == len(named) == (2 if signed == "true" else 1)
        assert all(before < after for before, after in zip(synced, named, strict=True)), "synced before it has a name"
    assert first(calls, r"^fsync\(.*refs/heads/main\.lock>\) *= 0") < branch
    for folder in ("objects/pack", "refs/heads"):
        assert branch < branch + first(calls[branch:], rf"^fsync\(.*backups\.git/{folder}>\) *= 0") < done
    if signed == "true":
        listed = first(calls, r"^fsync\(.*backups\.signers>\) *= 0")
        written = first(calls, r"^fsync\(.*\.backups\.key-.*= 0")
        named = first(calls, r"^(rename|link).*backups\.key.*= 0")
        kept = first(calls, r"^fsync\(.*/site>\) *= 0")
        assert listed < written < named < kept < branch, "the key outlives what it signs"
    removed = first(calls, r"^unlink.*inbox/[0-9a-f]{32}")
    wal = last(calls[:removed], r"^pwrite64\(.*gitupd\.db-wal>")
    assert wal < last(calls[:removed], SYNCED), "a file goes after its row"


# Large


def peak(pid: int) -> float:
    """Return how much memory a process had at the most, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 10**6


def put_large(server: Server, device: int, megabytes: int, answers: list[bytes]) -> None:
    line = f"config change MODULE{device} /option %08d /and some more of what such a line says\r\n"
    part = "".join(line % number for number in range(10_000)).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=300) as connection:
        connection.sendall(f"PUT {path_of(device)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(megabytes * 10**6 // len(part) + 1):
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")
        answer = b""
        while b"bytes: " not in answer and (more := connection.recv(10_000)):
            answer += more
        answers.append(answer)


@pytest.mark.slow
def test_large_uploads_of_many_devices_at_once_take_little_memory(tmp_path: Path) -> None:
    site_with_backups(tmp_path / "site")
    answers: list[bytes] = []
    with serving(tmp_path / "site", workers=2) as server:
        server.ready()
        uploads = [threading.Thread(target=put_large, args=(server, each, 20, answers)) for each in range(64)]
        for upload in uploads:
            upload.start()
        for upload in uploads:
            upload.join()
        _, *workers = children(server.process.pid)
        assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 64
        assert all(answer.endswith(b"kept\r\n") for answer in answers)
        assert max(map(peak, workers)) < 200
        with closing(Site(tmp_path / "site")) as site:
            wait_for(lambda: site.backup_index.count() >= 4, 300)
            server.kill()  # to commit, and to pack, all of them takes minutes
            end_programs_at(tmp_path / "site")
            assert site.backup_index.count() + site.backup_inbox.count() == 64


def end_programs_at(site: Path) -> None:
    """End what a server that was killed has left to itself: a program of Git may finish what it does."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(site) in command.read_bytes():
                os.kill(int(command.parent.name), signal.SIGKILL)


# Cut off


def test_what_was_not_kept_is_told_on_the_page_of_the_device(tmp_path: Path) -> None:
    site_with_backups(tmp_path / "site")
    with serving(tmp_path / "site", largest_upload="1") as server, closing(Site(tmp_path / "site")) as site:
        server.ready()
        server.get(f"/update.php?type=IP222&sn={serial_of(0)}&hwid=IP222-0&ip=10.0.0.1&polling=0")
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                head = f"PUT {path_of(0)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                connection.sendall(head.encode() + b"10000\r\n" + version(0, 1)[:1000])
            wait_for(lambda: len(messages(site)) == 1)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = f"PUT {path_of(0)} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
            connection.sendall(head.encode() + b"config change A /b c\r\n" * 60_000)
            assert b" 413 " in connection.recv(1000)
        wait_for(lambda: len(messages(site)) == 2)
        time.sleep(0.5)
        assert messages(site) == [
            "its backup was not kept: the upload was cut off",
            "its backup was not kept: the upload is too large",
        ]
        assert list(site.inbox_folder.iterdir()) == []


def messages(site: Site) -> list[str]:
    device = site.inventory.device(serial_of(0))
    return [] if device is None else [message.text for message in device.messages]
