"""Configurations that devices upload: received whole, and answered once they are on disk."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from gitupd.core.caller import claim_in
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.backups.intake import TOO_OFTEN, Arrival
from gitupd.service.clock import now
from gitupd.web.asgi.body import Refusal, Unavailable, chunks, size
from gitupd.web.asgi.bridge import Bridge
from gitupd.web.device.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope

    from gitupd.core.caller import Serial
    from gitupd.service.backups.intake import BackupIntake
    from gitupd.service.reserve import Reserve
    from gitupd.settings import Settings
    from gitupd.web.asgi.request import Requests
    from gitupd.web.device.trust import Trust

_LONGEST_LINE = 1024
DISK_IS_FULL = "there is too little room on the disk"
_HARDWARE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", re.ASCII)


def _is_soon_read(content: bytes) -> bool:
    """Whether reading an upload takes no longer than handing it to a thread: it is small, and so are its lines.

    Patterns of the policy take time in proportion to a line, and the longest ones are as long as a device likes.
    """
    return max(map(len, content.splitlines()), default=0) <= _LONGEST_LINE


class BackupUpload:
    """Answers uploads with ``mode=backup``."""

    def __init__(
        self, intake: BackupIntake, requests: Requests, settings: Settings, reserve: Reserve, trust: Trust
    ) -> None:
        """Hand what comes on to *intake*; *requests* knows where it comes from, *settings* what is too much.

        Nothing is taken while the *reserve* of the disk is reached. *trust* knows who proved who he is.
        """
        self._intake, self._requests, self._reserve, self._trust = intake, requests, reserve, trust
        self._bridge = Bridge(intake.put)
        self._largest, self._seconds = settings.largest_upload * 2**20, settings.request_seconds

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
        if self._reserve.is_reached():
            await size(receive, self._largest, self._seconds)  # who is still sending would not hear the answer
            raise Unavailable(DISK_IS_FULL)
        facts = {
            "hardware_id": hardware_id,
            "address": self._requests.origin(scope).address,
            "authenticated": "certificate" if self._trust.is_trusted(scope, claim_in(arguments)) else "no",
        }
        try:
            return await self._kept(serial, facts, receive)
        except Refusal as refusal:
            self._intake.tell(serial, refusal.reason, now())
            raise

    async def _kept(self, serial: Serial, facts: Mapping[str, str | None], receive: Receive) -> bytes:
        with Spool(self._intake.folder) as spool:
            try:
                await self._spooled(spool, receive)
                body = spool.body()
                if isinstance(body, bytes) and _is_soon_read(body):
                    reading = self._intake.read(body)
                else:  # large, so that others are answered meanwhile
                    reading = await asyncio.to_thread(self._intake.read, body)
                arrival = Arrival(serial, now(), body, spool.length, facts, reading)
                verdict = await self._bridge.across(arrival)
            except (GitupdError, OSError) as error:
                raise Unavailable("the backup can't be written down at the moment") from error
        if verdict == TOO_OFTEN:
            raise Refusal(429, TOO_OFTEN)
        return f"# backup of {arrival.length} bytes: {verdict}\r\n".encode()

    async def _spooled(self, spool: Spool, receive: Receive) -> None:
        """Take in the body; also if there is no room for it, since who is still sending would not hear the answer.

        Raises OSError or Refusal.
        """
        failure: Exception | None = None
        async for part in chunks(receive, self._largest, self._seconds):
            if failure is not None:
                continue
            try:
                spool.write(part)
            except OSError as error:
                failure = error
            else:
                failure = Unavailable(DISK_IS_FULL) if spool.is_on_disk and self._reserve.is_reached() else None
            if failure is not None:
                spool.give_up()
        if failure is not None:
            raise failure
