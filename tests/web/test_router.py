from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.serving import serving

from gitupd.listeners import AUDIENCES
from gitupd.service.sightings import Outcome
from gitupd.web.asgi.conclusion import Handled, Polled, RequestKind
from gitupd.web.asgi.counters import Counters, Counting
from gitupd.web.asgi.log import RequestLog
from gitupd.web.router import Logged, audience_of, kind_of

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send
    from support.serving import Server

    from gitupd.service.site import Site
    from gitupd.web.asgi.conclusion import Conclusion


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/update.php", RequestKind.POLL),
        ("/any/directory/update.php", RequestKind.POLL),
        ("/configuration/file/scripts/update.php", RequestKind.PAGE),
        ("/commits/topic/fw/update.php", RequestKind.PAGE),
        ("/fw/137213/ip222.bin", RequestKind.FIRMWARE),
        ("/any/fw/137213/more/ip222.bin", RequestKind.FIRMWARE),
        ("/restore/abc", RequestKind.RESTORE),
        ("/any/restore/abc", RequestKind.RESTORE),
        ("/certificates/crl", RequestKind.LIST),
        ("/certificates", RequestKind.PAGE),
        ("/.well-known/acme-challenge/abc", RequestKind.PROOF),
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


@pytest.mark.parametrize(
    "path",
    [
        "/index.php", "/update.php/", "/update.php;x", "/update.php%20", "/update.php/x", "/update/update-IP222.htm",
        "/update.php&type=IP222&sn=00-90-33-30-00-af", "/?hwid=x", "/login?hwid=x", "/Any/Own.PHP",
    ],
)  # fmt: skip
def test_what_a_device_asks_is_led_to_no_page(server: Server, path: str) -> None:
    assert server.get(path) == (404, b"# 404 Not Found\r\n")


@pytest.mark.parametrize("path", ["/commits/fix-update.php", "/configuration/file/x.php", "/devices", "/php"])
def test_pages_lead_to_the_log_in(server: Server, path: str) -> None:
    assert server.get(path)[0] == 303


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


REFUSED = b"404 Not Found: nothing is served here"


def served_by_path() -> dict[str, str | None]:
    """Return for whom the reference says each path is."""
    text = (Path(__file__).parents[2] / "docs" / "reference" / "http.md").read_text("utf-8")
    table = text.partition("| `serves` | paths |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`\w+`|always) \| (.*) \|$", table, re.MULTILINE)
    return {
        path: None if audience == "always" else audience.strip("`")
        for audience, paths in rows
        for path in re.findall(r"`(/[^`]*)`", paths)
    }


def test_each_path_is_for_whom_the_reference_says() -> None:
    described = served_by_path()
    assert set(described.values()) | {"people"} == AUDIENCES | {None}
    assert {path: audience_of(path.encode()) for path in described} == described
    for path in ("/", "/login", "/static/gitupd.css", "/devices/00-90-33-30-00-af"):
        assert audience_of(path.encode()) == "people"


@pytest.mark.parametrize("audience", sorted(AUDIENCES))
def test_a_listener_serves_nothing_but_what_it_is_for(own_site: Site, audience: str) -> None:
    paths = {
        "devices": ["/update.php", "/any/update.php", "/fw/1/x.bin", "/restore/x", "/any/RESTORE/x"],
        "git": ["/git/config.git/info/refs?service=git-upload-pack"],
        "api": ["/api/v1/devices", "/metrics", "/api/v1/openapi.json"],
        "people": ["/", "/login", "/devices", "/bootstrap/static/css/bootstrap.min.css", "/nothing"],
    }
    (own_site.path / "gitupd.toml").write_text(
        f'[[listen]]\naddress = "127.0.0.1:0"\nserves = ["{audience}"]\n', "utf-8"
    )
    with serving(own_site.path, options=[]) as server:
        for served, listed in paths.items():
            for path in listed:
                assert (REFUSED in server.get(path)[1]) == (served != audience), path
        for path in ("/%61pi/v1/devices", "/%75pdate.php", "/m%65trics"):
            assert REFUSED in server.get(path)[1], path
        assert server.get("/healthz")[0] == 200
        assert (set(json.loads(server.get("/readyz")[1])) == {"ready"}) == (audience == "devices")
