"""The list of what the site's own authority has revoked, for whoever wants to know."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import Response

from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.responses import in_words

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gitupd.service.certificates.revoked_lists import PublishedLists

PATH = b"/certificates/crl"
_SECONDS = 300
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)


class RevokedEndpoint:
    """The ASGI application that answers ``/certificates/crl``: in DER, or in PEM with ``form=pem``.

    ``authority`` is the number of one of the authorities that there were, as it stands in certificates; without it, the
    one that signs is meant.
    """

    def __init__(self, lists: PublishedLists) -> None:
        """Hand out *lists*."""
        self._lists = lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request."""
        response = await self._response(scope)
        await response(scope, receive, send)
        return Handled(RequestKind.LIST)

    async def _response(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return in_words(405, "405 Method Not Allowed\n", {"allow": "GET, HEAD"})
        arguments = parse_qs(scope["query_string"].decode("latin-1"))
        number, form = arguments.get("authority", [""])[-1], arguments.get("form", ["der"])[-1]
        if (number and not _NUMBER.fullmatch(number)) or form not in ("der", "pem"):
            return in_words(400, "400 Bad Request: ?authority=NUMBER&form=der|pem\n")
        if self._lists.is_stale:
            await asyncio.to_thread(self._lists.look)
        listed = self._lists.of(int(number) if number else None)
        if listed is None:
            return in_words(404, "404 Not Found\n")
        tag = f'"{listed.fingerprint[:32]}-{form}"'
        headers = {
            "etag": tag,
            "cache-control": f"public, max-age={_SECONDS}",
            "last-modified": listed.updated.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "x-content-type-options": "nosniff",
        }
        if tag in _tags(scope):
            return Response(status_code=304, headers=headers)
        if form == "pem":
            return Response(listed.pem, headers=headers, media_type="application/x-pem-file")
        return Response(listed.der, headers=headers, media_type="application/pkix-crl")


def _tags(scope: Scope) -> list[str]:
    """Return the tags of what the client has already."""
    listed = b",".join(value for name, value in scope["headers"] if name == b"if-none-match").decode("latin-1")
    return [tag.strip().removeprefix("W/") for tag in listed.split(",")]
