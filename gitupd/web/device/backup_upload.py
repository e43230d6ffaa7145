"""Configurations that devices upload: received whole, and answered once they are on disk."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.backups.intake import Arrival
from gitupd.service.clock import now
from gitupd.web.asgi.body import Refusal, Unavailable, chunks, size
from gitupd.web.device.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Receive, Scope

    from gitupd.core.caller import Serial
    from gitupd.service.backups.intake import BackupIntake
    from gitupd.settings import Settings
    from gitupd.web.asgi.request import Requests

_MOST_AT_ONCE = 200
_HARDWARE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", re.ASCII)


class BackupUpload:
    """Answers uploads with ``mode=backup``."""

    def __init__(self, intake: BackupIntake, requests: Requests, settings: Settings) -> None:
        """Hand what comes on to *intake*; *requests* knows where it comes from, *settings* what is too much."""
        self._intake, self._requests = intake, requests
        self._largest, self._seconds = settings.largest_upload * 2**20, settings.request_seconds
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._handing_on: asyncio.Task[None] | None = None

    async def __call__(
        self, scope: Scope, serial: Serial | None, arguments: Mapping[str, str], receive: Receive
    ) -> bytes:
        """Return the answer to an upload; raises MalformedRequest or Refusal, and nothing is kept then."""
        hardware_id = arguments.get("hwid", "")
        if serial is None or not _HARDWARE_ID.fullmatch(hardware_id):
            raise MalformedRequest("a backup needs the serial number and the hardware id of the device")
        if (reason := self._intake.unwanted()) is not None:
            await size(receive, self._largest, self._seconds)
            return f"# not kept: {reason}\r\n".encode()
        if self._intake.wants_certificate():
            raise Refusal(403, "a client certificate is required, and none was shown")
        facts = {"hardware_id": hardware_id, "address": self._requests.origin(scope).address, "authenticated": "no"}
        try:
            return await self._kept(serial, facts, receive)
        except Refusal as refusal:
            self._intake.tell(serial, refusal.reason, now())
            raise

    async def _kept(self, serial: Serial, facts: Mapping[str, str | None], receive: Receive) -> bytes:
        with Spool(self._intake.folder) as spool:
            try:
                async for part in chunks(receive, self._largest, self._seconds):
                    spool.write(part)
                arrival = Arrival(serial, now(), spool.content(), spool.length, facts, spool.file)
                if spool.file is None:
                    self._intake.look_at(arrival)
                else:
                    await asyncio.to_thread(self._intake.look_at, arrival)
                await self._together(arrival)
            except (GitupdError, OSError) as error:
                raise Unavailable("the backup can't be written down at the moment") from error
            spool.file = arrival.file
        return f"# backup of {arrival.length} bytes: {arrival.verdict}\r\n".encode()

    async def _together(self, arrival: Arrival) -> None:
        """Have *arrival* kept, with all that arrive meanwhile: each way to a thread and back is dear."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, kept))
        if self._handing_on is None:
            self._handing_on = asyncio.create_task(self._hand_on())
        await kept

    async def _hand_on(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
                failure = await self._failure_of([arrival for arrival, _ in batch])
                for kept in (kept for _, kept in batch if not kept.done()):
                    if failure is None:
                        kept.set_result(None)
                    else:
                        kept.set_exception(failure)
        finally:
            self._handing_on = None

    async def _failure_of(self, arrivals: Sequence[Arrival]) -> Exception | None:
        """Have *arrivals* kept; return why that failed, None if it did not."""
        try:
            await asyncio.wrap_future(self._intake.keep(*arrivals))
        except Exception as error:  # noqa: BLE001 - raised again for each of them
            return error
        return None
