"""What an authority that speaks ACME looks for: the proof that a name leads to this server (RFC 8555, http-01)."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.responses import in_words

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gitupd.store.certificates.account import AcmeFolder

PREFIX = b"/.well-known/acme-challenge/"
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{1,256}", re.ASCII)
_KEPT_SECONDS = 1.0


class ProofEndpoint:
    """The ASGI application that answers for all names and tokens, as the account's key is all that a proof needs.

    What it says holds for that account alone: nobody else can have a certificate by it.
    """

    def __init__(self, folder: AcmeFolder | None) -> None:
        """Answer for the account in *folder*, None for none."""
        self._folder = folder
        self._thumbprint, self._until = "", 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request."""
        token = scope["raw_path"].removeprefix(PREFIX)
        response = in_words(404, "404 Not Found\n")
        if scope["method"] not in ("GET", "HEAD"):
            response = in_words(405, "405 Method Not Allowed\n", {"allow": "GET, HEAD"})
        elif _TOKEN.fullmatch(token) and (thumbprint := await self._known()):
            response = in_words(200, f"{token.decode('ascii')}.{thumbprint}")
        await response(scope, receive, send)
        return Handled(RequestKind.PROOF)

    async def _known(self) -> str:
        """Return the thumbprint of the account's key, looked up once a second at the most; empty without an account.

        That there is none is looked up each time: the first proof is looked for as soon as there is one.
        """
        if self._folder is not None and (not self._thumbprint or time.monotonic() >= self._until):
            self._thumbprint = await asyncio.to_thread(lambda folder: folder.thumbprint, self._folder)
            self._until = time.monotonic() + _KEPT_SECONDS
        return self._thumbprint
