"""Calls the program as users do, in a process of its own, but forked from one that has imported it already."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gitupd.cli.main import main
from support.hashing import hash_cheaply
from support.serving import FORKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECONDS = 300.0


def called(
    *arguments: object, cwd: Path, stdin: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call ``gitupd`` with *arguments* at *cwd*, and return what it printed, and its exit code."""
    words = [str(argument) for argument in arguments]
    with TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, "utf-8", newline="")
        process = FORKS.Process(target=_call, args=(words, cwd, streams, dict(environment or {})))
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, _SECONDS)
        return subprocess.CompletedProcess(words, process.exitcode, *(path.read_text("utf-8") for path in streams[1:]))


def _call(words: Sequence[str], cwd: Path, streams: Sequence[Path], environment: Mapping[str, str]) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.update(environment)
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    hash_cheaply()
    sys.argv = ["gitupd", *words]
    main()
