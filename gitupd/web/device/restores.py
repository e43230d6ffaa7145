"""The address of a restore: it holds for one device and one version, and answers once."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import structlog

from gitupd.core.identity import Claim
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.responses import in_words
from gitupd.web.device.recording import DEVICE

if TYPE_CHECKING:
    from starlette.responses import PlainTextResponse
    from starlette.types import Receive, Scope, Send

    from gitupd.service.backups.restoring import SiteRestores
    from gitupd.service.deployments.live import Follower
    from gitupd.web.device.trust import Trust

_PATH = re.compile(rb"(?P<front>.*/restore/)(?P<token>[0-9A-Za-z_-]{1,64})", re.DOTALL)

_NOTHING_HERE = b"# 404 Not Found\r\n"
_AS_IT_SAYS = {"x-content-type-options": "nosniff"}

log = structlog.get_logger()


def is_restore(path: bytes) -> bool:
    """Whether *path* is ``/restore/TOKEN``, whatever directory stands in front and whatever the token."""
    return path.rpartition(b"/")[0].endswith(b"/restore")


class RestoreEndpoint:
    """The ASGI application that answers ``/restore/TOKEN``."""

    def __init__(self, restoring: SiteRestores, follower: Follower, trust: Trust) -> None:
        """Serve what *restoring* knows, as the policy that *follower* knows wants it, to whom *trust* lets have it."""
        self._restoring, self._follower, self._trust = restoring, follower, trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request: 200 with the commands, 404 for everything that is not the first GET of an address."""
        address = _PATH.fullmatch(scope["raw_path"])
        if address:  # until it is fetched the token is as good as a password, and not for the log
            scope["raw_path"] = address["front"] + b"***"
        response, note = in_words(404, _NOTHING_HERE, _AS_IT_SAYS), ""
        if address and scope["method"] == "GET":
            try:
                response, note = await asyncio.to_thread(self._response, scope, address["token"].decode("ascii"))
            except GitupdError as error:
                log.error("a restore can't be served", error=str(error))
                note = "the restore can't be served at the moment"
                response = in_words(503, b"# 503 the version can't be read at the moment\r\n", _AS_IT_SAYS)
        await response(scope, receive, send)
        return Handled(RequestKind.RESTORE, note)

    def _response(self, scope: Scope, token: str) -> tuple[PlainTextResponse, str]:
        """Return the answer, and what the log should say besides."""
        live = self._follower.live
        if live is None:  # what is demanded of devices is not known
            raise GitupdError("nothing is deployed")
        serial = scope[DEVICE] = self._restoring.awaited(token)
        if serial is not None and (reason := self._trust.refusal(scope, Claim(serial.digits))) is not None:
            return in_words(403, f"# refused: {reason}\r\n".encode(), _AS_IT_SAYS), reason
        commands = self._restoring.serve(token, now(), live.snapshot.policy.backup)
        if commands is None:
            return in_words(404, _NOTHING_HERE, _AS_IT_SAYS), ""
        return in_words(200, commands, _AS_IT_SAYS), ""
