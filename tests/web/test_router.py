from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from gitupd.service.sightings import Outcome
from gitupd.web.asgi.conclusion import Handled, Polled, RequestKind
from gitupd.web.asgi.counters import Counters, Counting
from gitupd.web.asgi.log import RequestLog
from gitupd.web.router import Logged, kind_of

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from gitupd.web.asgi.conclusion import Conclusion


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/update.php", RequestKind.POLL),
        ("/any/directory/update.php", RequestKind.POLL),
        ("/configuration/file/scripts/update.php", RequestKind.PAGE),
        ("/fw/137213/ip222.bin", RequestKind.FIRMWARE),
        ("/any/fw/137213/more/ip222.bin", RequestKind.FIRMWARE),
        ("/restore/abc", RequestKind.RESTORE),
        ("/any/restore/abc", RequestKind.RESTORE),
        ("/git/backups.git/info/refs", RequestKind.GIT),
        ("/healthz", RequestKind.MONITORING),
        ("/readyz", RequestKind.MONITORING),
        ("/metrics", RequestKind.MONITORING),
        ("/metrics/", RequestKind.PAGE),
        ("/api/v1/devices", RequestKind.API),
        ("/", RequestKind.PAGE),
        ("/devices", RequestKind.PAGE),
    ],
)
def test_a_path_says_what_kind_of_request_it_is(path: str, kind: RequestKind) -> None:
    assert kind_of(path.encode()) is kind


def answered_by(application: object, path: str, capsys: pytest.CaptureFixture[str]) -> tuple[Counters, str, list[int]]:
    """Return what is counted and logged of a request for *path* that *application* answers, and the status it sent."""
    counters, request_log, statuses = Counters(), RequestLog("json"), []
    counting = Counting(counters.take(0), lambda: 0)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "raw_path": path.encode(), "query_string": b"", "client": None}
    asyncio.run(Logged(application, request_log, counting)(scope, receive, send))
    counting.flush()
    request_log._flush()
    return counters, capsys.readouterr().err, statuses


@pytest.mark.parametrize(("path", "kind"), [("/devices", "page"), ("/api/v1/fleet", "api"), ("/update.php", "poll")])
def test_a_request_that_fails_is_counted_as_what_it_was(
    path: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def failing(*_: object) -> Conclusion:
        raise RuntimeError("broken")

    counters, _, statuses = answered_by(failing, path, capsys)
    assert statuses == [500]
    assert counters.total(("requests", kind, "5xx")) == 1
    assert counters.total(("polls", Outcome.FAILED)) == (kind == "poll")


def test_log_and_counters_are_told_what_became_of_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    async def refusing(_scope: Scope, _receive: Receive, send: Send) -> Conclusion:
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})
        return Polled(Outcome.REFUSED, "no serial number")

    counters, logged, _ = answered_by(refusing, "/update.php", capsys)
    assert json.loads(logged)["note"] == "no serial number"
    assert counters.total(("polls", Outcome.REFUSED)) == counters.total(("requests", "poll", "4xx")) == 1


def test_bytes_of_firmware_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    async def sending(_scope: Scope, _receive: Receive, send: Send) -> Conclusion:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1000})
        return Handled(RequestKind.FIRMWARE)

    counters, _, _ = answered_by(sending, "/fw/1/a.bin", capsys)
    assert counters.total(("firmware-bytes",)) == 1000
