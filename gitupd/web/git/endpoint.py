"""Git over HTTP, for operators: the backup history is cloned and fetched, the configuration pushed to as well.

The protocol itself is spoken by ``git http-backend``. It runs with hardly any environment, and for no more than the
addresses that a clone or a push needs; everything else is refused before it. What is pushed is looked at by the hooks
of the repository, as by any other way (``service/pushing``).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import structlog

from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Actor, Role
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.clock import now
from gitupd.service.people.access import Access
from gitupd.service.people.login import Login, Right, Slowed
from gitupd.service.people.passwords import KEY_PREFIX
from gitupd.store.places import BACKUPS, CONFIG
from gitupd.web.asgi.body import Refusal, Room, whole
from gitupd.web.asgi.conclusion import Handled, RequestKind
from gitupd.web.asgi.request import header
from gitupd.web.asgi.responses import in_words
from gitupd.web.git.backend import Backend, BackendFailure, GitQuestion
from gitupd.web.git.push_body import fill, push_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive, Scope, Send

    from gitupd.service.site import Site
    from gitupd.web.asgi.request import Requests

PREFIX = b"/git/"

_PATH = re.compile(rb"/git/(?P<name>[a-z]+\.git)(?P<service>/info/refs|/git-upload-pack|/git-receive-pack)")
_PROTOCOL = re.compile(r"version=[0-9]")
_CODINGS = {"gzip": "gzip", "x-gzip": "gzip", "identity": None, "": None}
_UPLOAD, _RECEIVE = "git-upload-pack", "git-receive-pack"
_LARGEST_QUESTION = 8 * 2**20
_AT_ONCE = 2
"""Packs that are put together at the same time: of a long history, each takes a core for seconds, and 250 MB."""

_BRIEF_AT_ONCE = 8
_DOORKEEPERS = 2
_PATIENCE = 60.0
"""Seconds that a client may take for its question, or for the next part of its answer."""

_SECONDS_FOR_A_TURN = 300.0
_BUSY = "too many are cloning or fetching at once; try again in some minutes"

_RECORDED_EVERY = 60.0
_ROLE = Role.OPERATOR
_REPOSITORIES = frozenset({BACKUPS, CONFIG})
_WRITTEN_BY_US = "nothing can be pushed here: the backup history is written by gitupd alone"
_PUSHES_AT_ONCE = 2
_SECONDS_FOR_A_PUSH = 600.0
"""Seconds that Git and the hooks may take, who give a sign of life for as long as they compute."""

log = structlog.get_logger()


class _Answer(Exception):
    """A request that Git never sees."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a line in words, unless *headers* say that it is something else."""
        super().__init__(text)
        self.status, self.text, self.headers = status, text, headers


