"""``git http-backend`` as a child process: its question and its answer stream, and it ends with the client."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gitupd.resources import hook_folder
from gitupd.settings import pusher_variables
from gitupd.store.git.program import PACKING
from gitupd.web.git.push_body import LARGEST_PUSH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.types import Receive, Send

    from gitupd.core.people.person import Actor

_CHUNK = 2**16
_LONGEST_HEADERS = 2**14
_SECONDS_TO_BEGIN = 120
_SECONDS_TO_GO_ON = 300
_KEPT_OF_ERRORS = 2_000
_LARGEST_BRIEF = 4 * 2**20
_LARGEST_AT_ONCE = "64m"
"""What Git may allocate for one thing in a push: a few bytes of a pack can stand for gigabytes, as a difference.

Files that are larger are fine, unless they are sent as a difference."""

_MOST_UNPACKED = 20
"""A push of as many objects or more stays packed, so that what stands for much more takes no more room on the disk."""

_PASSED_ON = frozenset({b"content-type", b"cache-control", b"expires", b"pragma"})


class BackendFailure(Exception):
    """Git did not answer as it should."""


@dataclass(frozen=True, slots=True)
class GitQuestion:
    """What Git is asked: ``service`` is the path below the repository ``name``.

    ``coding`` is gzip, or None for a ``body`` that is not packed; ``protocol`` such as ``version=2``, None for the
    oldest. ``pusher`` is who pushes, or asks what can be pushed, None for who reads; a push has its body in ``pushed``.
    """

    name: str
    service: str
    coding: str | None
    content_type: str
    protocol: str | None
    body: bytes = field(default=b"", repr=False)
    pusher: Actor | None = None
    pushed: IO[bytes] | None = field(default=None, repr=False)

    @property
    def asks(self) -> bool:
        """Whether there is a body."""
        return self.service != "/info/refs"

    @property
    def is_brief(self) -> bool:
        """Whether the answer is a list of branches, and not a pack that has to be put together."""
        return not self.asks or self.body[4:].startswith(b"command=ls-refs")

    @property
    def pushes(self) -> bool:
        """Whether the body is a push."""
        return self.asks and self.pusher is not None


class Backend:
    """Answers questions about the repositories of one site."""

    def __init__(self, root: Path) -> None:
        """Serve repositories below *root*, whoever owns their files; which of them, is decided by who asks."""
        self._root = root
        gently = shutil.which("nice")  # devices come first
        self._command = (*((gently,) if gently else ()), shutil.which("git") or "git", "http-backend")
        self._environment = {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.defpath)),  # hooks call gitupd
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "",
        }
        self._settings = (
            ("safe.directory", "*"),  # it starts others in ".", which no path matches; they see these only
            ("http.getanyfile", "false"),
            ("uploadpack.allowAnySHA1InWant", "false"),
            ("uploadpack.allowFilter", "true"),
            ("uploadpackfilter.allow", "false"),
            *((f"uploadpackfilter.{cheap}.allow", "true") for cheap in ("blob:none", "blob:limit", "tree")),
            ("uploadpack.hideRefs", "refs/gitupd"),
            ("receive.hideRefs", "refs/gitupd"),
            ("receive.fsckObjects", "true"),
            ("receive.maxInputSize", str(LARGEST_PUSH)),
            ("receive.unpackLimit", str(_MOST_UNPACKED)),
            ("receive.advertisePushOptions", "true"),
            ("receive.autogc", "false"),
            *PACKING.items(),
        )

    async def answer(self, question: GitQuestion, receive: Receive, send: Send) -> None:
        """Ask Git, and send what it says until the client is gone; raises BackendFailure if Git fails.

        Nothing is sent then of a brief answer, and of any other that has not begun.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**self._environment, **_cgi(question), **_variables([*self._settings, *self._for(question)])},
            start_new_session=True,
        )
        last_words = asyncio.create_task(_last_words(process.stderr))
        asking = asyncio.create_task(_put(process, question))
        answering = asyncio.create_task(_answer(process, send, brief=question.is_brief))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((answering, gone), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await answering
        except BackendFailure as failure:
            raise BackendFailure(f"{failure}: {await _soon(last_words)}") from failure
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for task in (asking, answering, gone, last_words):
                task.cancel()
            await asyncio.gather(asking, answering, gone, last_words, return_exceptions=True)
            await process.wait()

    def _for(self, question: GitQuestion) -> Iterator[tuple[str, str]]:
        """Yield settings of one question: a repository without a hook of its own that looks at pushes has ours."""
        yield "http.receivepack", "false" if question.pusher is None else "true"
        if question.pusher is not None and not os.access(self._root / question.name / "hooks" / "pre-receive", os.X_OK):
            yield "core.hooksPath", str(hook_folder())


def _variables(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return *pairs* as the environment gives settings to Git: above those of the repository."""
    variables = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (key, value) in enumerate(pairs):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _cgi(question: GitQuestion) -> dict[str, str]:
    variables = {
        "PATH_INFO": f"/{question.name}{question.service}",
        "QUERY_STRING": ""
        if question.asks
        else f"service=git-{'upload' if question.pusher is None else 'receive'}-pack",
        "REQUEST_METHOD": "POST" if question.asks else "GET",
    }
    if question.asks:
        variables["CONTENT_TYPE"] = question.content_type[:100]
    if question.coding is not None:
        variables["HTTP_CONTENT_ENCODING"] = question.coding
    if question.pusher is not None:
        variables |= {**pusher_variables(question.pusher), "GIT_ALLOC_LIMIT": _LARGEST_AT_ONCE}
    if question.protocol is not None:
        variables |= {"GIT_PROTOCOL": question.protocol, "HTTP_GIT_PROTOCOL": question.protocol}
    return variables


async def _put(process: asyncio.subprocess.Process, question: GitQuestion) -> None:
    """Give Git the question; one that closes its input has heard enough."""
    assert process.stdin is not None  # noqa: S101 - it has pipes
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(question.body)
        while question.pushed is not None and (part := question.pushed.read(_CHUNK)):
            process.stdin.write(part)
            await process.stdin.drain()
        await process.stdin.drain()
        process.stdin.close()


async def _answer(process: asyncio.subprocess.Process, send: Send, *, brief: bool) -> None:
    assert process.stdout is not None  # noqa: S101 - it has pipes
    status, headers, first = await _head(process.stdout)
    if status >= 400 and not first:  # noqa: PLR2004 - an error of HTTP, of which Git gives the reason elsewhere
        raise BackendFailure(f"git http-backend answered {status}")
    parts = [first]
    while brief and parts[-1] and sum(map(len, parts)) < _LARGEST_BRIEF:
        parts.append(await _more(process.stdout))
    if not parts[-1]:
        await _end(process)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for part in filter(None, parts):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    while parts[-1] and (part := await _more(process.stdout)):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await _end(process)
    await send({"type": "http.response.body", "body": b""})


async def _more(stream: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(_SECONDS_TO_GO_ON):
        return await stream.read(_CHUNK)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for its end; raises BackendFailure if it was not a good one, which Git's headers don't say."""
    async with asyncio.timeout(_SECONDS_TO_GO_ON):
        if code := await process.wait():
            raise BackendFailure(f"git http-backend ended with {code}")


async def _head(stream: asyncio.StreamReader) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Read the headers that Git writes; return the status, those that count, and what of the body came along."""
    head = b""
    async with asyncio.timeout(_SECONDS_TO_BEGIN):
        while b"\r\n\r\n" not in head:
            part = await stream.read(_CHUNK)
            if not part or len(head) > _LONGEST_HEADERS:
                raise BackendFailure("git http-backend gave no answer")
            head += part
        head, _, rest = head.partition(b"\r\n\r\n")
        rest = rest or await stream.read(_CHUNK)
    status, headers = 200, []
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"status":
            status = int(value.split()[0])
        elif name.lower() in _PASSED_ON:
            headers.append((name.lower(), value.strip()))
    return status, headers, rest


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _last_words(stream: asyncio.StreamReader | None) -> str:
    words = b""
    while stream is not None and (part := await stream.read(_CHUNK)):
        words = (words + part)[-_KEPT_OF_ERRORS:]
    return words.decode(errors="replace").strip()


async def _soon(words: asyncio.Task[str]) -> str:
    with suppress(TimeoutError):
        return await asyncio.wait_for(words, 1)
    return "it does not say why"
