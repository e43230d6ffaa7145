"""Firmware files for devices, sent as fast as each of them takes them: a slow one holds nobody else up."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import FileResponse, PlainTextResponse, Response

from gitupd.web.asgi.conclusion import Handled, RequestKind

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gitupd.store.firmware import FirmwareStore

_PATH = re.compile(r".*/fw/(?P<build>[^/]+)/(?:.*/)?(?P<name>[^/]+)", re.DOTALL | re.IGNORECASE)


class FirmwareEndpoint:
    """The ASGI application that answers ``/fw/BUILD/FILE``.

    Any directory may stand in front, as in front of ``update.php``, and further ones behind the build, as a policy's
    storage may say.
    """

    def __init__(self, store: FirmwareStore) -> None:
        """Send files out of *store*."""
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request: with the file, a range of it, or that the device has it already."""
        await (await self._response(scope))(scope, receive, send)
        return Handled(RequestKind.FIRMWARE)

    async def _response(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("405 Method Not Allowed\n", 405)
        address = _PATH.fullmatch(unquote(scope["raw_path"].decode("ascii")))
        path = await asyncio.to_thread(self._store.find, address["build"], address["name"]) if address else None
        if path is None or not path.is_file():
            return PlainTextResponse("404 Not Found\n", 404)
        headers = {"cache-control": "max-age=300", "x-content-type-options": "nosniff"}
        response = FileResponse(path, headers=headers, media_type="application/octet-stream", stat_result=path.stat())
        tags = b",".join(value for name, value in scope["headers"] if name == b"if-none-match").decode("latin-1")
        if response.headers["etag"] in [tag.strip().removeprefix("W/") for tag in tags.split(",")]:
            return Response(status_code=304, headers={"etag": response.headers["etag"]})
        return response
