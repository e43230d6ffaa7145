"""The address of a restore: it holds for one device and one version, and answers once."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import structlog

from gitupd.core.policy import Backup
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.web.asgi.request import NOTE

if TYPE_CHECKING:
    from gitupd.service.backups.restoring import Restoring
    from gitupd.service.deployments.live import Follower
    from gitupd.web.asgi.request import Scope

_PATH = re.compile(rb"(?P<front>.*/restore/)(?P<token>[0-9A-Za-z_-]{1,64})", re.DOTALL)

log = structlog.get_logger()


def is_restore(path: bytes) -> bool:
    """Whether *path* is ``/restore/TOKEN``, whatever directory stands in front and whatever the token."""
    return path.rpartition(b"/")[0].endswith(b"/restore")


class RestoreEndpoint:
    """The ASGI application that answers ``/restore/TOKEN``."""

    def __init__(self, restoring: Restoring, follower: Follower) -> None:
        """Serve what *restoring* knows, as the policy that *follower* knows wants it."""
        self._restoring, self._follower = restoring, follower

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ARG002 - ASGI gives it
        """Answer one request: 200 with the commands, 404 for everything that is not the first GET of an address."""
        found = _PATH.fullmatch(scope["raw_path"])
        if found:  # until it is fetched the token is as good as a password, and not for the log
            scope["raw_path"] = found["front"] + b"***"
        status, body = 404, b"# 404 Not Found\r\n"
        if found and scope["method"] == "GET":
            status, body = await asyncio.to_thread(self._answer, scope, found["token"].decode("ascii"))
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _answer(self, scope: Scope, token: str) -> tuple[int, bytes]:
        live = self._follower.live
        try:
            text = self._restoring.serve(token, now(), live.snapshot.policy.backup if live else Backup())
        except GitupdError as error:
            log.error("a restore can't be served", error=str(error))
            scope[NOTE] = "the restore can't be served at the moment"
            return 503, b"# 503 the version can't be read at the moment\r\n"
        return (404, b"# 404 Not Found\r\n") if text is None else (200, text)
