"""The address of a restore: it holds for one device and one version, and answers once."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import structlog

from gitupd.core.policy import Backup
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.responses import in_words

if TYPE_CHECKING:
    from starlette.responses import PlainTextResponse
    from starlette.types import Receive, Scope, Send

    from gitupd.service.backups.restoring import SiteRestores
    from gitupd.service.deployments.live import Follower

_PATH = re.compile(rb"(?P<front>.*/restore/)(?P<token>[0-9A-Za-z_-]{1,64})", re.DOTALL)

_NOTHING_HERE = b"# 404 Not Found\r\n"
_AS_IT_SAYS = {"x-content-type-options": "nosniff"}

log = structlog.get_logger()


def is_restore(path: bytes) -> bool:
    """Whether *path* is ``/restore/TOKEN``, whatever directory stands in front and whatever the token."""
    return path.rpartition(b"/")[0].endswith(b"/restore")


class RestoreEndpoint:
    """The ASGI application that answers ``/restore/TOKEN``."""

    def __init__(self, restoring: SiteRestores, follower: Follower) -> None:
        """Serve what *restoring* knows, as the policy that *follower* knows wants it."""
        self._restoring, self._follower = restoring, follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request: 200 with the commands, 404 for everything that is not the first GET of an address."""
        address = _PATH.fullmatch(scope["raw_path"])
        if address:  # until it is fetched the token is as good as a password, and not for the log
            scope["raw_path"] = address["front"] + b"***"
        response, note = in_words(404, _NOTHING_HERE, _AS_IT_SAYS), ""
        if address and scope["method"] == "GET":
            try:
                response = await asyncio.to_thread(self._response, address["token"].decode("ascii"))
            except GitupdError as error:
                log.error("a restore can't be served", error=str(error))
                note = "the restore can't be served at the moment"
                response = in_words(503, b"# 503 the version can't be read at the moment\r\n", _AS_IT_SAYS)
        await response(scope, receive, send)
        return Handled(RequestKind.RESTORE, note)

    def _response(self, token: str) -> PlainTextResponse:
        live = self._follower.live
        commands = self._restoring.serve(token, now(), live.snapshot.policy.backup if live else Backup())
        if commands is None:
            return in_words(404, _NOTHING_HERE, _AS_IT_SAYS)
        return in_words(200, commands, _AS_IT_SAYS)
