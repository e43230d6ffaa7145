"""Whose uploads are taken: only those of devices that are let in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gitupd.core.admission.admittance import Appearance
from gitupd.core.caller import claim_in
from gitupd.service.sightings import WRITE_SECONDS
from gitupd.web.asgi.body import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

    from gitupd.core.caller import Serial
    from gitupd.service.admission.door import Door
    from gitupd.web.asgi.request import Requests
    from gitupd.web.device.trust import Trust

NOT_LET_IN = "nobody has accepted this device, so nothing of it is taken"
_PATIENCE = (0.0, 1.5 * WRITE_SECONDS)


class UploadGate:
    """Stops the uploads of whom nobody has accepted."""

    def __init__(self, door: Door, requests: Requests, trust: Trust) -> None:
        """Stop whom *door* does not let in, for how they appear to *requests* and *trust*."""
        self._door, self._requests, self._trust = door, requests, trust

    async def stop(self, scope: Scope, serial: Serial | None, arguments: Mapping[str, str]) -> None:
        """Raise Refusal for the upload of a device that is not let in."""
        address = self._requests.origin(scope).address
        appearance = Appearance(
            arguments.get("type") or None,
            arguments.get("hwid") or None,
            address,
            trusted=self._door.asks_for_trust and self._trust.is_trusted(scope, claim_in(arguments)),
        )
        if self._door.lets_in(serial, appearance):
            return
        # An upload says less than a poll. One that follows a first poll at once may come before that is written down.
        for pause in _PATIENCE if self._door.may_remember else ():
            await asyncio.sleep(pause)
            if await asyncio.to_thread(self._door.remembers, serial, appearance):
                return
        raise Refusal(403, NOT_LET_IN)
