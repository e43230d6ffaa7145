"""Where a request goes: devices, firmware and monitoring by ASGI, people by Flask; each is one line of the log."""

from __future__ import annotations

import asyncio
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, assert_never

import structlog
from starlette.responses import Response

from gitupd.errors import MalformedRequest, is_out_of_files
from gitupd.listeners import AUDIENCES
from gitupd.service.sightings import Outcome
from gitupd.web.asgi.body import Refusal
from gitupd.web.asgi.conclusion import Handled, Polled, RequestKind
from gitupd.web.asgi.log import Seldom
from gitupd.web.asgi.protocol import LISTENER
from gitupd.web.asgi.responses import NOT_KEPT, in_words
from gitupd.web.device.endpoint import ENDPOINT
from gitupd.web.device.proofs import PREFIX as PROOFS
from gitupd.web.device.restores import is_restore
from gitupd.web.device.revoked import PATH as REVOKED
from gitupd.web.git.endpoint import PREFIX as GIT
from gitupd.web.git.webhook import PATH as WEBHOOK
from gitupd.web.wheel import PREFIX as DIST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Message, Receive, Scope, Send

    from gitupd.listeners import Audience, Listener
    from gitupd.service.health import Health
    from gitupd.web.asgi.conclusion import Conclusion
    from gitupd.web.asgi.counters import Counting
    from gitupd.web.asgi.log import RequestLog
    from gitupd.web.asgi.request import Requests
    from gitupd.web.asgi.static import StaticEndpoint
    from gitupd.web.device.recording import DeviceRecording

    Application = Callable[[Scope, Receive, Send], Awaitable[Conclusion]]
    """An ASGI application of ours: it returns what became of the request."""

    Pages = Callable[[Scope, Receive, Send], Awaitable[None]]

ROUTES = (
    "/update.php",
    "/fw/BUILD/NAME",
    "/DIRECTORY/fw/BUILD/NAME",
    "/restore/TOKEN",
    "/certificates/crl",
    "/.well-known/acme-challenge/TOKEN",
    "/git/NAME",
    "/webhook",
    "/schemas/NAME.json",
    "/dist/",
    "/dist/gitupd/",
    "/dist/NAME",
    "/healthz",
    "/readyz",
)
"""What is answered here, besides the pages; capitals stand for what varies."""

_FILES = (b"/configuration/file/", b"/commits/")
"""Pages behind which any path or name may stand, such as one that ends in update.php."""

_HEALTHZ, _READYZ, _METRICS = b"/healthz", b"/readyz", b"/metrics"

_AT_ONE_PATH: Mapping[bytes, RequestKind] = {
    REVOKED: RequestKind.LIST,
    WEBHOOK: RequestKind.WEBHOOK,
    **dict.fromkeys((_HEALTHZ, _READYZ, _METRICS), RequestKind.MONITORING),
}

_OK = in_words(200, "ok\n")

_AUDIENCES: Mapping[RequestKind, Audience | None] = {
    RequestKind.POLL: "devices",
    RequestKind.UPLOAD: "devices",
    RequestKind.FIRMWARE: "devices",
    RequestKind.RESTORE: "devices",
    RequestKind.LIST: None,
    RequestKind.PROOF: "devices",
    RequestKind.GIT: "git",
    RequestKind.WEBHOOK: "git",
    RequestKind.PAGE: "people",
    RequestKind.API: "api",
    RequestKind.MONITORING: None,
}
"""For whom each kind of request is, which a listener may not serve; None for what every listener answers."""

_SLASHES = re.compile(rb"//+")
_FOR_DEVICES = re.compile(rb".*(\.php([/;&%].*)?|/update-[^/]*\.html?)", re.IGNORECASE | re.DOTALL)
"""Paths that devices ask for and no page has: those of the PHP server, also with something behind them where a question
mark is missing, and what a device appends to an address that ends in a slash (docs/reference/device-protocol.md)."""
_OF_DEVICES = re.compile(rb"(?:^|&)(?:hwid|PROT|CHECK|ver)=")
"""Arguments that devices say and no page has."""

log = structlog.get_logger()


