"""Runs what the documentation shows: blocks of ```console, in order, in one folder, held against what they say.

A line that starts with ``$ `` is a command, ``> `` continues it, the others are what it prints. ``...`` stands for
anything in a line, and for any lines if it stands alone. Commit ids, times and names of people differ from run to run,
and are not compared. A command that ends with ``&`` is a server: the next command waits until it is ready. A block
inside a comment of HTML is run as well, and not shown: it prepares what readers of a guide have already.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHOWN_PORT = "8080"
_PATIENCE = 60.0
_COMMAND_SECONDS = 300.0  # some settle a fleet
_SAME = (
    (re.compile(r"\b[0-9a-f]{40}\b"), "COMMIT"),
    (re.compile(r"\b([0-9a-f]{12}|[0-9a-f]{7,8})\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\+00:00)?"), "TIME"),
    (re.compile(r"\b[\w.-]+@[\w.-]+\b"), "SOMEBODY"),
)


@dataclass(frozen=True, slots=True)
class Example:
    """A command as it is shown, what it is to print, and in which line of its page it stands."""

    line: int
    command: str
    output: str


def examples(page: str) -> Iterator[Example]:
    """Yield the examples of *page* in order."""
    for block in _BLOCK.finditer(page):
        at = page.count("\n", 0, block.start()) + 2
        command: list[str] = []
        output: list[str] = []
        for number, line in enumerate(block[1].splitlines(), at):
            if line.startswith("$ "):
                if command:
                    yield Example(at, "\n".join(command), "\n".join(output))
                at, command, output = number, [line[2:]], []
            elif line.startswith("> ") and not output:
                command.append(line[2:])
            else:
                output.append(line)
        if command:
            yield Example(at, "\n".join(command), "\n".join(output))


def agrees(said: str, shown: str) -> bool:
    """Whether what was *said* is what the page has *shown*."""
    pattern = ""
    for line in _comparable(shown).splitlines():
        if line == "...":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, _comparable(said)) is not None


def _comparable(text: str) -> str:
    for pattern, name in _SAME:
        text = pattern.sub(name, text)
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines())


@dataclass
class Shell:
    """Runs commands one after the other in *folder*, as in one terminal; leave it to end the servers it started."""

    folder: Path
    port: str = field(default_factory=lambda: str(free_port()))
    _servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Prepare the folder: a program ``gitupd``, a git that knows nobody, and where commands start."""
        tools = self.folder / ".tools"
        tools.mkdir()
        (tools / "gitupd").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gitupd "$@"\n')
        (tools / "gitupd").chmod(0o755)
        (tools / "gitconfig").write_text(
            # As on a machine where nobody told git a name, and none can be guessed from the host's.
            "[user]\nuseConfigOnly = true\n[advice]\ndetachedHead = false\n"
        )
        (tools / "where").write_text(str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        """End the servers."""
        for server in self._servers:
            server.terminate()
        for server in self._servers:
            server.wait(_PATIENCE)

    def run(self, command: str) -> str:
        """Return what *command* prints; what runs in the background is ready when this returns."""
        command = command.replace(f":{_SHOWN_PORT}", f":{self.port}")
        if command.endswith("&"):
            self._start(command.removesuffix("&"))
            return ""
        tools = self.folder / ".tools"
        around = f"cd \"$(cat '{tools}/where')\"; {command}\npwd > '{tools}/where'"
        done = subprocess.run(
            ["bash", "-c", around],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        said = done.stdout.replace("\r\n", "\n")
        return said.replace(f":{self.port}", f":{_SHOWN_PORT}").replace(f"%3A{self.port}", f"%3A{_SHOWN_PORT}")

    def _start(self, command: str) -> None:
        where = (self.folder / ".tools/where").read_text().strip()
        server = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=where, env=self._environment())
        self._servers.append(server)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and server.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"not ready: {command}")

    def _environment(self) -> dict[str, str]:
        tools = self.folder / ".tools"
        return {
            "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": str(tools / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITUPD_HTTP": f"127.0.0.1:{self.port}",
        }
