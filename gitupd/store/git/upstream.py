"""A repository elsewhere, asked by the program git: whatever it answers, however slowly, and how much, is bounded."""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass, field
from os import SEEK_END
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from dulwich.refs import Ref, check_ref_format

from gitupd.core.snapshot import CommitId
from gitupd.core.upstream.failures import in_words
from gitupd.errors import UnreadableRepository
from gitupd.settings import environment_to_fetch
from gitupd.store.git.process import GitProcess, GivenUp, Stuck
from gitupd.store.git.program import PACKING
from gitupd.store.git.quarantine import quarantine
from gitupd.store.git.references import OBJECT, reference
from gitupd.store.git.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from gitupd.core.upstream.address import UpstreamAddress
    from gitupd.store.git.quarantine import Quarantine

_FETCHED = "refs/incoming/head"
_LARGEST_ANSWER = 64 * 2**10
_MEMORY = 2**30
"""Bytes that each of its programs may have of its own: what a small pack unfolds to is not bounded otherwise."""

_SPARE = 2**20
"""Bytes that a pack may have above the bound, for what Git adds so that it stands by itself."""

_SLACK = 10.0
_BOUNDED = 'ulimit -f "$1" && ulimit -d "$2" && shift 2 && exec timeout -s KILL "$@"'
"""Sizes in 512 and in 1024 bytes, then seconds and a command; ``timeout`` ends it with all that it has started, even if
whoever waits for it was killed."""

_SETTINGS = (
    *("core.fsync=all", "core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false", "protocol.version=2"),
    *("fetch.fsckObjects=true", "fetch.unpackLimit=1", "fetch.recurseSubmodules=false", "fetch.writeCommitGraph=false"),
    *("transfer.bundleURI=false", "http.followRedirects=false", "http.sslVerify=true", "http.lowSpeedLimit=1"),
    *("core.askPass=", "credential.interactive=false", "advice.fetchShowForcedUpdates=false"),
)


@dataclass(frozen=True, slots=True)
class FetchBounds:
    """A fetch takes ``seconds`` at the most, of them ``idle`` without a sign of life, and ``largest`` bytes."""

    seconds: float
    idle: float
    largest: int


@dataclass(frozen=True, slots=True)
class WayIn:
    """What opens a repository elsewhere: ``name`` and ``password`` by HTTP, ``key`` and ``known_hosts`` by SSH.

    ``authorities`` are those of a TLS certificate, None for the public ones.
    """

    name: str = ""
    password: str = field(default="", repr=False)
    key: Path | None = None
    known_hosts: Path | None = None
    authorities: Path | None = None