class Router:
    """The ASGI application of a worker."""

    def __init__(
        self,
        *,
        device: Application,
        firmware: Application,
        restore: Application,
        revoked: Application,
        proof: Application,
        git: Application,
        webhook: Application,
        static: StaticEndpoint,
        wheel: Application,
        pages: Pages,
        health: Health,
        requests: Requests,
    ) -> None:
        """Send each request to one of these; *requests* knows which proxies to believe."""
        self._device, self._pages, self._wheel = device, pages, wheel
        self._files: Mapping[RequestKind, Application] = {
            RequestKind.FIRMWARE: firmware,
            RequestKind.RESTORE: restore,
            RequestKind.LIST: revoked,
            RequestKind.PROOF: proof,
            RequestKind.GIT: git,
            RequestKind.WEBHOOK: webhook,
        }
        self._static, self._health, self._requests = static, health, requests
        # Of their own, so that monitoring is answered when everything else waits.
        self._monitoring = ThreadPoolExecutor(2, thread_name_prefix="monitoring")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Conclusion:
        """Answer one request, and return what became of it."""
        scope["raw_path"] = _plain(scope["raw_path"])
        kind = kind_of(scope["raw_path"])
        if strangers := _not_served(scope):
            await in_words(404, "# 404 Not Found: nothing is served here for those who ask\r\n")(scope, receive, send)
            return Handled(kind, f"this listener does not serve {strangers}")
        return await self._answer(kind, scope, receive, send)

    async def _answer(self, kind: RequestKind, scope: Scope, receive: Receive, send: Send) -> Conclusion:
        match kind:
            case RequestKind.POLL | RequestKind.UPLOAD:
                return await self._device(scope, receive, send)
            case RequestKind.FIRMWARE | RequestKind.RESTORE | RequestKind.LIST | RequestKind.PROOF:
                return await self._files[kind](scope, receive, send)
            case RequestKind.GIT | RequestKind.WEBHOOK:
                return await self._files[kind](scope, receive, send)
            case RequestKind.MONITORING if scope["raw_path"] != _METRICS:
                response = _OK if scope["raw_path"] == _HEALTHZ else await self._readiness(in_full=_is_inside(scope))
                await response(scope, receive, send)
                return Handled(kind)
            case RequestKind.PAGE if scope["raw_path"].startswith(self._static.prefixes):
                await self._static(scope, receive, send)
                return Handled(kind)
            case RequestKind.PAGE if scope["raw_path"].startswith(DIST):
                return await self._wheel(scope, receive, send)
            case RequestKind.PAGE if _asks_as_a_device(scope["raw_path"], scope["query_string"]):
                # Not for Flask: it leads to the log-in, and a device that follows would take that page for a script.
                await in_words(404, "# 404 Not Found\r\n")(scope, receive, send)
                return Handled(kind, "a device asks here, and nothing is here for devices")
            case RequestKind.PAGE | RequestKind.API | RequestKind.MONITORING:
                return Handled(kind, await self._people(scope, receive, send))
            case _:
                assert_never(kind)

    async def _people(self, scope: Scope, receive: Receive, send: Send) -> str:
        """Answer people and programs, as seen from where they are: in front of a trusted proxy, not behind it.

        Return what the log should say besides.
        """
        try:
            await self._pages(self._requests.seen_from_the_client(scope), receive, send)
        except MalformedRequest as error:
            await in_words(400, "400 Bad Request\n")(scope, receive, send)
            return str(error)
        except Refusal as error:
            await in_words(error.status, f"{error.status} {error.reason}\n")(scope, receive, send)
            return error.reason
        return ""

    async def _readiness(self, *, in_full: bool) -> Response:
        """Return what is served, and what keeps it from being right: 200 if nothing does, else 503.

        If not *in_full*, only whether it is so: devices and the world have no business with names and commits.
        """
        loop = asyncio.get_running_loop()
        report = await loop.run_in_executor(self._monitoring, self._health.report)
        if not in_full:
            report = {"ready": report["ready"]}
        body = json.dumps(report, separators=(",", ":"), sort_keys=True) + "\n"
        return Response(body, 200 if report["ready"] else 503, NOT_KEPT, "application/json")


def _plain(path: bytes) -> bytes:
    """Return *path* with one slash for many where devices ask: the web servers of the PHP server took them for one."""
    if b"//" not in path:
        return path
    plain = _SLASHES.sub(b"/", path)
    return plain if kind_of(plain) in (RequestKind.POLL, RequestKind.FIRMWARE, RequestKind.RESTORE) else path


