"""Requests of devices that are watched, noted down as they pass: what comes in, what goes out, and how long it took.

For all other requests it is a glance at who is watched; while nobody is, not even that. Whatever goes wrong here is
nobody's trouble but that of those who watch.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from gitupd.core.stories.recorded import LARGEST_TEXT, RecordedRequest, text_of
from gitupd.errors import MalformedRequest
from gitupd.service.clock import now
from gitupd.web.asgi.conclusion import RequestKind
from gitupd.web.asgi.log import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Message, Receive, Scope

    from gitupd.core.caller import Serial
    from gitupd.core.snapshot import Snapshot
    from gitupd.core.stories.recorded import Headers
    from gitupd.service.deployments.live import Live
    from gitupd.service.stories.recorder import Recorder
    from gitupd.web.asgi.request import Requests
    from gitupd.web.device.trust import Trust

DEVICE = "gitupd.device"
"""Where in the scope an endpoint leaves the Serial of the device that it found to ask, if the address says none."""

_SERIAL = re.compile(rb"(?:^|&)sn=([^&]*)")
_LARGEST_NUMBER = 2**31 - 1


class DeviceRecording:
    """Finds out whose request it is, and hands those of watched devices to a recorder."""

    def __init__(self, recorder: Recorder, requests: Requests, trust: Trust, live: Callable[[], Live | None]) -> None:
        """Tell *recorder* of what *requests* and *trust* know the origin; *live* tells what is delivered now."""
        self._recorder, self._requests, self._trust, self._live = recorder, requests, trust, live
        self._tell = Seldom()

    @property
    def is_on(self) -> bool:
        """Whether any device is watched."""
        return bool(self._recorder.watched)

    def begin(self, kind: RequestKind, scope: Scope) -> Noted | None:
        """Return what takes note of a request of that *kind*, None if no watched device makes it."""
        noted = None
        if kind in (RequestKind.POLL, RequestKind.FIRMWARE, RequestKind.RESTORE):
            with self._harmless():
                noted = self._noted(kind, scope)
        return noted

    def end(self, noted: Noted, scope: Scope, seconds: float) -> None:
        """Hand over a request that was answered after so many *seconds*."""
        with self._harmless():
            serial = noted.serial or scope.get(DEVICE)
            if serial is None or serial.digits.encode() not in self._recorder.watched:
                return
            query = scope["query_string"]
            request = RecordedRequest(
                serial,
                noted.at,
                scope["method"],
                (scope["raw_path"] + (b"?" + query if query else b"")).decode("ascii", errors="backslashreplace"),
                noted.status,
                seconds,
                self._requests.origin(scope).address or "",
                noted.by_address,
                self._certified(scope),
                _read(scope["headers"]),
                min(noted.received, _LARGEST_NUMBER),
                noted.headers,
                min(noted.answered, _LARGEST_NUMBER),
                *noted.text(),
            )
            self._recorder.add(request, tuple(_each(noted.snapshot, self._snapshot())))

    def _noted(self, kind: RequestKind, scope: Scope) -> Noted | None:
        named = _SERIAL.findall(scope["query_string"])
        if named:
            serial = self._recorder.watched.get(_digits(named[-1]))
        elif kind is RequestKind.RESTORE:  # whose it is, its endpoint finds out
            return Noted(None, kind, self._snapshot())
        else:
            serial = self._recorder.addresses.get(self._requests.origin(scope).address or "")
        return None if serial is None else Noted(serial, kind, self._snapshot(), by_address=not named)

    def _certified(self, scope: Scope) -> str:
        with suppress(MalformedRequest):
            shown = self._trust.shown(scope)
            return (shown.certificate.common_name or "") if shown and shown.certificate else ""
        return ""

    def _snapshot(self) -> Snapshot | None:
        live = self._live()
        return None if live is None else live.snapshot

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        """Count and log whatever goes wrong in the block: the device is answered all the same."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - an answer does not depend on who watches it
            self._recorder.lose()
            self._tell("a request of a device was not recorded", why=type(error).__name__)


class Noted:
    """A request that is being answered; ``serial`` is None if it is not known yet who makes it."""

    def __init__(
        self, serial: Serial | None, kind: RequestKind, snapshot: Snapshot | None, *, by_address: bool = False
    ) -> None:
        """Take note of a request that comes in now, while *snapshot* is delivered."""
        self.serial, self.snapshot, self.by_address, self.at = serial, snapshot, by_address, now()
        self.status, self.received, self.answered = 0, 0, 0
        self.headers: Headers = ()
        # Files and versions of backups are kept elsewhere, and nobody here knows what was secret in those.
        self._keeps_text = kind is RequestKind.POLL
        self._parts: list[bytes] = []

    def receiving(self, receive: Receive) -> Receive:
        """Return *receive*, with the bytes counted that come."""

        async def counted() -> Message:
            message = await receive()
            self.received += len(message.get("body", b""))
            return message

        return counted

    def answer(self, message: Message) -> None:
        """Take note of a part of the answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], _read(message.get("headers", ()))
            self._keeps_text |= self.status >= HTTPStatus.BAD_REQUEST
            return
        part = message.get("body", b"")
        if self._keeps_text and self.answered <= LARGEST_TEXT:
            self._parts.append(part[: LARGEST_TEXT + 1 - self.answered])
        self.answered += len(part)

    def text(self) -> tuple[str | None, bool]:
        """Return the text of the answer, None if it is not kept, and whether there was more of it."""
        if not self._keeps_text:
            return None, False
        is_whole = self.answered <= LARGEST_TEXT
        return text_of(b"".join(self._parts)[:LARGEST_TEXT], is_whole=is_whole), not is_whole


def _each(before: Snapshot | None, after: Snapshot | None) -> Iterator[Snapshot]:
    """Yield what was delivered while a request was answered: another commit may have come meanwhile."""
    if before is not None:
        yield before
    if after is not None and after is not before:
        yield after


def _digits(text: bytes) -> bytes:
    """Return the digits of a serial number as it is written in an address."""
    return unquote_to_bytes(text).replace(b"-", b"").replace(b":", b"").lower()


def _read(headers: list[tuple[bytes, bytes]]) -> Headers:
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
