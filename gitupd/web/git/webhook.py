"""``/webhook``: a host of repositories says that there is news at the upstream, and it is fetched."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from gitupd.core.upstream.webhook import HEADERS, WebhookCheck
from gitupd.errors import GitupdError
from gitupd.service.upstream.news import spread_news
from gitupd.service.upstream.opening import webhook_secret_of
from gitupd.web.asgi.body import Refusal, chunks
from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.responses import in_words

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gitupd.service.site import Site

PATH = b"/webhook"

_LARGEST = 25 * 2**20
"""Bytes of a message: GitHub sends no more."""

_PAUSE = 10.0
_AGAIN_AFTER = 60.0
_MOST_REMEMBERED = 1_000


class WebhookEndpoint:
    """The ASGI application at that path; nobody is logged in, and nothing is there unless the site has a secret."""

    def __init__(self, site: Site) -> None:
        """Have what *site* follows fetched."""
        self._site = site
        self._heard: OrderedDict[bytes, float] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request."""
        try:
            status, text = await self._answer(scope, receive)
        except Refusal as error:
            status, text = error.status, error.reason
        except GitupdError as error:
            await in_words(503, "503 Service Unavailable\n")(scope, receive, send)
            return Handled(RequestKind.WEBHOOK, str(error))
        headers = {"allow": "POST"} if status == 405 else {}  # noqa: PLR2004 - Method Not Allowed
        await in_words(status, f"{text}\n", headers)(scope, receive, send)
        return Handled(RequestKind.WEBHOOK, text)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, str]:
        settings = self._site.settings.upstream
        if settings.address is None or not (settings.webhook_secret_file or settings.webhook_secret):
            return 404, "404 Not Found"
        if scope["method"] != "POST":
            return 405, "405 Method Not Allowed"
        named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        headers = {name: value for name, value in named.items() if name in HEADERS}
        if not headers:
            return 403, "there is no signature of GitHub, GitLab, Gitea or Forgejo"
        secret = await asyncio.to_thread(webhook_secret_of, self._site)
        check = WebhookCheck(headers, secret, time.time())
        async for chunk in chunks(receive, _LARGEST, _PAUSE):
            check.add(chunk)
        if not check.is_genuine:
            return 403, "the signature is not that of the secret in webhook_secret_file"
        if self._is_known(check.fingerprint):
            return 202, "that was said already"
        await asyncio.to_thread(spread_news, self._site.path)
        self._remember(check.fingerprint)
        return 202, "it is fetched"

    def _is_known(self, fingerprint: bytes) -> bool:
        """Whether the same was said just now, or by somebody who says it again and again."""
        since = self._heard.get(fingerprint)
        return since is not None and time.monotonic() - since < _AGAIN_AFTER

    def _remember(self, fingerprint: bytes) -> None:
        self._heard[fingerprint] = time.monotonic()
        self._heard.move_to_end(fingerprint)
        if len(self._heard) > _MOST_REMEMBERED:
            self._heard.popitem(last=False)