class Upstream:
    """A repository elsewhere, which is asked by the program git."""

    def __init__(self, address: UpstreamAddress, way: WayIn, bounds: FetchBounds) -> None:
        """Ask the repository at *address*, opened by *way*, within *bounds*."""
        self._address, self._way, self._bounds = address, way, bounds
        self._remote = Remote(address.text, address.origin if way.password else "", way.name, way.password)

    def head(self, folder: Path, branch: str, given_up: Callable[[], bool]) -> CommitId | None:
        """Return the commit that *branch* is at there, None if there is no such branch.

        What it needs meanwhile lies in *folder*. Raises UnreadableRepository, also if it is *given_up*.
        """
        name = _name_of(branch)
        with quarantine(folder) as place:
            for line in self._ask(place, ("ls-remote", "--quiet", "--heads", "--", self._address.text, name), given_up):
                commit, _, found = line.partition("\t")
                if found == name and OBJECT.fullmatch(commit):
                    return CommitId(commit)
        return None

    def fetch(self, place: Quarantine, branch: str, given_up: Callable[[], bool]) -> CommitId:
        """Fetch *branch* into *place*, and return the commit that it is at; raises UnreadableRepository."""
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")
        what = ("--refmap=", "--", self._address.text, f"+{_name_of(branch)}:{_FETCHED}")
        self._ask(place, ("fetch", *options, *what), given_up)
        if (head := reference(place.path, _FETCHED)) is None:
            raise UnreadableRepository("git has fetched nothing, and does not say why")
        return head

    def _ask(self, place: Quarantine, arguments: Sequence[str], given_up: Callable[[], bool]) -> list[str]:
        """Run git in *place*, and return the lines that it writes, the first of them; raises UnreadableRepository."""
        deadline = time.monotonic() + self._bounds.seconds
        with TemporaryFile(dir=place.path) as output, TemporaryFile(dir=place.path) as errors:  # files are bounded
            process = self._start(place, arguments, output, errors)
            with process:
                try:
                    process.result(self._bounds.idle, lambda: given_up() or time.monotonic() > deadline)
                except Stuck as error:
                    raise UnreadableRepository(f"nothing came for {self._bounds.idle:g} s") from error
                except GivenUp as error:
                    late = f"it took longer than {self._bounds.seconds:g} s"
                    raise UnreadableRepository("it was given up" if given_up() else late) from error
            if process.returncode:
                raise UnreadableRepository(self._why(place, errors))
            output.seek(0)
            return output.read(_LARGEST_ANSWER).decode(errors="replace").splitlines()

    def _why(self, place: Quarantine, errors: IO[bytes]) -> str:
        """Return why git has failed in *place*, which it says in *errors*, unless it was ended at the bound."""
        sizes = [errors.seek(0, SEEK_END), *(file.stat().st_size for file in (place.objects / "pack").iterdir())]
        if max(sizes) >= self._bounds.largest:
            return (
                f"it sends more than largest, which is {self._bounds.largest / 2**20:g} MiB; see whether that is meant"
            )
        errors.seek(max(0, sizes[0] - _LARGEST_ANSWER))
        return in_words(errors.read(_LARGEST_ANSWER).decode(errors="replace"), (self._way.password,))

    def _start(self, place: Quarantine, arguments: Sequence[str], output: IO[bytes], errors: IO[bytes]) -> GitProcess:
        settings = [*_SETTINGS, *(f"{name}={value}" for name, value in PACKING.items())]
        settings.append(f"http.lowSpeedTime={max(1, round(self._bounds.idle))}")
        if self._way.authorities is not None:
            settings.append(f"http.sslCAInfo={self._way.authorities}")
        blocks, memory = (self._bounds.largest + _SPARE) // 512, _MEMORY // 1024
        command = [
            *("sh", "-c", _BOUNDED, "sh", str(blocks), str(memory), f"{self._bounds.seconds + _SLACK:g}"),
            *("git", "--git-dir", str(place.path)),
            *(part for setting in settings for part in ("-c", setting)),
            *self._remote.options,
            *arguments,
        ]
        try:
            return GitProcess(  # fixed words, our own path, and an address that was looked at
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=self._environment(place),
                start_new_session=True,
            )
        except OSError as error:
            raise UnreadableRepository(f"git can't be run: {error}") from error

    def _environment(self, place: Quarantine) -> Mapping[str, str]:
        return {
            **environment_to_fetch(),
            **self._remote.secrets,
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(place.trusting(self._address)),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": self._address.scheme,
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_SSH_COMMAND": shlex.join(self._ssh()),
            "GIT_SSH_VARIANT": "ssh",
        }

    def _ssh(self) -> Iterator[str]:
        """Yield ssh with options, and nothing that the account has set: a host that is not known is not spoken to."""
        yield from ("ssh", "-F", "/dev/null", "-T")
        idle = max(1, round(self._bounds.idle))
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "UserKnownHostsFile": _quoted(self._way.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "IdentityFile": _quoted(self._way.key),
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "ForwardAgent": "no",
            "ClearAllForwardings": "yes",
            "PermitLocalCommand": "no",
            "ConnectTimeout": str(idle),
            "ServerAliveInterval": str(idle),
            "ServerAliveCountMax": "1",
        }
        for name, value in options.items():
            yield from ("-o", f"{name}={value}")


def _name_of(branch: str) -> str:
    """Return the reference of *branch*; raises UnreadableRepository for what Git takes for no name of one."""
    name = f"refs/heads/{branch}"
    if not check_ref_format(Ref(name.encode(errors="replace"))) or any(letter in branch for letter in "*?[\\~^: "):
        raise UnreadableRepository(f"{branch!r}, in policies/deploy.yaml, is no name that a branch can have")
    return name


def _quoted(file: Path | None) -> str:
    return "none" if file is None else f'"{file}"'
