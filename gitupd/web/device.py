"""The device endpoints: polls and uploads, for every path that ends in ``update.php``.

They are ASGI and not Flask, because they are all but everything the server does: a poll takes less here than Flask's
dispatch alone (docs/decisions/0002-server.md).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog

from gitupd.core.device import parse_caller, parse_serial
from gitupd.errors import MalformedRequest
from gitupd.service.clock import now
from gitupd.service.poll import NOTHING_DEPLOYED
from gitupd.web.request import LONGEST_URL, NOTE, Requests, parse_arguments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gitupd.service.poll import Poll
    from gitupd.settings import Settings
    from gitupd.web.request import Scope

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

ENDPOINT = b"/update.php"
log = structlog.get_logger()

UPLOADS = ("backup", "query", "vardump")


class Refusal(Exception):
    """A request that is answered with a status other than 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class DeviceEndpoint:
    """The ASGI application that answers devices."""

    def __init__(self, poll: Poll, settings: Settings) -> None:
        """Answer polls by *poll*, within the limits that *settings* give."""
        self._poll = poll
        self._settings = settings
        self._requests = Requests(settings)
        self._largest = settings.largest_upload * 2**20

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong here, a device gets nothing that it would execute."""
        status = 200
        try:
            body = await self._answer(scope, receive)
        except MalformedRequest as error:
            status, scope[NOTE] = 400, str(error)
            body = b"# refused: malformed request\r\n"
        except Refusal as error:
            status, scope[NOTE] = error.status, error.reason
            body = f"# refused: {error.reason}\r\n".encode()
        except Exception:
            log.exception("a device could not be answered", query=repr(scope["query_string"][:1000]))
            body = b"# gitupd failed to make a script; its log says why\r\n"
        headers = _headers(len(body), close=status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_URL:
            raise Refusal(414, "address too long")
        arguments = parse_arguments(scope["query_string"])
        match scope["method"]:
            case "PUT" if "mode" in arguments:
                return await self._upload(arguments, receive)
            case "PUT":
                await self._size(receive)  # a poll whose body means nothing, as the PHP server took it
            case "POST":
                arguments |= await self._form(receive)
            case "GET" | "HEAD":
                pass
            case _:
                raise Refusal(405, "devices only GET and PUT")
        if "mode" in arguments:
            return b"# uploads are made by PUT, and nothing else has a mode\r\n"
        return await self._script(scope, arguments)

    async def _script(self, scope: Scope, arguments: dict[str, str]) -> bytes:
        """Answer a poll at once, or from a thread if the configuration's own code has to run for it."""
        caller = parse_caller(arguments, self._requests.endpoint(scope))
        live = self._poll.live
        if live is None:
            return NOTHING_DEPLOYED
        delivery, origin = scope["method"] != "HEAD", self._requests.origin(scope)
        if live.snapshot.scripting is None:
            return self._poll(live, caller, now(), origin=origin, delivery=delivery)
        return await asyncio.to_thread(self._poll, live, caller, now(), origin=origin, delivery=delivery)

    async def _upload(self, arguments: dict[str, str], receive: Receive) -> bytes:
        """Take in an upload and let it go: this version keeps none, and says so."""
        if arguments.get("mode") not in UPLOADS:
            raise MalformedRequest("an upload needs a mode")
        if "sn" in arguments:
            parse_serial(arguments["sn"])
        size = await self._size(receive)
        return f"# {size} bytes received; this version of gitupd keeps no uploads\r\n".encode()

    async def _form(self, receive: Receive) -> dict[str, str]:
        """Return the arguments in the body of a form, which is no longer than an address may be."""
        body = b"".join([chunk async for chunk in self._chunks(receive, LONGEST_URL)])
        return parse_arguments(body.strip())

    async def _size(self, receive: Receive) -> int:
        return sum([len(chunk) async for chunk in self._chunks(receive, self._largest)])

    async def _chunks(self, receive: Receive, largest: int) -> AsyncIterator[bytes]:
        """Yield the body as it comes, up to *largest* bytes; a client may pause for as long as the settings say."""
        left, more = largest, True
        while more:
            try:
                async with asyncio.timeout(self._settings.request_seconds):
                    message = await receive()
            except TimeoutError:
                raise Refusal(408, "the upload took too long") from None
            if message["type"] == "http.disconnect":
                raise Refusal(400, "the upload was cut off")
            chunk, more = message.get("body", b""), message.get("more_body", False)
            left -= len(chunk)
            if left < 0:
                raise Refusal(413, "the upload is too large")
            yield chunk


def _headers(length: int, *, close: bool) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(length).encode()),
        (b"cache-control", b"no-store"),
    ]
    return [*headers, (b"connection", b"close")] if close else headers
