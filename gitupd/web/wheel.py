"""The wheel of the program that serves, so that CI checks a configuration with the very version of its site.

Nobody has to be logged in for it: it is the same at every site. The page of links is what ``pip --find-links`` reads.
"""

from __future__ import annotations

import asyncio
import re
from html import escape
from typing import TYPE_CHECKING

import structlog
from starlette.responses import HTMLResponse, Response

from gitupd.errors import GitupdError
from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.responses import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from gitupd.store.wheel import Wheel

PREFIX = b"/dist/"
_SECONDS = 300
_PAGES = {"/dist/": "", "/dist/gitupd/": "../"}
"""The pages with the link, and how it leads to the file: pip asks for the second one if it takes us for an index."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="pypi:repository-version" content="1.0"><title>gitupd</title></head>
<body><a href="{link}#sha256={sha256}" data-requires-python="{python}">{name}</a></body>
</html>
"""

log = structlog.get_logger()


class WheelEndpoint:
    """The ASGI application that answers ``/dist/``."""

    def __init__(self, make: Callable[[], Wheel], headers: Mapping[str, str]) -> None:
        """Hand out what *make* makes when it is asked for first; each answer has *headers* besides."""
        self._make, self._headers = make, headers
        self._made: Wheel | GitupdError | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request."""
        response = await self._response(scope)
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)
        return Handled(RequestKind.PAGE)

    async def _response(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return in_words(405, "405 Method Not Allowed\n", {"allow": "GET, HEAD"})
        wheel = await self._wheel()
        if isinstance(wheel, GitupdError):
            return in_words(404, f"404 Not Found: {wheel}\n")
        path = scope["path"]
        if (way := _PAGES.get(path)) is not None:
            link = {"link": way + wheel.name, "name": wheel.name, "sha256": wheel.sha256, "python": wheel.python}
            return HTMLResponse(_PAGE.format_map({key: escape(value) for key, value in link.items()}), headers=_KEPT)
        if path != f"/dist/{wheel.name}":
            return in_words(404, "404 Not Found: /dist/ has a link to what there is\n")
        tag = f'"{wheel.sha256}"'
        if tag in re.findall(r'"[0-9a-f]+"', _header(scope, b"if-none-match")):
            return Response(status_code=304, headers={**_KEPT, "etag": tag})
        return Response(wheel.content, headers={**_KEPT, "etag": tag}, media_type="application/octet-stream")

    async def _wheel(self) -> Wheel | GitupdError:
        """Return the wheel, or why there is none; it is made once, for that takes a while."""
        async with self._making:
            if self._made is None:
                try:
                    self._made = await asyncio.to_thread(self._make)
                except GitupdError as error:
                    log.warning("there is no wheel of gitupd to be handed out", error=str(error))
                    self._made = error
            return self._made


_KEPT = {"cache-control": f"public, max-age={_SECONDS}"}


def _header(scope: Scope, name: bytes) -> str:
    return b",".join(value for each, value in scope["headers"] if each == name).decode("latin-1")
