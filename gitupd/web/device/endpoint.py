"""The device endpoints: polls and uploads, for every path that ends in ``update.php``.

They are ASGI and not Flask, because they are all but everything the server does: a poll takes less here than Flask's
dispatch alone (docs/decisions/0002-server.md).
"""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import structlog

from gitupd.core.admission.codes import ARGUMENT
from gitupd.core.caller import parse_caller
from gitupd.errors import MalformedRequest
from gitupd.service.clock import now
from gitupd.service.poll import NOTHING_DEPLOYED
from gitupd.service.sightings import Outcome
from gitupd.web.asgi.body import Refusal, Unavailable, chunks, size
from gitupd.web.asgi.conclusion import Polled, Uploaded, UploadMode, UploadOutcome
from gitupd.web.asgi.request import LONGEST_URL, Requests, parse_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from gitupd.service.poll import Poll
    from gitupd.settings import Settings
    from gitupd.web.device.query_upload import UploadEndpoint
    from gitupd.web.device.trust import Trust

ENDPOINT = b"/update.php"
_BROKEN_OFF = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT})
"""Answers to requests of which more may come, for ever, if the connection stays."""

_MODES = {str(mode): mode for mode in UploadMode if mode is not UploadMode.OTHER}

_POLLED = {outcome: Polled(outcome) for outcome in Outcome}
"""Made once: to make and count a value of its own for each poll took 0.7 µs of the 25 that it takes here."""

log = structlog.get_logger()


class DeviceEndpoint:
    """The ASGI application that answers devices."""

    def __init__(self, poll: Poll, upload: UploadEndpoint, settings: Settings, trust: Trust) -> None:
        """Answer polls by *poll*, and uploads by *upload*, within the limits that *settings* give.

        *trust* knows whose certificates are good.
        """
        self._poll, self._upload = poll, upload
        self._settings = settings
        self._requests, self._trust = Requests(settings), trust
        self._largest = settings.largest_upload * 2**20

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Polled | Uploaded:
        """Answer one request; whatever goes wrong here, a device gets nothing that it would execute."""
        status, mode = 200, None
        try:
            arguments = _arguments(scope)
            mode = _upload_mode(scope, arguments)
            body, conclusion = await (
                self._answer(scope, arguments, receive)
                if mode is None
                else self._upload(mode, scope, arguments, receive)
            )
        except MalformedRequest as error:
            status, conclusion = 400, _unanswered(mode, str(error))
            body = b"# refused: malformed request\r\n"
        except Refusal as error:
            status, conclusion = error.status, _unanswered(mode, error.reason, failed=isinstance(error, Unavailable))
            body = f"# refused: {error.reason}\r\n".encode()
        except Exception:
            log.exception("a device could not be answered", query=repr(_without_code(scope["query_string"])[:1000]))
            status = 200 if mode is None else 503  # a device executes what it is sent, and repeats an upload
            conclusion = _unanswered(mode, failed=True)
            body = b"# gitupd failed to answer; its log says why\r\n"
        headers = _headers(len(body), close=status in _BROKEN_OFF)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        return conclusion

    async def _answer(self, scope: Scope, arguments: dict[str, str], receive: Receive) -> tuple[bytes, Polled]:
        match scope["method"]:
            case "PUT":
                # a poll whose body means nothing, as the PHP server took it (recording 200)
                await size(receive, self._largest, self._settings.request_seconds)
            case "POST":  # a form (recording 200); no device sends one: docs/reference/device-protocol.md, "Uploads"
                arguments |= await self._form(receive)
            case "GET" | "HEAD":
                pass
            case _:
                raise Refusal(405, "devices only GET and PUT")
        if arguments.get("mode") == "upload":  # by which people handed in certificates, and anybody any file
            raise Refusal(403, "people hand in certificates on the page Certificates, after they have logged in")
        if "mode" in arguments:  # whatever its name, no commands come of it (recordings 206, 214)
            return b"# uploads are made by PUT, and nothing else has a mode\r\n", Polled(Outcome.REFUSED)
        return await self._script(scope, arguments)

    async def _script(self, scope: Scope, arguments: dict[str, str]) -> tuple[bytes, Polled]:
        """Answer a poll at once, or from a thread if that takes time."""
        caller = parse_caller(arguments, self._requests.endpoint(scope), self._trust.shown(scope))
        live = self._poll.live
        if live is None:
            return NOTHING_DEPLOYED, Polled(Outcome.WAITING)
        # nothing is delivered by a HEAD (recording 200)
        answering = self._poll.preview if scope["method"] == "HEAD" else self._poll.answer
        ask = partial(answering, live, caller, now(), self._requests.origin(scope))
        takes_long = live.takes_time or caller.code is not None
        answer = await asyncio.to_thread(ask) if takes_long else ask()
        return answer.body, _POLLED[Outcome.VIEWED if scope["method"] == "HEAD" else answer.outcome]

    async def _form(self, receive: Receive) -> dict[str, str]:
        """Return the arguments in the body of a form, which is no longer than an address may be."""
        body = b"".join([chunk async for chunk in chunks(receive, LONGEST_URL, self._settings.request_seconds)])
        return parse_arguments(body.strip())


def _arguments(scope: Scope) -> dict[str, str]:
    if _is_of_another_site(scope):
        raise Refusal(403, "this was asked by a page of another site")
    if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_URL:
        raise Refusal(414, "address too long")
    return parse_arguments(scope["query_string"])


def _without_code(query: bytes) -> bytes:
    """Return a query string without the one-time code that may be in it, however its name is written."""
    return b"&".join(part for part in query.split(b"&") if ARGUMENT.encode() not in unquote_to_bytes(part).lower())


def _upload_mode(scope: Scope, arguments: Mapping[str, str]) -> UploadMode | None:
    """Return what a device uploads, None if it polls."""
    if scope["method"] != "PUT" or "mode" not in arguments:
        return None
    return _MODES.get(arguments["mode"], UploadMode.OTHER)


def _unanswered(mode: UploadMode | None, note: str = "", *, failed: bool = False) -> Polled | Uploaded:
    """Return what became of a request that was refused, or that we *failed* to answer; *mode* None is a poll."""
    if mode is None:
        return Polled(Outcome.FAILED if failed else Outcome.REFUSED, note)
    return Uploaded(mode, UploadOutcome.FAILED if failed else UploadOutcome.REFUSED, note)


def _is_of_another_site(scope: Scope) -> bool:
    """Whether a browser asks for a page of somebody else's, as it says itself; no device says anything of the kind."""
    host = b""
    origin = None
    for name, value in scope["headers"]:
        if name == b"sec-fetch-site" and value not in (b"none", b"same-origin"):
            return True
        if name == b"origin":
            origin = value
        elif name == b"host":
            host = value
    return origin is not None and origin.rpartition(b"://")[2].lower() != host.lower()


def _headers(length: int, *, close: bool) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(length).encode()),
        (b"cache-control", b"no-store"),
    ]
    return [*headers, (b"connection", b"close")] if close else headers
