"""A command as one who signs requests: docs/how-to/have-an-external-authority-sign.md says what it has to keep to."""

from __future__ import annotations

import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.errors import InvalidEntry
from gitupd.service.certificates.handing_in import LARGEST, in_order, read_certificates
from gitupd.service.certificates.signers import SigningDelayed, SigningRefused

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence
    from typing import IO

    from gitupd.service.certificates.signers import SigningOrder

TRY_AGAIN = 75
"""The exit code by which a command says that it may sign later; ``EX_TEMPFAIL`` of sysexits.h."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LARGEST_COMPLAINT = 64 * 1024
_LONGEST_REASON = 300
_LOOK_SECONDS = 0.02


class CommandSigner:
    """Has a program sign, which is started for each request, without a shell."""

    def __init__(self, command: Sequence[str], seconds: float, folder: Path, stopping: threading.Event) -> None:
        """Start *command* in *folder*; it has so many *seconds*, and is killed when *stopping* is set."""
        self._command, self._seconds, self._folder = tuple(command), seconds, folder
        self._stopping = stopping

    @property
    def name(self) -> str:
        """What the program is called."""
        return f"command {Path(self._command[0]).name}"

    def sign(self, order: SigningOrder) -> tuple[bytes, ...]:
        """Return what the program has signed for *order*; raises SigningRefused or SigningDelayed."""
        request = x509.load_der_x509_csr(order.request)
        with tempfile.TemporaryDirectory(prefix="gitupd-signing-") as name:
            files = _Files(Path(name))
            files.request.write_bytes(request.public_bytes(Encoding.PEM))
            content = self._run(files, self._words(order, files))
        try:
            return tuple(each.public_bytes(Encoding.DER) for each in in_order(read_certificates(content), request))
        except InvalidEntry as error:
            raise SigningRefused(f"it says that it has signed, but: {error}") from error

    def _words(self, order: SigningOrder, files: _Files) -> dict[str, str]:
        return {
            "serial": str(order.serial),
            "request": str(files.request),
            "certificate": str(files.certificate),
            "digest": hashlib.sha256(order.request).hexdigest(),
        }

    def _run(self, files: _Files, words: Mapping[str, str]) -> bytes:
        """Run the program, and return what it has printed, or written; raises SigningRefused or SigningDelayed."""
        arguments = [_filled(argument, words) for argument in self._command]
        with files.opened() as (request, output, errors):
            try:
                process = subprocess.Popen(  # noqa: S603 - the operator's own command, without a shell
                    arguments,
                    stdin=request,
                    stdout=output,
                    stderr=errors,
                    cwd=self._folder,
                    env=_environment(words),
                    start_new_session=True,
                )
            except OSError as error:
                raise SigningDelayed(f"it can't be started: {error.strerror or error}") from error
            try:
                self._wait(process, output, errors)
            finally:
                _end(process)
            code, said = process.returncode, _said(errors)
            if code == 0:
                return _content(output, files.certificate)
        if code < 0:
            raise SigningDelayed(f"it was ended by signal {-code}{said}")
        if code == TRY_AGAIN:
            raise SigningDelayed(f"it puts it off{said}")
        raise SigningRefused(f"it refuses, with exit code {code}{said}")

    def _wait(self, process: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes]) -> None:
        """Wait for the program, but not for its whole group; raises SigningDelayed if it takes or prints too much."""
        until = time.monotonic() + self._seconds
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if self._stopping.wait(_LOOK_SECONDS):
                raise SigningDelayed("the server is stopped")
            if time.monotonic() > until:
                raise SigningDelayed(f"it takes longer than {self._seconds:g} seconds")
            sizes = (os.fstat(output.fileno()).st_size, os.fstat(errors.fileno()).st_size)
            if sizes[0] > LARGEST or sizes[1] > _LARGEST_COMPLAINT:
                raise SigningDelayed("it prints more than any certificate has")


class _Files:
    """What lies in a folder that only this process, and the command, can read."""

    def __init__(self, folder: Path) -> None:
        self.request, self.certificate = folder / "request.pem", folder / "certificate.pem"
        self._output, self._errors = folder / "output", folder / "errors"

    @contextmanager
    def opened(self) -> Iterator[tuple[IO[bytes], IO[bytes], IO[bytes]]]:
        """Give the block what the program reads, what it prints and what it complains of."""
        with self.request.open("rb") as request, self._output.open("w+b") as output, self._errors.open("w+b") as errors:
            yield request, output, errors


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and all that it has started; its number is nobody else's before it is waited for."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _filled(argument: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        argument = argument.replace(f"{{{word}}}", value)
    return argument


def _environment(words: Mapping[str, str]) -> dict[str, str]:
    """Return all that the program has of an environment: nothing of the server's, which may hold secrets."""
    return {
        "PATH": _PATH,
        "HOME": pwd.getpwuid(os.getuid()).pw_dir,
        "LANG": "C.UTF-8",
        "GITUPD_SERIAL": words["serial"],
        "GITUPD_REQUEST_FILE": words["request"],
        "GITUPD_CERTIFICATE_FILE": words["certificate"],
        "GITUPD_REQUEST_DIGEST": words["digest"],
    }


def _content(output: IO[bytes], file: Path) -> bytes:
    """Return what the program has printed, or else written to *file*."""
    output.seek(0)
    printed = output.read(LARGEST + 1)
    if printed.strip() or not file.is_file():
        return printed
    with file.open("rb") as written:
        return written.read(LARGEST + 1)


def _said(errors: IO[bytes]) -> str:
    """Return the end of what the program has complained of, as the end of a clause; empty for nothing."""
    errors.seek(0)
    text = " ".join(errors.read(_LARGEST_COMPLAINT).decode(errors="replace").split())
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return f": {line[-_LONGEST_REASON:]}" if line else ""