class GitEndpoint:
    """The ASGI application below ``/git/``."""

    def __init__(
        self, site: Site, requests: Requests, at_once: int = _AT_ONCE, seconds: float = _SECONDS_FOR_A_TURN
    ) -> None:
        """Let operators read the repositories of *site*, and push to one; *requests* knows where they come from.

        No more than *at_once* are given packs; others wait for so many *seconds*.
        """
        self._requests, self._audit = requests, site.audit
        self._followed = site.settings.upstream.address
        self._access, self._login = Access(site), Login(site)
        self._backend = Backend(site.path)
        self._turns, self._brief_turns = asyncio.Semaphore(at_once), asyncio.Semaphore(_BRIEF_AT_ONCE)
        self._seconds, self._room = seconds, Room()
        self._pushes, self._folder, self._reserve = asyncio.Semaphore(_PUSHES_AT_ONCE), site.path, site.reserve
        self._recorded: dict[tuple[str, str | None, str], float] = {}
        # Of their own: looking at a password takes long, and guesses must not keep firmware and backups waiting.
        self._doorkeepers = ThreadPoolExecutor(_DOORKEEPERS, thread_name_prefix="git log-in")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Handled:
        """Answer one request."""
        started, note = False, ""

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            async with asyncio.timeout(_PATIENCE):  # for the client to go on reading
                await send(message)

        try:
            await self._answer(await self._question(scope), receive, sending)
        except (_Answer, Refusal, MalformedRequest, GitupdError, BackendFailure, OSError) as error:
            answer = _refusal(error)
            note = answer.text if answer.status < 500 else str(error)  # noqa: PLR2004 - faults of our own
            if not started:
                await in_words(answer.status, f"{answer.text}\n", answer.headers)(scope, receive, send)
            # Else the connection is closed in the middle of the answer, which Git takes for what it is.
        return Handled(RequestKind.GIT, note)

    async def _answer(self, question: GitQuestion, receive: Receive, send: Send) -> None:
        """Ask Git once the question is there: whoever is slow to ask must not keep others from being answered."""
        if question.pushes:
            await self._take_push(question, receive, send)
            return
        with self._room.open() as take:
            if question.asks:
                question = replace(question, body=await whole(receive, _LARGEST_QUESTION, _PATIENCE, take))
            turns = self._brief_turns if question.is_brief else self._turns
            try:
                async with asyncio.timeout(self._seconds):
                    await turns.acquire()
            except TimeoutError:
                raise _busy(question) from None
            try:
                await self._backend.answer(question, receive, send)
            finally:
                turns.release()

    async def _take_push(self, question: GitQuestion, receive: Receive, send: Send) -> None:
        """Give a push to Git, once all of it is there and was measured."""
        if self._reserve.is_reached():
            raise _Answer(503, "there is too little room on the disk of the site; nothing is taken")
        try:
            async with asyncio.timeout(self._seconds):
                await self._pushes.acquire()
        except TimeoutError:
            raise _Answer(503, _BUSY, {"retry-after": "60"}) from None
        try:
            with push_file(self._folder) as file:
                await fill(file, receive, _PATIENCE)
                async with asyncio.timeout(_SECONDS_FOR_A_PUSH):
                    await self._backend.answer(replace(question, pushed=file), receive, send)
        finally:
            self._pushes.release()

    async def _question(self, scope: Scope) -> GitQuestion:
        """Return what Git is to be asked; raises _Answer if it is not to be asked."""
        seen = self._requests.seen_from_the_client(scope)
        who = await asyncio.get_running_loop().run_in_executor(self._doorkeepers, self._actor, seen)
        if not who.role.allows(_ROLE):
            raise _Answer(403, f"this needs the role {_ROLE}; yours is {who.role}")
        address = _PATH.fullmatch(scope["raw_path"])
        name = address["name"].decode() if address else ""
        if address is None or name not in _REPOSITORIES:
            raise _Answer(404, f"there is no such repository or file here; clone /git/{BACKUPS} or /git/{CONFIG}")
        service = address["service"].decode()
        wanted = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("service", "")
        asks = service in (f"/{_UPLOAD}", f"/{_RECEIVE}")
        pushes = _RECEIVE in (service[1:], wanted)
        if pushes and name != CONFIG:
            raise _Answer(403, _WRITTEN_BY_US)
        if pushes and self._followed is not None:
            raise _Answer(403, f"push to {self._followed.text}: this site follows it, and fetches what is new there")
        if scope["method"] != ("POST" if asks else "GET"):
            raise _Answer(405, "Git asks with another method", {"allow": "POST" if asks else "GET"})
        if not asks and wanted not in (_UPLOAD, _RECEIVE):
            raise _Answer(403, "only the smart protocol of Git is spoken here; use Git 1.6.6 or later")
        if asks and not pushes:
            await asyncio.to_thread(self._record, who, name)
        coding = _coding(scope)
        if asks and pushes and coding is not None:
            raise _Answer(415, "a push is measured as it is, so it is not to be packed any more")
        about = (coding, header(scope, b"content-type") or "", _protocol(scope))
        return GitQuestion(name, service, *about, pusher=who if pushes else None)

    def _actor(self, scope: Scope) -> Actor:
        """Return who asks, by a password or a token; raises _Answer. Sessions of browsers don't count."""
        name, secret = _credentials(header(scope, b"authorization"))
        address = scope["client"][0] or None
        if secret.startswith(KEY_PREFIX):
            actor = self._access.by_token(secret, address, now())
            if actor is None:
                raise _Answer(401, "the token is wrong, expired or revoked", _ASK)
            return actor
        checked = self._login.check(name, secret, address, now())
        if isinstance(checked, Slowed):
            wait = max(1, math.ceil(checked.pause.total_seconds()))
            raise _Answer(429, f"too many failures; try again in {wait} s", {"retry-after": str(wait)})
        if not isinstance(checked, Right):
            raise _Answer(401, "the name or the password is wrong", _ASK)
        return Actor(checked.user.name, checked.user.role, address)

    def _record(self, who: Actor, name: str) -> None:
        """Write down that somebody reads a repository, once a minute: a clone asks several times."""
        key, at = (who.name, who.address, name), time.monotonic()
        if at - self._recorded.get(key, -math.inf) < _RECORDED_EVERY:
            return
        if len(self._recorded) > 1000:  # noqa: PLR2004 - more than there are operators
            self._recorded.clear()
        self._recorded[key] = at
        kind = Kind.BACKUP_VIEW if name == BACKUPS else Kind.EXPORT
        self._audit.add(now(), who.name, kind, name, "clone or fetch by Git", address=who.address)


_ASK = {"www-authenticate": 'Basic realm="gitupd", charset="UTF-8"'}


def _busy(question: GitQuestion) -> _Answer:
    """Return what Git shows to its user: of an answer to a question of its own, it would tell the status alone."""
    if not question.asks:
        return _Answer(503, _BUSY, {"retry-after": "60"})
    packet = f"ERR {_BUSY}"
    return _Answer(200, f"{len(packet) + 5:04x}{packet}", {"content-type": "application/x-git-upload-pack-result"})


def _credentials(authorization: str | None) -> tuple[str, str]:
    """Return name and password in an Authorization header, for a token no name; raises _Answer."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return "", rest.strip()
    if scheme.lower() == "basic":
        with suppress(binascii.Error, UnicodeDecodeError):
            name, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
            if colon and secret:
                return name, secret
    raise _Answer(401, "log in with your name and your password or a token", _ASK)


def _coding(scope: Scope) -> str | None:
    """Return how the question is packed, None for not at all; raises _Answer for what Git does not unpack."""
    coding = (header(scope, b"content-encoding") or "").strip().lower()
    if coding not in _CODINGS:
        raise _Answer(415, "only gzip is unpacked")
    return _CODINGS[coding]


def _protocol(scope: Scope) -> str | None:
    protocol = (header(scope, b"git-protocol") or "").strip()
    return protocol if _PROTOCOL.fullmatch(protocol) else None


def _refusal(error: Exception) -> _Answer:
    match error:
        case _Answer():
            return error
        case Refusal():
            return _Answer(error.status, error.reason)
        case MalformedRequest():
            return _Answer(400, str(error))
        case BackendFailure():
            log.error("git could not be served", error=str(error))
            return _Answer(503, f"Git can't answer: {error}")
        case _:  # TimeoutError is an OSError, too
            log.error("git could not be served", error=repr(error))
            return _Answer(503, "this can't be answered at the moment")
