"""What commands print on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.fleets import device

from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from pathlib import Path

STEERS = "\x1b]52;c;ZXZpbA==\x1b\\"


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "all-all-all.txt").write_text(f"# {STEERS}\nconfig add X /y z\n")
    return tmp_path


def printed(command: list[str], *, terminal: bool) -> bytes:
    """Return what *command* prints to a terminal, or to a program."""
    arguments = [sys.executable, "-m", "gitupd", *command]
    if not terminal:
        return subprocess.run(arguments, stdout=subprocess.PIPE, check=True).stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(arguments, stdout=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # how Linux says that nobody has the other end any more
            pass
        os.close(ours)
        assert process.wait() == 0
    return said


@pytest.mark.parametrize("command", ["render", "explain"])
def test_what_a_commit_says_steers_no_terminal(configuration: Path, command: str) -> None:
    arguments = [command, str(configuration), "--type", "IP222"]
    assert b"config add X /y z" in printed(arguments, terminal=True)
    assert b"\x1b" not in printed(arguments, terminal=True)
    assert STEERS.encode() in printed(arguments, terminal=False), "programs get the very bytes"


WIDE = "x" * 60


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    site, first = create_site(tmp_path / "site", who="test", now=now())
    devices = [device(number, first.commit, now()) for number in (1, 2)]
    named = [replace(each, given_name=f"{n}{WIDE}", environments=(WIDE,)) for n, each in enumerate(devices, 1)]
    site.inventory.save_sightings(named)
    return site.path


@pytest.mark.parametrize("columns", [40, 100, 400])
def test_a_table_is_no_wider_than_the_terminal(fleet: Path, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    command = ["devices", "--site", str(fleet)]
    heads, *rows = printed(command, terminal=True).decode().replace("\r", "").splitlines()
    assert len(rows) == 2
    assert max(map(len, (heads, *rows))) <= columns
    assert all("00-90-33-00-00-0" in row for row in rows)
    assert (f"1{WIDE}" in rows[0]) == (columns == 400)
    assert ("…" in rows[0]) == (columns < 400)
    assert f"1{WIDE}" in printed(command, terminal=False).decode(), "programs get all of it"
