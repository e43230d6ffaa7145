"""A site with a fleet whose devices upload their configurations, without a server."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.core.caller import Serial, parse_serial
from gitupd.core.policy import Backup
from gitupd.service.backups.commits import BackupCommits
from gitupd.service.backups.history import BackupHistory
from gitupd.service.backups.intake import Arrival, BackupIntake
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.live import Follower
from gitupd.service.site import Site
from support import fleets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime
    from pathlib import Path

SERIAL = parse_serial("00-90-33-00-00-0d")
LINES = [f"config change MODULE{number} /option {number}" for number in range(200)]


class Office:
    """A site with a fleet, its intake and its committer."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.follower = Follower(site)
        self.follower.follow()
        self.live = self.follower.live
        self.intake = BackupIntake(self.follower, site.backup_inbox, site.inventory, site.inbox_folder)
        self.intake.start()
        self.commits = BackupCommits(site)

    def upload(self, content: bytes, serial: Serial = SERIAL) -> str:
        """Upload, and return what became of it."""
        return self.put(content, serial).result(10)[0]

    def put(
        self, content: bytes, serial: Serial = SERIAL, at: datetime | None = None, **facts: str
    ) -> Future[Sequence[str]]:
        """Upload, and don't wait for what becomes of it."""
        facts = {"address": "10.0.0.1", "authenticated": "no", **facts}
        reading = self.intake.read(content)
        return self.intake.put([Arrival(serial, at or now(), content, len(content), facts, reading)])

    def upload_file(self, content: bytes, serial: Serial = SERIAL) -> str:
        path = self.site.inbox_folder / "incoming-1"
        path.write_bytes(content)
        arrival = Arrival(serial, now(), path, len(content), {}, self.intake.read(path))
        return self.intake.put([arrival]).result(10)[0]

    def commit(self) -> int:
        return self.commits.commit(self.live.snapshot.policy.backup)

    def history(self, *, secrets: bool = True) -> BackupHistory:
        return BackupHistory(self.site, self.live.snapshot.policy.backup, secrets=secrets)


@contextmanager
def opened(path: Path, devices: int = 20) -> Iterator[Office]:
    """Give the block an office with so many devices in a new site at *path*."""
    site = create_site(path, who="test", now=now())[0]
    fleets.fill(site, devices, now())
    office = Office(site)
    try:
        yield office
    finally:
        office.intake.stop()
        site.close()


def sign(site: Site) -> None:
    """Have the backup history of *site* signed from now on, by whoever opens it as well."""
    with (site.path / "gitupd.toml").open("a") as settings:
        settings.write("sign_backups = true\n")
    site.settings = replace(site.settings, sign_backups=True)


def git(site: Path, *arguments: str) -> str:
    command = ["git", "-C", str(site / "backups.git"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def dump(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def commit_with(folder: Path, path: Path) -> None:
    """Commit all that waits, and pack anew, with the git in *folder*."""
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    site = Site(path)
    commits = BackupCommits(site)
    while commits.commit(Backup()):
        pass
    site.backups.keep_up()
