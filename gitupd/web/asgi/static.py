"""Files of ours that are no pages, sent as fast as each client takes them; nobody has to be logged in for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from gitupd.web.asgi.responses import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """A folder of files, which whoever has asked for one may keep for so many ``seconds``.

    Whether scripts of other sites may read them, such as an editor in a browser, says ``for_all``.
    """

    path: str | Path
    seconds: int
    for_all: bool = False


class StaticEndpoint:
    """The ASGI application that answers addresses below some prefixes with the files of a folder each."""

    def __init__(self, folders: Mapping[str, StaticFolder], headers: Mapping[str, str]) -> None:
        """Serve *folders* by their prefixes, such as ``/static``; each answer has *headers* besides."""
        self._files = {f"{prefix}/": StaticFiles(directory=folder.path) for prefix, folder in folders.items()}
        self._seconds = {f"{prefix}/": folder.seconds for prefix, folder in folders.items()}
        self._for_all = {f"{prefix}/" for prefix, folder in folders.items() if folder.for_all}
        self._headers = headers
        self.prefixes = tuple(prefix.encode() for prefix in self._files)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        prefix = next(prefix for prefix in self._files if scope["path"].startswith(prefix))
        response = await self._response(scope, prefix)
        response.headers.setdefault("Cache-Control", f"max-age={self._seconds[prefix]}")
        if prefix in self._for_all:
            response.headers["Access-Control-Allow-Origin"] = "*"
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _response(self, scope: Scope, prefix: str) -> Response:
        files = self._files[prefix]
        try:
            path = files.get_path({**scope, "path": "/" + scope["path"].removeprefix(prefix), "root_path": ""})
            return await files.get_response(path, scope)
        except (HTTPException, ValueError) as error:  # the latter for names that no file system knows
            status = error.status_code if isinstance(error, HTTPException) else 404
            words = "405 Method Not Allowed\n" if status == 405 else "404 Not Found\n"  # noqa: PLR2004 - HTTP's own
            return in_words(status, words)
