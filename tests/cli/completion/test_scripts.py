"""``gitupd completion`` prints the script of a shell, however the program is called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitupd.cli.completion.shells import Fish


def gitupd(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gitupd", *arguments]
    inherited = {name: value for name, value in os.environ.items() if name != "SHELL"}
    return subprocess.run(
        command, env={**inherited, **environment}, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    ("shell", "marks"),
    [
        ("bash", "complete -o nosort -F _gitupd_completion gitupd"),
        ("zsh", "#compdef gitupd"),
        ("fish", "complete --no-files --command gitupd"),
    ],
)
def test_each_shell_has_its_script(shell: str, marks: str) -> None:
    done = gitupd("completion", shell)
    assert done.returncode == 0
    assert marks in done.stdout
    assert f"_GITUPD_COMPLETE={shell}_complete" in done.stdout
    assert "python" not in done.stdout
    assert gitupd("completion", SHELL=f"/usr/bin/{shell}").stdout == done.stdout
    assert gitupd(_GITUPD_COMPLETE=f"{shell}_source").stdout.strip() == done.stdout.strip()


def test_the_installed_program_prints_the_same() -> None:
    program = Path(sys.executable).with_name("gitupd")
    if not program.exists():
        pytest.skip("gitupd is not installed here")
    installed = subprocess.run([program, "completion", "bash"], capture_output=True, text=True, check=True, timeout=120)
    assert installed.stdout == gitupd("completion", "bash").stdout


def test_bash_reads_the_script() -> None:
    script = gitupd("completion", "bash").stdout
    ended = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_fish_keeps_commas() -> None:
    assert 'string split -m 1 "," $completion' in Fish.source_template


def test_another_shell_is_told_which_there_are() -> None:
    done = gitupd("completion", "tcsh")
    assert done.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr
    unknown = gitupd("completion", SHELL="/bin/tcsh")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "SHELL names '/bin/tcsh', and a script there is for bash, zsh and fish" in unknown.stderr
    assert "SHELL names none" in gitupd("completion").stderr


def test_whoever_has_no_such_command_is_told(tmp_path: Path) -> None:
    done = gitupd("completion", "bash", PATH=str(tmp_path))
    assert "nothing is called gitupd on the PATH" in done.stderr
    (tmp_path / "gitupd").symlink_to(shutil.which("true") or "/bin/true")
    assert "nothing is called" not in gitupd("completion", "bash", PATH=str(tmp_path)).stderr
