"""The copy of the backup history elsewhere: what a push does, what it leaves behind, and who sees what opens it."""

from __future__ import annotations

import base64
import contextlib
import http.server
import os
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.offices import LINES, SERIAL, Office, dump, git
from support.waiting import until

from gitupd.errors import UnreadableRepository
from gitupd.service.backups.mirror import BackupMirror, Lag, lag
from gitupd.store.backups.repository import BackupRepository

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
    assert "git push failed" in until(lambda: pushing.trouble)
    time.sleep(0.5)  # it fails several times
    mirror.with_name("elsewhere").rename(mirror)
    until(lambda: not lag(office.site).versions, "it is not tried again")
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


_SLOW_SSH = """#!/bin/sh
echo $$ >> "$0.pids"
sleep 100 &
echo $! >> "$0.pids"
wait
"""


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_push_that_is_given_up_takes_along_what_it_has_started(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(_SLOW_SSH)
    ssh.chmod(0o755)
    office.upload(dump(*LINES))
    office.commit()
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=os.pathsep)
    slow = BackupRepository(office.site.backups.path)
    pids = tmp_path / "bin" / "ssh.pids"
    refused: list[str] = []

    def give_up() -> bool:
        if not pids.exists() or len(pids.read_text().split()) < 2:
            return False
        with pytest.raises(UnreadableRepository) as error:  # a second one beside it
            BackupRepository(slow.path).push("ssh://nowhere.example/mirror.git", slow.tip())
        refused.append(str(error.value))
        return True

    with pytest.raises(UnreadableRepository, match="was given up"):
        slow.push("ssh://nowhere.example/mirror.git", slow.tip(), give_up)
    assert "another process has been at work" in refused[0]
    until(lambda: not any(map(_runs, pids.read_text().split())), "processes were left behind")


def test_nobodys_hooks_run_in_the_history_and_for_its_mirror(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/run\nexit 2\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "account").write_text(f"[core]\n\thooksPath = {hooks}\n[push]\n\tgpgSign = true\n")
    mirror = tmp_path / "mirror.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", mirror], check=True, timeout=60)
    # What the mirror runs is its owner's affair; here it is one that has nothing.
    subprocess.run(["git", "-C", mirror, "config", "core.hooksPath", "/dev/null"], check=True, timeout=60)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "account"))
    office.site.__dict__["backups"] = BackupRepository(office.site.backups.path)
    office.upload(dump(*LINES))
    office.commit()
    office.site.settings = replace(office.site.settings, backup_mirror=str(mirror))
    assert BackupMirror(office.site).push()
    assert not (tmp_path / "run").exists()


def test_name_and_password_of_a_mirror_are_told_to_its_server_and_to_nobody_else(office: Office) -> None:
    asked: list[str | None] = []
    seen: list[bool] = []

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.append(b"topsecret" in line.read_bytes())
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=x")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    office.upload(dump(*LINES))
    office.commit()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://keeper:topsecret%3Apassword@127.0.0.1:{server.server_port}/b.git"
        with pytest.raises(UnreadableRepository) as error:
            BackupRepository(office.site.backups.path).push(url, office.site.backups.tip())
        server.shutdown()
    wanted = "Basic " + base64.b64encode(b"keeper:topsecret:password").decode()
    assert (asked[0], wanted in asked, any(seen)) == (None, True, False)
    assert "topsecret" not in str(error.value)
