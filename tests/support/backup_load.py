"""Devices that upload backups as fast as they can, and note down what they were promised."""

from __future__ import annotations

import http.client
import random
import re
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gitupd.core.caller import Serial
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitupd.service.site import Site
    from support.serving import Server

    Connect = Callable[[Server], http.client.HTTPConnection]
    """Makes a connection of another kind than usual."""

LINES = "".join(f"config change MODULE{number} /option {number}\r\n" for number in range(60))
LARGE = "".join(f"vars create LARGE/{number:06} p {number * 7}\r\n" for number in range(6_000))
EVERY = 5
"""Every so-manyth version is so large that it goes by way of a file."""

_NUMBER = re.compile(rb"config change CMD0 /name N(\d+)\r\n")


def serial_of(device: int) -> Serial:
    return Serial(f"0090335000{device:02x}")


def path_of(device: int) -> str:
    return f"/update.php?mode=backup&hwid=IP222-{device}&sn={serial_of(device)}"


def version(device: int, number: int) -> bytes:
    """Return what *device* uploads as its version *number*: each is different from all others."""
    own = f"config change OWN /device {device}\r\nconfig change CMD0 /name N{number}\r\n"
    return (LINES + own + (LARGE if number % EVERY == 0 else "")).encode()


def number_in(content: bytes) -> int:
    found = _NUMBER.search(content)
    assert found is not None, content[:200]
    return int(found[1])


@dataclass
class Device:
    """Uploads one version after the other to whatever server there is; ``promised`` were answered with 200."""

    number: int
    sent: int = 0
    promised: list[int] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    unanswered: int = 0
    connect: Connect | None = None

    def upload(self, server: Server) -> int | None:
        """Upload the next version, and return the status of the answer, None if there was none."""
        self.sent += 1
        answer = put(server, path_of(self.number), version(self.number, self.sent), self.connect)
        if answer is None:
            self.unanswered += 1
            return None
        status, said = answer
        if status == 200 and said.endswith(b" kept\r\n"):
            self.promised.append(self.sent)
        else:
            self.others.append(f"{status} {said!r}")
        return status


def put(server: Server, path: str, content: bytes, connect: Connect | None = None) -> tuple[int, bytes] | None:
    """Upload as devices do, and return what was answered, None if nothing was."""
    connection = connect(server) if connect else http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        parts = (content[at : at + 30_000] for at in range(0, len(content), 30_000))
        connection.request("PUT", path, body=parts, encode_chunked=True, headers=_CHUNKED)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


_CHUNKED = {"Transfer-Encoding": "chunked"}


class Load:
    """Some devices that upload at the same time."""

    def __init__(self, count: int, connect: Connect | None = None) -> None:
        self.devices = [Device(number, connect=connect) for number in range(count)]
        self.server: Server | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Upload while the block runs, to the server that ``server`` is at the time."""
        ended = threading.Event()
        threads = [threading.Thread(target=self._run, args=(device, ended)) for device in self.devices]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def _run(self, device: Device, ended: threading.Event) -> None:
        chance = random.Random(device.number)
        while not ended.is_set():
            if self.server is None or device.upload(self.server) != 200:
                time.sleep(0.05)
            if chance.random() < 0.1:
                time.sleep(0.02)

    @property
    def promised(self) -> int:
        return sum(len(device.promised) for device in self.devices)


def site_with_backups(path: Path) -> None:
    """Create a site at *path* that wants backups, and deploys nothing by itself."""
    site = create_site(path, who="test", now=now())[0]
    files = dict(site.config.files(site.config.resolve("main")))
    files |= {"policies/deploy.yaml": b"mode: manual\n", "policies/backup.yaml": b"enabled: true\n"}
    site.config.commit_files(files, "Backups", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now())
    site.close()


def drained(site: Site, seconds: float = 60) -> None:
    """Wait until everything that waits is in the history."""
    deadline = time.monotonic() + seconds
    while site.backup_inbox.count():
        assert time.monotonic() < deadline, f"{site.backup_inbox.count()} uploads stay in the inbox"
        time.sleep(0.05)


@contextmanager
def at_rest(site: Site) -> Iterator[None]:
    """Run the block when everything that waited is in the history, and the keeper has finished what goes with that."""
    drained(site)
    with site.backups.claimed():
        yield


def faults(site: Site, load: Load) -> list[str]:
    """Return what is wrong with the history, as against what was sent and promised."""
    found = []
    command = ["git", "-C", str(site.backups.path), "rev-list", "--count", "main"]
    commits = int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    if commits != site.backup_index.count():
        found.append(f"{commits} commits, of which the index knows {site.backup_index.count()}")
    for device in load.devices:
        kept = site.backup_index.of(serial_of(device.number), limit=100_000)[::-1]
        contents = site.backups.contents(each.blob for each in kept)
        numbers = []
        for each in kept:
            content = contents[each.blob]
            if content is None:
                found.append(f"{each.commit} can't be read")
                continue
            numbers.append(number_in(content))
            if content != version(device.number, numbers[-1]):
                found.append(f"device {device.number}: version {numbers[-1]} is not what was sent")
        found += [f"device {device.number}: version {number} is lost" for number in {*device.promised} - {*numbers}]
        if sorted(set(numbers)) != numbers:
            found.append(f"device {device.number}: twice, or out of order: {numbers}")
    return found


def leftovers(site: Site) -> list[Path]:
    """Return what a killed process left behind that nobody removed."""
    patterns = ("**/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/pack/*.keep", "fast_import_crash_*")
    found = [path for pattern in patterns for path in site.backups.path.glob(pattern)]
    with suppress(FileNotFoundError):
        known = site.backup_inbox.keys()
        found += [path for path in site.inbox_folder.iterdir() if path.name in known]
    return found


def children(pid: int) -> list[int]:
    """Return the processes that a process has started from its main thread, the oldest first."""
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def wait_for(met: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)
