"""The history is pushed to a mirror."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.offices import LINES, SERIAL, Office, dump, git

from gitupd.errors import UnreadableRepository
from gitupd.service.backups.mirror import BackupMirror, Lag, lag

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.usefixtures("sound_afterwards")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "mirror.git")], check=True, timeout=60)
    return tmp_path / "mirror.git"


def mirrored(office: Office, url: str) -> BackupMirror:
    office.site.settings = replace(office.site.settings, backup_mirror=url)
    return BackupMirror(office.site)


def test_the_history_is_pushed_to_a_mirror(office: Office, mirror: Path) -> None:
    assert lag(office.site) is None
    pushing = mirrored(office, str(mirror))
    assert not pushing.push(), "there is nothing yet"
    office.upload(dump(*LINES))
    office.commit()
    office.upload(dump(*LINES, "config a"))
    office.commit()
    behind = lag(office.site)
    assert (behind.versions, behind.since) == (2, office.history().version(SERIAL, "~1").received)
    assert pushing.push()
    assert not pushing.push()
    assert lag(office.site) == Lag(0, None)
    command = ["git", "-C", str(mirror), "rev-parse", "main"]
    arrived = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert arrived == git(office.site.path, "rev-parse", "main")


def test_a_mirror_that_is_away_is_tried_again(office: Office, mirror: Path) -> None:
    office.upload(dump(*LINES))
    office.commit()
    office.site.settings = replace(office.site.settings, backup_mirror=str(mirror))
    mirror.rename(mirror.with_name("elsewhere"))
    pushing = BackupMirror(office.site, first_pause=0.05)
    pushing.start()
    deadline = time.monotonic() + 60
    while pushing.trouble is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "git push failed" in pushing.trouble
    time.sleep(0.5)  # it fails several times
    mirror.with_name("elsewhere").rename(mirror)
    while lag(office.site).versions and time.monotonic() < deadline:
        time.sleep(0.05)
    pushing.stop()
    assert (lag(office.site), pushing.trouble) == (Lag(0, None), None)


def test_foreign_commits_in_a_mirror_are_never_overwritten_nor_merged(office: Office, mirror: Path) -> None:
    tree = subprocess.run(["git", "-C", str(mirror), "mktree"], input=b"", capture_output=True, check=True, timeout=60)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    command = ["git", "-C", str(mirror), *identity, "commit-tree", "-m", "foreign", tree.stdout.decode().strip()]
    foreign = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    subprocess.run(["git", "-C", str(mirror), "update-ref", "refs/heads/main", foreign], check=True, timeout=60)
    office.upload(dump(*LINES))
    office.commit()
    with pytest.raises(UnreadableRepository, match="git push failed"):
        mirrored(office, str(mirror)).push()
    assert office.site.backup_index.count() == 1
