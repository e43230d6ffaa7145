"""The ``git`` program at work in one bare repository, in which nobody else of ours writes meanwhile."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitupd.errors import Interrupted, UnreadableRepository
from gitupd.settings import git_environment
from gitupd.store.git.process import GitProcess, GivenUp, Stuck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

_SETTINGS = (
    "core.fsync=all",
    "gc.auto=0",
    "maintenance.auto=false",
    "fastimport.unpackLimit=1",
    "repack.writeBitmaps=false",
    "pack.compression=1",
    "i18n.logOutputEncoding=UTF-8",
    "core.hooksPath=/dev/null",
    "push.gpgSign=false",
    "push.followTags=false",
)
"""Whatever the account has set for its own work: nobody's hooks run in our repositories."""
PACKING = {
    "core.bigFileThreshold": "16m",
    "pack.windowMemory": "32m",
    "pack.deltaCacheSize": "16m",
    "pack.threads": "1",
}
"""Bounds for packing: unbounded, 64 versions of 20 MB keep a processor busy for minutes, and take 650 MB.

For 40 versions of a configuration of 12 MB these need a third of the time and a quarter of the memory, and the pack is
half as large. What is above the threshold is only deflated.
"""
_VERB = re.compile(r"[a-z]+(-[a-z]+)*")
_CLAIM_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_END_SECONDS = 0.5
_ENDING_SIGNALS = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM})
"""What ends a program that has done nothing wrong; a damaged file ends it by others."""


class GitProgram:
    """Runs ``git`` with settings of ours in the repository at ``path``, whoever owns it."""

    def __init__(self, path: Path, objects: Iterable[Path] = ()) -> None:
        """Use the repository at *path*, which need not exist yet; objects are looked for in *objects*, too."""
        self.path = path
        self._environment = {
            **git_environment(),
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(map(str, objects)),
        }
        self._held = threading.local()

    @contextmanager
    def claimed(self, seconds: float = _CLAIM_SECONDS, file: str | None = None) -> Iterator[None]:
        """Be the only one of us who writes while the block runs; blocks within it in the same thread do no harm.

        With a *file* of the repository, be the only one who does what that stands for.

        A program that was started in such a block holds the claim as well. So if its starter is killed, the next one
        waits until it has ended. Raises UnreadableRepository after so many *seconds*, or if there is no repository.
        """
        if getattr(self._held, "claim", None) is not None:
            yield
            return
        try:
            if file is None:
                claim = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            else:
                claim = os.open(self.path / file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UnreadableRepository(f"{self.path} is no Git repository: {error.strerror}") from error
        try:
            _wait_for(claim, seconds, self.path)
            self._held.claim = claim
            yield
        finally:
            self._held.claim = None
            os.close(claim)

    def start(
        self,
        *arguments: str,
        stdin: int,
        stdout: int | IO[bytes],
        secrets: Mapping[str, str] | None = None,
    ) -> GitProcess:
        """Start ``git`` with *arguments*, and *secrets* in its environment; raises UnreadableRepository if it can't be.

        What can be seen of a process by others are its arguments, and not its environment.
        """
        packing = (f"{name}={value}" for name, value in PACKING.items())
        settings = (*_SETTINGS, *packing, f"safe.directory={self.path}")
        command = [
            "git",
            "--git-dir",
            str(self.path),
            *(part for setting in settings for part in ("-c", setting)),
            *arguments,
        ]
        claim = getattr(self._held, "claim", None)
        try:
            return GitProcess(  # fixed words and our own path
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                pass_fds=() if claim is None else (claim,),
                env={**self._environment, **(secrets or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise UnreadableRepository(f"git can't be run: {error}") from error

    def run(
        self,
        *arguments: str,
        seconds: float,
        stdin: IO[bytes] | None = None,
        secrets: Mapping[str, str] | None = None,
        given_up: Callable[[], bool] = lambda: False,
    ) -> bytes:
        """Run ``git`` for as long as it gets on, and return what it writes.

        Raises UnreadableRepository if it fails, does nothing at all for so many *seconds*, or is *given_up*.
        """
        verb = next(word for word in arguments if _VERB.fullmatch(word))
        source = subprocess.DEVNULL if stdin is None else stdin.fileno()
        try:
            with self.start(*arguments, stdin=source, stdout=subprocess.PIPE, secrets=secrets) as running:
                written, errors = running.result(seconds, given_up)
        except Stuck as error:
            raise UnreadableRepository(f"git {verb} in {self.path} did nothing for {seconds:g} s") from error
        except GivenUp as error:
            raise UnreadableRepository(f"git {verb} in {self.path} was given up") from error
        check_ended(running, f"git {verb}")
        if running.returncode:
            raise UnreadableRepository(f"git {verb} failed in {self.path}: {shortened(errors)}")
        return written


def check_ended(process: subprocess.Popen[bytes], name: str) -> None:
    """Raise Interrupted if *process*, whose output has ended, was ended by somebody else; *name* is what it is called.

    What it was about may be well, and must not be taken for damaged.
    """
    try:
        ended = process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        return
    if -ended in _ENDING_SIGNALS:
        raise Interrupted(f"{name} was ended from outside, by {signal.Signals(-ended).name}")


def shortened(output: bytes) -> str:
    """Return the end of what a program said."""
    return output.decode(errors="replace").strip()[-500:] or "it does not say why"


def _wait_for(claim: int, seconds: float, path: Path) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UnreadableRepository(f"another process has been at work in {path} for long") from None
            time.sleep(_LOOK_SECONDS)
        else:
            return
