"""What devices upload: read within limits, handed on, and answered once it is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gitupd.core.caller import parse_serial
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.answers import UnusableAnswer
from gitupd.service.clock import now
from gitupd.service.query_answers import answered
from gitupd.web.asgi.body import Refusal, Room, size, whole
from gitupd.web.asgi.request import NOTE, OUTCOME

if TYPE_CHECKING:
    from gitupd.core.caller import Serial
    from gitupd.service.query_answers import Uploads
    from gitupd.settings import Settings
    from gitupd.store.answers import AnsweredQuery
    from gitupd.web.asgi.body import Receive
    from gitupd.web.asgi.request import Scope
    from gitupd.web.device.backup_upload import BackupUpload

MODES = ("backup", "query", "vardump")
_READ_AT_ONCE = 32 * 2**10  # what takes longer to parse is parsed while others are answered


class UploadEndpoint:
    """Answers the uploads of devices, with nothing but comments."""

    def __init__(self, uploads: Uploads, backup: BackupUpload, settings: Settings) -> None:
        """Hand answers to queries on to *uploads*, within the limits that *settings* give, and others to *backup*."""
        self._uploads, self._backup = uploads, backup
        self._seconds = settings.request_seconds
        self._largest = settings.largest_upload * 2**20
        self._largest_answer = min(settings.largest_answer * 2**10, self._largest)
        self._room = Room()

    async def __call__(self, scope: Scope, arguments: dict[str, str], receive: Receive) -> bytes:
        """Return the answer to an upload, and note in *scope* what became of it; raises MalformedRequest or Refusal."""
        mode = arguments["mode"]
        if mode not in MODES:
            raise MalformedRequest("an upload needs a mode")
        serial = parse_serial(arguments["sn"]) if "sn" in arguments else None
        if mode == "backup":
            return await self._backup(scope, serial, arguments, receive)
        if mode != "query":
            length = await size(receive, self._largest, self._seconds)
            scope[OUTCOME] = "taken"
            return f"# {length} bytes received; this version of gitupd keeps no such uploads\r\n".encode()
        query = arguments.get("id")
        if serial is None or not query:
            await size(receive, self._largest_answer, self._seconds)
            raise MalformedRequest("an answer needs the serial number of the device and the id of the query")
        return await self._query(scope, serial, query, receive)

    async def _query(self, scope: Scope, serial: Serial, query: str, receive: Receive) -> bytes:
        """Take in the answer to a query that the configuration has; anything else is read and let go."""
        if (reason := self._uploads.unwanted(query)) is not None:
            await size(receive, self._largest_answer, self._seconds)
            scope[OUTCOME] = "taken"
            return f"# not kept: {reason}\r\n".encode()
        with self._room.open() as take:
            try:
                body = await whole(receive, self._largest_answer, self._seconds, take)
                upload = await self._read(serial, query, body)
            except (Refusal, UnusableAnswer) as fault:
                self._uploads.tell(serial, f"the answer to query {query!r} was not kept: {fault}", now())
                if isinstance(fault, Refusal):
                    raise
                scope[NOTE] = str(fault)
                return f"# not kept: {fault}\r\n".encode()
            await self._keep(scope, upload)
        return f"# answer to query {query} kept\r\n".encode()

    @staticmethod
    async def _read(serial: Serial, query: str, body: bytes) -> AnsweredQuery:
        if len(body) <= _READ_AT_ONCE:
            return answered(serial, query, body, now())
        return await asyncio.to_thread(answered, serial, query, body, now())

    async def _keep(self, scope: Scope, upload: AnsweredQuery) -> None:
        """Wait until *upload* is on disk."""
        try:
            await asyncio.wrap_future(self._uploads.keep(upload))
            scope[OUTCOME] = "taken"
        except GitupdError as error:
            scope[OUTCOME] = "failed"
            raise Refusal(503, "the answer can't be written down at the moment") from error
