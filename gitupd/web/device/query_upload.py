"""What devices upload: read within limits, handed on, and answered once it is kept."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

from gitupd.core.caller import claim_in, parse_serial
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.answers import UnusableAnswer, answered
from gitupd.service.certificates.requests import LARGEST, Dump, parse_dump
from gitupd.service.clock import now
from gitupd.web.asgi.body import Refusal, Room, Unavailable, size, whole
from gitupd.web.asgi.conclusion import Uploaded, UploadMode, UploadOutcome
from gitupd.web.device.backup_upload import DISK_IS_FULL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope

    from gitupd.core.answers import AnsweredQuery
    from gitupd.core.caller import Serial
    from gitupd.service.certificates.requests import RequestUploads
    from gitupd.service.query_answers import Uploads
    from gitupd.service.reserve import Reserve
    from gitupd.settings import Settings
    from gitupd.web.device.backup_upload import BackupUpload
    from gitupd.web.device.gate import UploadGate
    from gitupd.web.device.trust import Trust

_TAKEN = {mode: Uploaded(mode, UploadOutcome.TAKEN) for mode in UploadMode}
TOO_MANY = "there are too many unknown devices"
_READ_AT_ONCE = 32 * 2**10  # what takes longer to parse is parsed while others are answered


class UploadEndpoint:
    """Answers the uploads of devices, with nothing but comments."""

    def __init__(
        self,
        uploads: Uploads,
        backup: BackupUpload,
        requests: RequestUploads,
        settings: Settings,
        *,
        reserve: Reserve,
        trust: Trust,
        gate: UploadGate,
    ) -> None:
        """Hand answers to queries on to *uploads*, backups to *backup* and variables to *requests*.

        That is done within the limits that *settings* give.

        None is taken while the *reserve* of the disk is reached, without what *trust* demands, or of whom *gate* stops.
        """
        self._uploads, self._backup, self._requests = uploads, backup, requests
        self._reserve, self._trust, self._gate = reserve, trust, gate
        self._seconds = settings.request_seconds
        self._largest = settings.largest_upload * 2**20
        self._largest_answer = min(settings.largest_answer * 2**10, self._largest)
        self._room = Room()

    async def __call__(
        self, mode: UploadMode, scope: Scope, arguments: Mapping[str, str], receive: Receive
    ) -> tuple[bytes, Uploaded]:
        """Return the answer to an upload, and what became of it; raises MalformedRequest or Refusal."""
        reason = self._trust.refusal(scope, claim_in(arguments))
        if reason is not None and not self._trust.may_enrol(scope, mode, arguments.get("id")):
            return await self._distrusted(mode, reason, arguments, receive)
        # Before all that follows: what is no serial number must not become part of anything (recordings 202, 204).
        serial = parse_serial(arguments["sn"]) if "sn" in arguments else None
        await self._gate.stop(scope, serial, arguments)
        match mode:
            case UploadMode.BACKUP:
                return await self._backup(scope, serial, arguments, receive), _TAKEN[mode]
            case UploadMode.QUERY:
                query = arguments.get("id")
                if serial is None or not query:
                    await size(receive, self._largest_answer, self._seconds)
                    raise MalformedRequest("an answer needs the serial number of the device and the id of the query")
                return await self._query(serial, query, receive)
            case UploadMode.VARDUMP:
                return await self._variable(scope, serial, arguments, receive)
            case UploadMode.OTHER:
                raise MalformedRequest("an upload needs a mode")
            case _:
                assert_never(mode)

    async def _distrusted(
        self, mode: UploadMode, reason: str, arguments: Mapping[str, str], receive: Receive
    ) -> tuple[bytes, Uploaded]:
        """Take nothing in, and say so on the device's page: no device reads what an upload is answered with.

        Queries are asked by HTTP, too, where HTTPS is required (recording 120), and their answers let go with status
        200 (recording f044); whatever else comes without what is demanded is refused (recording 129).
        """
        with suppress(MalformedRequest):
            self._uploads.tell(
                parse_serial(arguments.get("sn", "")), f"an upload ({mode}) was refused: {reason}", now()
            )
        if mode is not UploadMode.QUERY or self._trust.wants_certificate:
            raise Refusal(403, reason)
        await size(receive, self._largest_answer, self._seconds)
        return f"# not kept: {reason}\r\n".encode(), Uploaded(mode, UploadOutcome.REFUSED, reason)

    async def _variable(
        self, scope: Scope, serial: Serial | None, arguments: Mapping[str, str], receive: Receive
    ) -> tuple[bytes, Uploaded]:
        """Take in a variable that this device was told to upload; raises MalformedRequest for any other."""
        with self._room.open() as take:
            body = await whole(receive, LARGEST, self._seconds, take)
        variable = arguments.get("var")
        if serial is None or variable is None:
            raise MalformedRequest("a variable needs its name and the serial number of the device")
        name = parse_dump(serial, arguments["sn"], variable, arguments.get("file"))
        dump = Dump(serial, name, body, self._trust.address(scope), self._trust.proof(scope, claim_in(arguments)))
        try:
            outcome = await asyncio.to_thread(self._requests.take, dump, now())
        except GitupdError as error:
            if isinstance(error, MalformedRequest):
                raise
            raise Unavailable("the variable can't be written down at the moment") from error
        return f"# {outcome}\r\n".encode(), _TAKEN[UploadMode.VARDUMP]

    async def _query(self, serial: Serial, query: str, receive: Receive) -> tuple[bytes, Uploaded]:
        """Take in the answer to a query that the configuration has; anything else is read and let go."""
        if (reason := self._uploads.unwanted(query)) is not None:
            await size(receive, self._largest_answer, self._seconds)
            return f"# not kept: {reason}\r\n".encode(), _TAKEN[UploadMode.QUERY]
        if self._reserve.is_reached():
            await size(receive, self._largest_answer, self._seconds)
            raise Unavailable(DISK_IS_FULL)
        with self._room.open() as take:
            try:
                body = await whole(receive, self._largest_answer, self._seconds, take)
                upload = await self._read(serial, query, body)
            except (Refusal, UnusableAnswer) as fault:
                self._uploads.tell(serial, f"the answer to query {query!r} was not kept: {fault}", now())
                if isinstance(fault, Refusal):
                    raise
                refused = Uploaded(UploadMode.QUERY, UploadOutcome.REFUSED, str(fault))
                return f"# not kept: {fault}\r\n".encode(), refused
            if not await self._keep(upload):
                refused = Uploaded(UploadMode.QUERY, UploadOutcome.REFUSED, TOO_MANY)
                return f"# not kept: {TOO_MANY}\r\n".encode(), refused
        return f"# answer to query {query} kept\r\n".encode(), _TAKEN[UploadMode.QUERY]

    @staticmethod
    async def _read(serial: Serial, query: str, body: bytes) -> AnsweredQuery:
        if len(body) <= _READ_AT_ONCE:
            return answered(serial, query, body, now())
        return await asyncio.to_thread(answered, serial, query, body, now())

    async def _keep(self, upload: AnsweredQuery) -> bool:
        """Wait until *upload* is on disk; return whether it was kept."""
        try:
            return await asyncio.wrap_future(self._uploads.keep(upload))
        except GitupdError as error:
            raise Unavailable("the answer can't be written down at the moment") from error
