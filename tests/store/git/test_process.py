"""Programs with their children."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.waiting import until

from gitupd.store.git.process import GitProcess, GivenUp, Stuck

_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
open(sys.argv[2], "w").write(str(child.pid))
child.wait()
"""
_SLEEP = "import time; time.sleep(100)"
_WORK = "import time\nfor _ in range(30): time.sleep(0.1); open('/dev/null', 'wb').write(bytes(1000))"


def parent(child: str, note: Path) -> GitProcess:
    return GitProcess(
        [sys.executable, "-c", _PARENT, child, str(note)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid: str) -> bool:
    return until(lambda: not runs(pid), "it is still there")


def test_a_program_that_does_nothing_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(Stuck), parent(_SLEEP, tmp_path / "child") as process:
        process.result(1.5, lambda: False)
    assert wait_for_end((tmp_path / "child").read_text())


def test_one_whose_work_nobody_wants_any_more_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(GivenUp), parent(_SLEEP, tmp_path / "child") as process:
        process.result(100, (tmp_path / "child").exists)
    assert wait_for_end((tmp_path / "child").read_text())


def test_one_whose_child_gets_on_is_given_its_time(tmp_path: Path) -> None:
    with parent(_WORK, tmp_path / "child") as process:
        started = time.monotonic()
        process.result(1.5, lambda: False)
        assert time.monotonic() - started > 2.5
        assert process.returncode == 0
