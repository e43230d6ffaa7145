"""Completing as a shell has it done: by the program, told of the line in its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 120.0

HOSTILE = {
    "00903300ff01": "$(touch executed)",
    "00903300ff02": "`touch executed`; touch executed #",
    "00903300ff03": "*",
    "00903300ff04": "two\nplain,lines",
    "00903300ff05": 'it\'s a "quote"',
    "00903300ff06": "a:b,c",
    "00903300ff07": "tab\there",
    "00903300ff08": "--reason=x",
    "00903300ff09": "back\\slash",
    "00903300ff0a": "bell\x07\x1b[31m",
    "00903300ff0b": "Lobby Ost",
    "00903300ff0c": "Lobby West",
}
"""Names that devices were given, by serial number."""


def environment(words: tuple[str, ...], shell: str, **more: str) -> dict[str, str]:
    """Return the environment in which a shell calls the program to complete the last of *words*."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GITUPD_")}
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    return {**inherited, **asked, "_GITUPD_COMPLETE": f"{shell}_complete", **more}


def completed(words: tuple[str, ...], where: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the program once, as zsh has it complete the last of *words*."""
    return subprocess.run(
        [sys.executable, "-m", "gitupd"],
        cwd=where,
        env=environment(("gitupd", *words), "zsh", **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def offers(*words: str, where: Path, **more: str) -> dict[str, str]:
    """Return what is offered for the last of *words* behind ``gitupd``, with what is said of each value.

    That is what zsh is told: values are as they are, and have help. There must be nothing on standard error. A machine
    that has too much to do is asked again: the program gives up after a second.
    """
    deadline = time.monotonic() + SECONDS
    while (ended := completed(words, where, **more)).returncode == -signal.SIGALRM and time.monotonic() < deadline:
        pass
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.removesuffix("\n").split("\n") if ended.stdout.strip() else []
    assert len(lines) % 3 == 0, lines
    told = {}
    for kind, value, words_on_it in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name = value.replace(r"\:", ":") if kind == "plain" else kind
        told[name] = "" if words_on_it == "_" else words_on_it
    return told
