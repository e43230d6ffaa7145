"""Where a request goes: devices, firmware and monitoring by ASGI, people by Flask; each is one line of the log."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import structlog

from gitupd.errors import MalformedRequest
from gitupd.web.asgi.body import Refusal
from gitupd.web.asgi.request import KIND, NOTE
from gitupd.web.device.endpoint import ENDPOINT
from gitupd.web.device.restores import is_restore
from gitupd.web.git.endpoint import PREFIX as GIT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gitupd.service.health import Health
    from gitupd.web.asgi.counters import Counting
    from gitupd.web.asgi.log import RequestLog
    from gitupd.web.asgi.request import Requests

    Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

ROUTES = (
    "/update.php",
    "/fw/BUILD/NAME",
    "/DIRECTORY/fw/BUILD/NAME",
    "/restore/TOKEN",
    "/git/NAME",
    "/healthz",
    "/readyz",
)
"""What is answered here, besides the pages; capitals stand for what varies."""

_FILES = b"/configuration/file/"
"""A page behind which any path may stand, such as one that ends in update.php."""

log = structlog.get_logger()


class Router:
    """The ASGI application of a worker."""

    def __init__(
        self,
        *,
        device: Application,
        firmware: Application,
        restore: Application,
        git: Application,
        pages: Application,
        health: Health,
        requests: Requests,
    ) -> None:
        """Send each request to one of these; *requests* knows which proxies to believe."""
        self._device, self._firmware, self._restore, self._pages = device, firmware, restore, pages
        self._git, self._health, self._requests = git, health, requests
        # Of their own, so that monitoring is answered when everything else waits.
        self._monitoring = ThreadPoolExecutor(2, thread_name_prefix="monitoring")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        path = scope["raw_path"]
        if path.startswith(_FILES):
            scope[KIND] = "page"
            await self._people(scope, receive, send)
        elif path.startswith(GIT):
            scope[KIND] = "git"
            await self._git(scope, receive, send)
        elif path.endswith(ENDPOINT):
            await self._device(scope, receive, send)
        elif is_restore(path):
            scope[KIND] = "restore"
            await self._restore(scope, receive, send)
        elif b"/fw/" in path:
            scope[KIND] = "firmware"
            await self._firmware(scope, receive, send)
        elif path == b"/healthz":
            scope[KIND] = "monitoring"
            await _answer(send, 200, b"text/plain; charset=utf-8", b"ok\n")
        elif path == b"/readyz":
            scope[KIND] = "monitoring"
            await self._readyz(send)
        else:
            scope[KIND] = _kind(path)
            await self._people(scope, receive, send)

    async def _people(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer people and programs, as seen from where they are: in front of a trusted proxy, not behind it."""
        try:
            await self._pages(self._requests.seen_from_the_client(scope), receive, send)
        except MalformedRequest as error:
            scope[NOTE] = str(error)
            await _answer(send, 400, b"text/plain; charset=utf-8", b"400 Bad Request\n")
        except Refusal as error:
            scope[NOTE] = error.reason
            await _answer(send, error.status, b"text/plain; charset=utf-8", f"{error.status} {error.reason}\n".encode())

    async def _readyz(self, send: Any) -> None:
        """Say what is served, and what keeps it from being right: 200 if nothing does, else 503."""
        loop = asyncio.get_running_loop()
        report = await loop.run_in_executor(self._monitoring, self._health.report)
        body = json.dumps(report, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        await _answer(send, 200 if report["ready"] else 503, b"application/json", body)


def _kind(path: bytes) -> str:
    """Return what kind of request for Flask this is."""
    if path.startswith(b"/api/"):
        return "api"
    return "monitoring" if path == b"/metrics" else "page"


async def _answer(send: Any, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Logged:
    """An ASGI application whose every request is one line of the log and counted, failures of our own included."""

    def __init__(self, application: Application, request_log: RequestLog, counting: Counting) -> None:
        """Tell *request_log* and *counting* what *application* answers."""
        self._application, self._log, self._counting = application, request_log, counting

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        started = time.perf_counter()
        status, size = 0, 0

        async def counted(message: dict[str, Any]) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._application(scope, receive, counted)
        except Exception:
            log.exception("a request failed", path=scope["raw_path"].decode("ascii", errors="backslashreplace"))
            if not status:
                await _answer(counted, 500, b"text/plain; charset=utf-8", b"500 Internal Server Error\n")
        finally:
            seconds = time.perf_counter() - started
            self._log.add(scope, status, size, seconds, scope.get(NOTE, ""))
            self._counting.add(scope, status, size, seconds)