def _asks_as_a_device(path: bytes, query: bytes) -> bool:
    """Whether a request for a page is one that only a device makes."""
    if path.startswith(_FILES):
        return False
    return _FOR_DEVICES.fullmatch(path) is not None or _OF_DEVICES.search(query) is not None


def kind_of(path: bytes) -> RequestKind:
    """Return what kind of request one for *path* is; whether a device polls or uploads, its arguments say."""
    if path.startswith(_FILES):
        return RequestKind.PAGE
    if path.startswith(GIT):
        return RequestKind.GIT
    path = path.lower()  # some of the web servers in front of the PHP server did not look at letter case
    if path.endswith(ENDPOINT):
        return RequestKind.POLL
    if is_restore(path):
        return RequestKind.RESTORE
    if (kind := _AT_ONE_PATH.get(path)) is not None:
        return kind
    if path.startswith(PROOFS):
        return RequestKind.PROOF
    if b"/fw/" in path:
        return RequestKind.FIRMWARE
    return RequestKind.API if path.startswith(b"/api/") else RequestKind.PAGE


def audience_of(path: bytes) -> Audience | None:
    """Return for whom *path* is, None for what every listener answers."""
    return "api" if path == _METRICS else _AUDIENCES[kind_of(path)]


def _not_served(scope: Scope) -> Audience | None:
    """Return for whom a path is that the listener does not serve, None if it does.

    Pages and the API see the path decoded, so it must be for somebody who is served in both forms.
    """
    listener: Listener | None = scope.get(LISTENER)
    if listener is None or len(listener.serves) == len(AUDIENCES):
        return None
    raw, plain = scope["raw_path"], scope["path"].encode("utf-8", "surrogateescape")
    for path in (raw,) if raw == plain else (raw, plain):
        audience = audience_of(path)
        if audience is not None and audience not in listener.serves:
            return audience
    return None


def _is_inside(scope: Scope) -> bool:
    """Whether the listener is one for those who run the server, too."""
    listener: Listener | None = scope.get(LISTENER)
    return listener is None or listener.serves != {"devices"}


class Logged:
    """An ASGI application whose every request is one line of the log and counted, failures of our own included."""

    def __init__(
        self,
        application: Application,
        request_log: RequestLog,
        counting: Counting,
        recording: DeviceRecording | None = None,
    ) -> None:
        """Tell *request_log* and *counting* what *application* answers, and *recording* what it tells whom."""
        self._application, self._log, self._counting = application, request_log, counting
        self._recording = recording
        self._tell = Seldom()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        status, size, conclusion = 0, 0, None
        recording = self._recording
        noted = recording.begin(_asked(scope), scope) if recording is not None and recording.is_on else None

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            if noted is not None:
                noted.answer(message)
            await send(message)

        try:
            receiving = receive if noted is None else noted.receiving(receive)
            conclusion = await self._application(scope, receiving, counted)
        except Exception as error:
            if is_out_of_files(error):
                self._tell("no more files can be opened: a request is not answered", path=scope["path"])
                if not status:
                    await in_words(503, "503 Service Unavailable\n", {"Retry-After": "60"})(scope, receive, counted)
                return
            log.exception("a request failed", path=scope["raw_path"].decode("ascii", errors="backslashreplace"))
            if not status:
                await in_words(500, "500 Internal Server Error\n")(scope, receive, counted)
        finally:
            seconds = time.perf_counter() - started
            conclusion = conclusion or _failed(scope)
            self._log.add(scope, status, size, seconds, conclusion.note)
            self._counting.add(conclusion, status, size, seconds)
            if recording is not None and noted is not None:
                recording.end(noted, scope, seconds)


def _asked(scope: Scope) -> RequestKind:
    """Return what kind of request it is, a poll if it is one that goes astray."""
    kind = kind_of(scope["raw_path"])
    astray = kind is RequestKind.PAGE and _asks_as_a_device(scope["raw_path"], scope["query_string"])
    return RequestKind.POLL if astray else kind


def _failed(scope: Scope) -> Conclusion:
    """Return what became of a request that was not answered to its end."""
    kind = kind_of(scope["raw_path"])
    return Polled(Outcome.FAILED) if kind is RequestKind.POLL else Handled(kind)
